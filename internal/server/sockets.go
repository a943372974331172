package server

import (
	"context"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/gorilla/websocket"
)

// sockets are the open WebSockets.
type sockets struct {
	mu      sync.Mutex
	open    map[*socket]struct{}
	closing bool
	wg      sync.WaitGroup
}

// add takes a socket in, unless the server is closing.
func (s *sockets) add(c *socket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	if s.open == nil {
		s.open = map[*socket]struct{}{}
	}
	s.open[c] = struct{}{}
	s.wg.Add(1)
	return true
}

func (s *sockets) remove(c *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
	s.wg.Done()
}

// byKey groups the open sockets by the key that opened them.
func (s *sockets) byKey() map[string][]*socket {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string][]*socket{}
	for c := range s.open {
		if c.keyID != "" {
			out[c.keyID] = append(out[c.keyID], c)
		}
	}
	return out
}

// revokeEvery makes a revoked key's sockets close within a second.
const revokeEvery = 500 * time.Millisecond

// Run watches for revoked keys, whichever process revokes them, until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	tick := time.NewTicker(revokeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			s.dropRevoked(ctx)
		}
	}
}

func (s *Server) dropRevoked(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for id, open := range s.sockets.byKey() {
		if _, err := s.cfg.Keys.KeyByID(ctx, id); !errdefs.IsNotFound(err) {
			continue // valid, or not known at the moment
		}
		for _, c := range open {
			c.drop(websocket.ClosePolicyViolation, "the key was revoked")
		}
	}
}

// CloseSockets closes what is open, lets nothing more in, and waits for the
// handlers until ctx ends. http.Server.Shutdown does not know of sockets.
func (s *Server) CloseSockets(ctx context.Context) error {
	s.sockets.mu.Lock()
	s.sockets.closing = true
	for c := range s.sockets.open {
		c.drop(websocket.CloseGoingAway, "spaced is shutting down")
	}
	s.sockets.mu.Unlock()
	done := make(chan struct{})
	go func() {
		s.sockets.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
