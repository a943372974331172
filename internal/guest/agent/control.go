package agent

import (
	"encoding/json"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/docker-space/docker-space/internal/guest/wire"
)

// readFrames follows the caller until it is gone. It never waits for the
// command, so that a signal is never behind input.
func (s *session) readFrames(req wire.Exec) {
	defer close(s.read)
	for {
		frame, err := s.r.Read()
		if err == nil {
			err = s.handle(frame, req.Interactive)
		}
		if err != nil {
			s.lose(req.TTY)
			return
		}
	}
}

// handle acts on one frame; types that it does not know are left alone.
func (s *session) handle(frame wire.Frame, interactive bool) error {
	switch frame.Type {
	case wire.Stdin:
		if interactive {
			return s.in.add(frame.Data)
		}
	case wire.StdinEOF:
		s.in.finish()
	case wire.Resize:
		var size wire.Size
		if json.Unmarshal(frame.Data, &size) == nil {
			s.resize(size)
		}
	case wire.Signal:
		s.signal(unix.SignalNum(signalName(string(frame.Data))))
	case wire.Kill:
		s.kill()
	}
	return nil
}

// signalName completes "INT" and "int" to "SIGINT".
func signalName(name string) string {
	return "SIG" + strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(name)), "SIG")
}

func (s *session) resize(size wire.Size) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.size = size
	if s.io != nil && s.io.tty {
		resize(s.io.out, size)
	}
}

// signal reaches the command's group, or what runs in front on its terminal. A
// command that still waits for its turn is not started any more.
func (s *session) signal(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case sig == 0:
		return
	case s.proc == nil:
		s.abort()
		return
	}
	group := s.proc.pid
	if s.io.tty {
		if front := foreground(s.io.out); front > 1 {
			group = front
		}
	}
	s.proc.signal(group, sig)
}

// kill ends the command with all its descendants, once.
func (s *session) kill() {
	s.abort()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil || s.killed {
		return
	}
	s.killed = true
	p := s.proc
	s.killing.Go(func() { p.kill(killGrace) })
}

// lose is the end of the caller, with or without a word before. A lost terminal
// does not end what runs on it.
func (s *session) lose(tty bool) {
	s.abort()
	if s.onLoss == EndCommand {
		s.kill()
	}
	if !tty {
		s.in.finish()
	}
	// Ends a write that waits for the caller.
	_ = s.conn.Close()
}
