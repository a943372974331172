package space

import (
	"context"
	"sync"
	"time"

	"github.com/docker-space/docker-space/internal/api"
)

// Lease keeps a space awake while somebody works in it.
type Lease struct {
	s         *Service
	container Container
	release   sync.Once
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
	l := &Lease{s: s, container: c}
	if c.State != Running {
		if l.container, err = s.wake(ctx, c); err != nil {
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
		l.s.execs.leave(l.container.ID)
		l.s.table.touch(l.container.Spec.Name, l.s.now())
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
	stop    context.CancelFunc
	done    chan struct{}
	expired bool
}

// steer merges the caller's control with the deadline; it owns one goroutine,
// which end waits for.
func steer(ctx context.Context, in <-chan Control, limit time.Duration) *deadline {
	ctx, cancel := context.WithCancel(ctx)
	d := &deadline{control: make(chan Control), stop: cancel, done: make(chan struct{})}
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
			c, fire, d.expired = Control{Kill: true}, nil, true
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

// end stops steering and says whether the deadline ended the command.
func (d *deadline) end() bool {
	d.stop()
	<-d.done
	return d.expired
}
