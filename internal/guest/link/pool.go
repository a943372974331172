// Package link is the daemon's side of the channel to the guests: one
// multiplexed session for each space, and the frames of each command on it.
// What a guest answers is untrusted.
package link

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

// Dialer starts a process in a container, through the engine's exec, without a
// terminal: reads give its standard output, writes its standard input, and
// Close ends both at once, also a Read or Write in progress. A deadline or
// cancel of ctx bounds the dialling only, not the connection.
type Dialer interface {
	Dial(ctx context.Context, containerID, user string, argv []string) (io.ReadWriteCloser, error)
}

// dialTimeout bounds connecting to a guest; its dialler waits up to 10 s for a
// guest that is just starting.
const dialTimeout = 20 * time.Second

// Pool keeps one session for each container.
type Pool struct {
	dialer Dialer
	log    *slog.Logger
	ctx    context.Context
	end    context.CancelCauseFunc
	tasks  sync.WaitGroup

	mu     sync.Mutex
	closed bool
	slots  map[string]*slot
}

// New makes a pool that connects when first asked to.
func New(d Dialer, log *slog.Logger) *Pool {
	ctx, end := context.WithCancelCause(context.Background())
	return &Pool{dialer: d, log: log, ctx: ctx, end: end, slots: map[string]*slot{}}
}

// Warm connects in the background, so that the first command need not wait.
func (p *Pool) Warm(container string) {
	p.slot(container)
}

// Forget drops the channel of a container that stopped or is gone.
func (p *Pool) Forget(container string) {
	p.mu.Lock()
	s := p.slots[container]
	delete(p.slots, container)
	p.mu.Unlock()
	if s != nil {
		s.drop()
	}
}

// Close drops every channel without ending what runs in the spaces, and waits
// until nothing of the pool runs.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.end(errClosed)
	p.tasks.Wait()
}

// channel gives the container's live session, and dials one where there is
// none; callers at the same time share one dial. Nobody's ctx ends it for the
// others.
func (p *Pool) channel(ctx context.Context, container string) (*channel, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	s := p.slot(container)
	if s == nil {
		return nil, errClosed
	}
	select {
	case <-s.ready:
		return s.channel, s.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (p *Pool) slot(container string) *slot {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	if s := p.slots[container]; s != nil && s.usable() {
		return s
	}
	ctx, drop := context.WithCancelCause(p.ctx)
	s := &slot{ready: make(chan struct{}), drop: func() { drop(errForgotten) }}
	p.slots[container] = s
	p.tasks.Go(func() { p.keep(ctx, container, s) })
	return s
}

// keep dials, and owns the session until it breaks or is dropped.
func (p *Pool) keep(ctx context.Context, container string, s *slot) {
	defer s.drop()
	dial, cancel := context.WithTimeoutCause(ctx, dialTimeout, errSlow)
	s.channel, s.err = open(dial, p.dialer, container)
	cancel()
	close(s.ready)
	if s.err == nil {
		select {
		case <-s.channel.broken():
		case <-ctx.Done():
		}
		s.channel.close()
	}
	p.log.Debug("the guest's channel ended", "container", container, "error", s.err)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.slots[container] == s {
		delete(p.slots, container)
	}
}

// slot is a session being dialled, live, or broken.
type slot struct {
	ready   chan struct{} // closed when channel and err are set
	channel *channel
	err     error
	drop    func() // ends the dial or the session
}

func (s *slot) usable() bool {
	select {
	case <-s.ready:
		return s.err == nil && !s.channel.isBroken()
	default:
		return true
	}
}
