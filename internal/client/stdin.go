package client

import (
	"encoding/json"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/gorilla/websocket"
)

// stdinChunk is the most bytes sent in one stdin frame, so that a resize or a
// signal waits behind little.
const stdinChunk = 32 << 10

// Write sends standard input. It waits as long as the command does not read.
func (s *Stream) Write(p []byte) (int, error) {
	sent := 0
	for sent < len(p) {
		part := p[sent:min(sent+stdinChunk, len(p))]
		if err := s.sendStdin(part); err != nil {
			return sent, err
		}
		sent += len(part)
	}
	return sent, nil
}

func (s *Stream) sendStdin(p []byte) error {
	s.write.Lock()
	defer s.write.Unlock()
	s.frame = api.AppendFrame(s.frame[:0], api.StreamStdin, p)
	return s.conn.WriteMessage(websocket.BinaryMessage, s.frame)
}

// CloseStdin tells the command that no more input comes.
func (s *Stream) CloseStdin() error { return s.sendJSON(api.Control{Type: api.FrameEOF}) }

// Resize sets the size of the command's terminal.
func (s *Stream) Resize(cols, rows int) error {
	return s.sendJSON(api.Control{Type: api.FrameResize, Cols: cols, Rows: rows})
}

// Signal sends a signal, named without SIG ("INT"), to the command.
func (s *Stream) Signal(name string) error {
	return s.sendJSON(api.Control{Type: api.FrameSignal, Signal: name})
}

func (s *Stream) sendJSON(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	s.write.Lock()
	defer s.write.Unlock()
	return s.conn.WriteMessage(websocket.TextMessage, b)
}
