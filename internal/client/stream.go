package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/gorilla/websocket"
)

// openTimeout bounds the opening of an exec stream, in which the daemon wakes
// the space.
const openTimeout = 2 * time.Minute

// Exit is how a streamed command ended. Code is nil when that is not known.
type Exit struct {
	Code      *int
	Signal    string
	Reason    string
	TimedOut  bool
	OOMKilled bool
}

// Stream is one running command. Write sends standard input; all methods may
// be called concurrently.
type Stream struct {
	conn *websocket.Conn

	// write serialises frames: a connection takes one writer at a time.
	write sync.Mutex
	frame []byte

	started chan struct{}
	done    chan struct{}
	exit    Exit
	err     error
}

// ExecStream starts a command and copies its output to stdout and stderr until
// it ends. ctx bounds only the opening; the caller must Close the stream.
func (c *Client) ExecStream(ctx context.Context, name string, req api.ExecRequest, stdout, stderr io.Writer) (*Stream, error) {
	conn, err := c.open(ctx, spacePath(name)+"/exec/stream")
	if err != nil {
		return nil, err
	}
	s := &Stream{conn: conn, started: make(chan struct{}), done: make(chan struct{})}
	if err := s.sendJSON(req); err != nil {
		conn.Close()
		return nil, fmt.Errorf("cannot send the command to spaced at %s: %w", c.target, err)
	}
	go s.read(stdout, stderr)
	return s, nil
}

func (c *Client) open(ctx context.Context, path string) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	u := *c.base
	u.Scheme = map[string]string{"http": "ws", "https": "wss"}[u.Scheme]
	header := http.Header{}
	c.authorize(header)
	d := websocket.Dialer{NetDialContext: c.dial, HandshakeTimeout: openTimeout, WriteBufferSize: stdinChunk + 1}
	if c.target.Socket == "" {
		d.Proxy = http.ProxyFromEnvironment
	}
	conn, resp, err := d.DialContext(ctx, u.String()+path, header)
	if errors.Is(err, websocket.ErrBadHandshake) && resp != nil {
		defer resp.Body.Close()
		return nil, decodeError(resp)
	}
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	conn.SetReadLimit(api.MaxFrame + 1)
	return conn, nil
}

// read is the stream's one reader; it ends with the connection.
func (s *Stream) read(stdout, stderr io.Writer) {
	defer close(s.done)
	defer s.conn.Close()
	for {
		kind, frame, err := s.conn.ReadMessage()
		if err != nil {
			s.err = fmt.Errorf("the connection to spaced was lost while the command ran; its exit status is not known: %w", err)
			return
		}
		if kind == websocket.BinaryMessage {
			if s.err = output(frame, stdout, stderr); s.err != nil {
				return
			}
		} else if s.control(frame) {
			return
		}
	}
}

func output(frame []byte, stdout, stderr io.Writer) error {
	id, data, err := api.DecodeFrame(frame)
	if err != nil {
		return fmt.Errorf("spaced sent a frame that is not output: %w", err)
	}
	w := stdout
	if id == api.StreamStderr {
		w = stderr
	}
	if _, err := w.Write(data); err != nil {
		return fmt.Errorf("cannot write the command's output: %w", err)
	}
	return nil
}

// control takes a text frame and tells whether it was the last one.
func (s *Stream) control(frame []byte) bool {
	var c api.Control
	if err := json.Unmarshal(frame, &c); err != nil {
		s.err = fmt.Errorf("spaced sent a control frame that is not JSON: %w", err)
		return true
	}
	switch c.Type {
	case api.FrameStarted:
		s.markStarted()
	case api.FrameExit:
		s.exit = Exit{Code: c.ExitCode, Signal: c.Signal, Reason: c.Reason, TimedOut: c.TimedOut, OOMKilled: c.OOMKilled}
		return true
	case api.FrameError:
		s.err = &api.Error{Message: c.Message, Code: c.Code}
		return true
	}
	return false
}

// markStarted is called by the reader only.
func (s *Stream) markStarted() {
	select {
	case <-s.started:
	default:
		close(s.started)
	}
}

// Started is closed once the command runs.
func (s *Stream) Started() <-chan struct{} { return s.started }

// Done is closed when the command has ended or the stream broke.
func (s *Stream) Done() <-chan struct{} { return s.done }

// Wait gives how the command ended, after all of its output was written.
func (s *Stream) Wait() (Exit, error) {
	<-s.done
	return s.exit, s.err
}

// Close drops the connection, upon which the daemon ends a command that still
// runs. It does not wait for output that nobody takes; Done tells when the
// reader has ended.
func (s *Stream) Close() { s.conn.Close() }
