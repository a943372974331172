package agent

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

const (
	unlimited = 1024 // commands at once where the space has no pids limit
	maxQueue  = 1024
	maxWait   = 60 * time.Second
	// reservePids are kept free for the guest, its dialler and a rescue.
	reservePids = 48
	// young commands are about to fork: each counts for its own process and two
	// more, until the kernel's count shows what it really needs.
	young     = 250 * time.Millisecond
	youngPids = 3
	recheck   = 20 * time.Millisecond
	// rescue is when one command alone may try in a space that stays full: it
	// may be the one that mends it.
	rescue = 5 * time.Second
)

var (
	errQueueFull = errors.New("too many commands wait for a free process slot in this space: run fewer at once")
	errWaited    = errors.New("no free process slot in this space for 60 seconds: end some of its processes, or run fewer at once")
	errStopping  = errors.New("the space is stopping")
)

// gate admits commands so that the space's pids limit is never used up: first
// come, first served.
type gate struct {
	group   cgroup
	max     int
	reserve int

	mu      sync.Mutex
	running int
	recent  []*ticket
	queue   []waiter
	timer   *time.Timer
	closed  bool
}

// waiter gets its ticket in turn, or nil when the gate closes.
type waiter struct {
	turn  chan *ticket
	since time.Time
}

// ticket is the right to run one command.
type ticket struct {
	gate  *gate
	since time.Time
	left  bool
}

func newGate(group cgroup) *gate {
	g := &gate{group: group, max: unlimited}
	if group.pidsMax > 0 {
		g.max = max(1, group.pidsMax*7/8)
		g.reserve = min(reservePids, group.pidsMax/8)
	}
	return g
}

// enter waits for a ticket: in vain when ctx ends, after maxWait, or when the
// queue is full.
func (g *gate) enter(ctx context.Context) (*ticket, error) {
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return nil, errStopping
	}
	if len(g.queue) == 0 && g.room() {
		defer g.mu.Unlock()
		return g.grant(), nil
	}
	if len(g.queue) >= maxQueue {
		g.mu.Unlock()
		return nil, errQueueFull
	}
	turn := make(chan *ticket, 1)
	g.queue = append(g.queue, waiter{turn, time.Now()})
	g.watch()
	g.mu.Unlock()
	return g.await(ctx, turn)
}

func (g *gate) await(ctx context.Context, turn chan *ticket) (*ticket, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, maxWait, errWaited)
	defer cancel()
	select {
	case t := <-turn:
		if t == nil {
			return nil, errStopping
		}
		return t, nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	g.queue = slices.DeleteFunc(g.queue, func(w waiter) bool { return w.turn == turn })
	g.mu.Unlock()
	select {
	case t := <-turn: // granted just before it gave up
		if t != nil {
			t.leave()
		}
	default:
	}
	return nil, context.Cause(ctx)
}

// leave gives the ticket back.
func (t *ticket) leave() {
	t.gate.mu.Lock()
	defer t.gate.mu.Unlock()
	t.left = true
	t.gate.running--
	t.gate.advance()
}

// close turns everyone away from now on.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	for _, w := range g.queue {
		w.turn <- nil
	}
	g.queue = nil
}

func (g *gate) grant() *ticket {
	t := &ticket{gate: g, since: time.Now()}
	g.running++
	if g.group.pidsMax > 0 {
		g.recent = append(g.recent, t)
	}
	return t
}

// advance admits from the head of the queue while there is room.
func (g *gate) advance() {
	for len(g.queue) > 0 && (g.room() || g.running == 0 && time.Since(g.queue[0].since) >= rescue) {
		g.queue[0].turn <- g.grant()
		g.queue = g.queue[1:]
	}
	g.watch()
}

// watch looks again soon while someone waits: processes that are not ours come
// and go unseen.
func (g *gate) watch() {
	if len(g.queue) == 0 || g.timer != nil {
		return
	}
	g.timer = time.AfterFunc(recheck, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.timer = nil
		g.advance()
	})
}

// room tells whether one more may start.
func (g *gate) room() bool {
	if g.running >= g.max {
		return false
	}
	if g.group.pidsMax == 0 {
		return true
	}
	g.recent = slices.DeleteFunc(g.recent, func(t *ticket) bool { return t.left || time.Since(t.since) > young })
	return g.group.pids()+youngPids*(len(g.recent)+1)+g.reserve <= g.group.pidsMax
}
