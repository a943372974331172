package engine

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	"golang.org/x/sync/semaphore"
)

// A container that is frozen while the engine starts a command in it wedges:
// the starting never ends, and what follows, unpause and removal included,
// waits behind it for ever. So pausing and starting keep apart.

// startsIn bounds how long a pause waits for commands that are being started.
const startsIn = 10 * time.Second

// Pause freezes a container; Conflict where it is frozen or does not run.
func (c *Client) Pause(ctx context.Context, id string) error {
	release, err := c.starts.none(ctx, id)
	if err != nil {
		return err
	}
	defer release()
	return c.act(ctx, id, "pause", answerIn, func(ctx context.Context) error {
		if err := c.awaitStarts(ctx, id); err != nil {
			return err
		}
		_, err := c.api.ContainerPause(ctx, id, client.ContainerPauseOptions{})
		return conflict(err)
	})
}

// awaitStarts waits until every command in the container has its process; the
// engine accepts a start before that.
func (c *Client) awaitStarts(ctx context.Context, id string) error {
	inner, cancel := context.WithTimeout(ctx, startsIn)
	defer cancel()
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		starting, accepted := c.starting(inner, id)
		if !starting {
			return nil
		}
		if pause(inner, wait) == nil {
			continue
		}
		if accepted {
			return errdefs.ErrConflict.WithMessage(fmt.Sprintf(
				"container %s was not paused, because a command in it has been starting for %s: try again", short(id), startsIn))
		}
		return ctx.Err() // only prepared, by somebody who never starts it
	}
}

// starting tells whether a command has no process yet, and whether the engine
// was told to start it. Commands that ended are not listed.
func (c *Client) starting(ctx context.Context, id string) (starting, accepted bool) {
	r, err := c.inspect(ctx, id)
	if err != nil {
		return false, false // the pause itself will say so
	}
	for _, exec := range r.ExecIDs {
		e, err := c.api.ExecInspect(ctx, exec, client.ExecInspectOptions{})
		if err == nil && e.PID == 0 {
			starting, accepted = true, accepted || e.Running
		}
	}
	return starting, accepted
}

// starts counts, per container, the commands whose start was not accepted yet.
type starts struct {
	mu   sync.Mutex
	byID map[string]*startGate
}

type startGate struct {
	room *semaphore.Weighted
	refs int
}

const everyStart = 1 << 40

// one lets a command start; it waits while the container is being paused.
func (s *starts) one(ctx context.Context, id string) (release func(), err error) {
	return s.acquire(ctx, id, 1)
}

// none waits until no command starts, and holds up others until release.
func (s *starts) none(ctx context.Context, id string) (release func(), err error) {
	return s.acquire(ctx, id, everyStart)
}

func (s *starts) acquire(ctx context.Context, id string, n int64) (func(), error) {
	g := s.gate(id)
	if err := g.room.Acquire(ctx, n); err != nil {
		s.drop(id, g)
		return nil, err
	}
	return func() { g.room.Release(n); s.drop(id, g) }, nil
}

func (s *starts) gate(id string) *startGate {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID == nil {
		s.byID = map[string]*startGate{}
	}
	g := s.byID[id]
	if g == nil {
		g = &startGate{room: semaphore.NewWeighted(everyStart)}
		s.byID[id] = g
	}
	g.refs++
	return g
}

func (s *starts) drop(id string, g *startGate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g.refs--; g.refs == 0 {
		delete(s.byID, id)
	}
}
