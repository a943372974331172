package space

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/containerd/errdefs"

	"github.com/docker-space/docker-space/internal/api"
)

// Lease keeps a space awake while somebody works in it.
type Lease struct {
	s         *Service
	container Container
	// name and counted are what Acquire noted; waking may give another container.
	name, counted string
	release       sync.Once
}

// Acquire resolves a space, wakes it if it sleeps, and holds it awake until
// Release.
func (s *Service) Acquire(ctx context.Context, name string) (*Lease, error) {
	c, err := s.find(name)
	if err != nil {
		return nil, err
	}
	if err := s.execs.enter(c.ID); err != nil {
		return nil, err
	}
	l := &Lease{s: s, container: c, name: name, counted: c.ID}
	// While the space changes, the table is about to be wrong: a command sent
	// into a pause would freeze with it.
	if c.State != Running || s.locks.held(key(name)) {
		if l.container, err = s.settled(ctx, name); err != nil {
			l.Release()
			return nil, err
		}
	}
	s.table.touch(name, s.now())
	return l, nil
}

// Release ends the lease; more calls than one do nothing.
func (l *Lease) Release() {
	l.release.Do(func() {
		l.s.execs.leave(l.counted)
		l.s.table.touch(l.name, l.s.now())
	})
}

// MaxExecs is how many commands of one space may be in flight, those that wait
// for room in its process budget included.
const MaxExecs = 1024

// inflight counts the commands in flight per container.
type inflight struct {
	mu sync.Mutex
	n  map[string]int
}

func (f *inflight) enter(id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.n == nil {
		f.n = map[string]int{}
	}
	if f.n[id] >= MaxExecs {
		return api.Errorf(api.CodeTooMany, "%d commands of this space are in flight, which is the limit: wait for some to end", MaxExecs)
	}
	f.n[id]++
	return nil
}

func (f *inflight) leave(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.n[id]--; f.n[id] <= 0 {
		delete(f.n, id)
	}
}

// deadline sends a kill on the control channel when the time is up. Deadlines
// live here and not in the guest, whose clock runs on while it is frozen.
type deadline struct {
	control chan Control
	// giveUp ends the command's carrying where nobody takes the kill.
	giveUp  context.CancelCauseFunc
	stop    context.CancelFunc
	done    chan struct{}
	expired bool
}

// killTaken is how long a kill may wait for a channel that takes nothing.
const killTaken = 5 * time.Second

var errStuck = fmt.Errorf("the space's channel takes no kill within %s: %w", killTaken, errdefs.ErrUnavailable)

// steer merges the caller's control with the deadline; it owns one goroutine,
// which end waits for.
func steer(ctx context.Context, giveUp context.CancelCauseFunc, in <-chan Control, limit time.Duration) *deadline {
	ctx, cancel := context.WithCancel(ctx)
	d := &deadline{control: make(chan Control), giveUp: giveUp, stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(d.done)
		d.run(ctx, in, limit)
	}()
	return d
}

func (d *deadline) run(ctx context.Context, in <-chan Control, limit time.Duration) {
	var fire <-chan time.Time
	if limit > 0 {
		t := time.NewTimer(limit)
		defer t.Stop()
		fire = t.C
	}
	for {
		var c Control
		select {
		case <-ctx.Done():
			return
		case <-fire:
			if !d.expire(ctx) {
				return
			}
			fire = nil
			continue
		case got, ok := <-in:
			if !ok {
				in = nil
				continue
			}
			c = got
		}
		select {
		case d.control <- c:
		case <-ctx.Done():
			return
		}
	}
}

// expire sends the kill; false where there is nothing more to steer.
func (d *deadline) expire(ctx context.Context) bool {
	stuck := time.NewTimer(killTaken)
	defer stuck.Stop()
	select {
	case d.control <- Control{Kill: true}:
		d.expired = true
		return true
	case <-stuck.C: // a frozen or hostile guest
		d.expired = true
		d.giveUp(errStuck)
	case <-ctx.Done(): // it ended by itself
	}
	return false
}

// end stops steering and says whether the deadline ended the command.
func (d *deadline) end() bool {
	d.stop()
	<-d.done
	return d.expired
}
