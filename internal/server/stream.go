package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/space"
)

var upgrader = websocket.Upgrader{
	ReadBufferSize: 32 << 10, WriteBufferSize: 4 << 10, WriteBufferPool: &sync.Pool{},
	CheckOrigin: func(*http.Request) bool { return true }, // checkOrigin did
	Error: func(w http.ResponseWriter, _ *http.Request, _ int, reason error) {
		writeError(w, api.Errorf(api.CodeInvalid, "the WebSocket handshake failed: %v", reason))
	},
}

// execStream finds and wakes the space, then upgrades and runs one command.
func (s *Server) execStream(w http.ResponseWriter, r *http.Request) {
	if !websocket.IsWebSocketUpgrade(r) {
		writeError(w, api.Errorf(api.CodeInvalid, "this path speaks WebSocket: connect with an Upgrade header, or POST to …/exec"))
		return
	}
	run, err := s.cfg.Spaces.Acquire(r.Context(), r.PathValue("name"))
	if err != nil {
		writeError(w, s.public(r.Context(), err))
		return
	}
	defer run.Release()
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // Error answered
	}
	c := newSocket(r.Context(), conn, s.pace)
	defer func() { c.cancel(); _ = conn.Close() }()
	if !s.sockets.add(c) {
		return
	}
	defer s.sockets.remove(c)
	s.runStream(c, run)
}

func (s *Server) runStream(c *socket, run Execution) {
	var wg sync.WaitGroup
	defer wg.Wait()
	defer func() { c.cancel(); _ = c.conn.Close() }() // ends watch and readFrames
	wg.Go(c.watch)
	req, err := c.request()
	if err != nil {
		s.finish(c, nil, failure(err))
		return
	}
	in := newInput(req.Interactive)
	wg.Go(func() { c.readFrames(in) })
	exit, err := run.Exec(c.ctx, req, space.Streams{
		Stdin: in.stdin(), Control: in.control,
		Stdout:  output{c, api.StreamStdout},
		Stderr:  output{c, api.StreamStderr},
		Started: func() { c.sendControl(api.Control{Type: api.FrameStarted}) },
	})
	in.end()
	run.Release()
	last := exitFrame(exit)
	if err != nil {
		if c.ctx.Err() != nil {
			return // the client is gone
		}
		last = failure(s.public(c.ctx, err))
	}
	s.finish(c, in, last)
}

// request reads the first frame.
func (c *socket) request() (req api.ExecRequest, err error) {
	_ = c.conn.SetReadDeadline(time.Now().Add(c.pace.first))
	kind, frame, err := c.conn.ReadMessage()
	if err != nil {
		return req, api.Errorf(api.CodeInvalid, "the first frame must be the exec request, within %s", c.pace.first)
	}
	_ = c.conn.SetReadDeadline(time.Time{})
	c.alive()
	if kind != websocket.TextMessage {
		return req, api.Errorf(api.CodeInvalid, "the first frame must be the exec request as text, not binary")
	}
	d := json.NewDecoder(bytes.NewReader(frame))
	d.DisallowUnknownFields()
	if err := d.Decode(&req); err != nil {
		return req, api.Errorf(api.CodeInvalid, "the exec request is not valid: %v", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return req, api.Errorf(api.CodeInvalid, "the exec request is followed by more in its frame")
	}
	if req.Stdin != "" || req.StdinBase64 != "" {
		return req, api.Invalid("stdin", "stdin in the request is for the buffered exec: set interactive and send stdin frames")
	}
	req.Cols, req.Rows = clampSize(req.Cols, 0), clampSize(req.Rows, 0)
	return req, nil
}

func failure(err error) api.Control {
	var e *api.Error
	if !errors.As(err, &e) {
		e = api.Errorf(api.CodeInternal, "internal error")
	}
	return api.Control{Type: api.FrameError, Message: e.Message, Code: e.Code}
}

func exitFrame(x space.Exit) api.Control {
	f := api.Control{Type: api.FrameExit, ExitCode: x.Code, Signal: x.Signal, TimedOut: x.TimedOut, OOMKilled: x.OOMKilled}
	switch {
	case x.Gone:
		f.Reason = api.ReasonSpaceGone
	case x.Code == nil:
		f.Reason = api.ReasonLost
	}
	return f
}

// finish sends the last frame and closes. It goes on taking what the peer
// still sends: closing over unread bytes would reset the connection, and the
// last frame could be lost with it.
func (s *Server) finish(c *socket, in *input, last api.Control) {
	c.sendControl(last)
	code := websocket.CloseNormalClosure
	if last.Type == api.FrameError {
		code = websocket.CloseInternalServerErr
	}
	_ = c.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(controlTime))
	if in == nil {
		c.discard()
		return
	}
	limit := time.NewTimer(c.pace.linger)
	defer limit.Stop()
	select {
	case <-in.done:
	case <-limit.C:
	}
	_ = c.conn.Close()
}

// discard takes and drops what the peer still sends, until it closes.
func (c *socket) discard() {
	raw := c.conn.NetConn()
	_ = raw.SetReadDeadline(time.Now().Add(c.pace.linger))
	_, _ = io.Copy(io.Discard, io.LimitReader(raw, 16*api.MaxFrame))
}
