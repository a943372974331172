package server

import (
	"encoding/json"
	"errors"
	"io"

	"github.com/gorilla/websocket"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/space"
)

// maxControls bounds the steering that a command has not taken yet.
const maxControls = 64

// input is what comes from the client for one command. Standard input is
// handed over unbuffered: while the command does not read, neither do we, and
// the client's sending stops.
type input struct {
	r       *io.PipeReader // nil when the command gets no input
	w       *io.PipeWriter
	control chan space.Control
	done    chan struct{} // closed when the reader has ended
}

func newInput(interactive bool) *input {
	in := &input{control: make(chan space.Control, maxControls), done: make(chan struct{})}
	if interactive {
		in.r, in.w = io.Pipe()
	}
	return in
}

// stdin is nil, as an interface too, where there is none.
func (in *input) stdin() io.Reader {
	if in.r == nil {
		return nil
	}
	return in.r
}

// end makes the reader throw away what still comes.
func (in *input) end() {
	if in.r != nil {
		_ = in.r.Close()
	}
}

func (in *input) eof() {
	if in.w != nil {
		_ = in.w.Close()
	}
}

// steer hands on a control; of too many, the newest count.
func (in *input) steer(c space.Control) {
	for {
		select {
		case in.control <- c:
			return
		default:
		}
		select {
		case <-in.control:
		default:
		}
	}
}

// readFrames is the socket's one reader; it ends with the connection.
func (c *socket) readFrames(in *input) {
	defer close(in.done)
	defer c.cancel()
	defer in.eof()
	for {
		kind, frame, err := c.conn.ReadMessage()
		if errors.Is(err, websocket.ErrReadLimit) {
			c.discard() // the library sent close 1009; let the peer see it
		}
		if err != nil {
			return
		}
		c.alive()
		if kind == websocket.BinaryMessage {
			c.feed(in, frame)
		} else {
			c.steer(in, frame)
		}
	}
}

func (c *socket) feed(in *input, frame []byte) {
	id, data, err := api.DecodeFrame(frame)
	if err != nil || id != api.StreamStdin || in.w == nil || len(data) == 0 {
		return
	}
	c.feeding.Store(true)
	_, _ = in.w.Write(data) // fails when the command has ended: thrown away
	c.alive()
	c.feeding.Store(false)
}

// steer takes a control frame. What is malformed or unknown is ignored, and
// never becomes input.
func (c *socket) steer(in *input, frame []byte) {
	var f api.Control
	if json.Unmarshal(frame, &f) != nil {
		return
	}
	switch f.Type {
	case api.FrameResize:
		in.steer(space.Control{Cols: clampSize(f.Cols, 1), Rows: clampSize(f.Rows, 1)})
	case api.FrameSignal:
		if f.Signal != "" {
			in.steer(space.Control{Signal: f.Signal})
		}
	case api.FrameEOF:
		in.eof()
	case api.FramePing:
		c.sendControl(api.Control{Type: api.FramePong})
	}
}

// clampSize fits a terminal's size into what a kernel can hold.
func clampSize(n, least int) int { return min(max(n, least), 65535) }
