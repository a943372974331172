package testkit

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"gotest.tools/v3/assert"
)

// EngineLine is a wire between a daemon and a real engine that can be cut, as
// if the engine had stopped, and mended.
type EngineLine struct {
	// Socket is where the daemon finds it.
	Socket string

	t      *testing.T
	engine string
	served sync.WaitGroup

	mu       sync.Mutex
	listener net.Listener
	open     map[net.Conn]bool
}

// NewEngineLine serves a whole line to the engine at engineSocket until t ends.
func NewEngineLine(t *testing.T, engineSocket string) *EngineLine {
	t.Helper()
	// A unix socket's path is short by nature, so the test's name stays out.
	dir, err := os.MkdirTemp("", "line")
	assert.NilError(t, err)
	l := &EngineLine{Socket: filepath.Join(dir, "e.sock"), t: t, engine: engineSocket, open: map[net.Conn]bool{}}
	l.Mend()
	t.Cleanup(func() {
		l.Cut()
		_ = os.RemoveAll(dir)
	})
	return l
}

// Cut breaks every connection and refuses new ones.
func (l *EngineLine) Cut() {
	l.mu.Lock()
	if l.listener != nil {
		_ = l.listener.Close()
		l.listener = nil
	}
	for c := range l.open {
		_ = c.Close()
	}
	l.mu.Unlock()
	l.served.Wait()
}

// Mend lets connections through again.
func (l *EngineLine) Mend() {
	l.t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(l.t.Context(), "unix", l.Socket)
	assert.NilError(l.t, err)
	l.mu.Lock()
	l.listener = listener
	l.mu.Unlock()
	l.served.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			l.served.Go(func() { l.carry(listener, c) })
		}
	})
}

// carry copies one connection's bytes both ways, half-closes included, which
// the end of a command's input is.
func (l *EngineLine) carry(from net.Listener, c net.Conn) {
	defer c.Close()
	up, err := (&net.Dialer{}).DialContext(l.t.Context(), "unix", l.engine)
	if err != nil {
		return
	}
	defer up.Close()
	if !l.add(from, c, up) {
		return
	}
	defer l.remove(c, up)
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(up, c); _ = up.(*net.UnixConn).CloseWrite() })
	both.Go(func() { _, _ = io.Copy(c, up); _ = c.(*net.UnixConn).CloseWrite() })
	both.Wait()
}

// add is false when the line was cut meanwhile.
func (l *EngineLine) add(from net.Listener, cs ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.listener != from {
		return false
	}
	for _, c := range cs {
		l.open[c] = true
	}
	return true
}

func (l *EngineLine) remove(cs ...net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range cs {
		delete(l.open, c)
	}
}
