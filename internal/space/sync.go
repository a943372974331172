package space

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/containerd/errdefs"
	"golang.org/x/sync/errgroup"
)

// Run keeps the table in step with the engine until ctx ends: it lists, then
// follows the events, and lists anew at every relist interval and whenever the
// stream breaks. The engine going away is not an error of Run.
func (s *Service) Run(ctx context.Context) error {
	if used, err := s.cfg.Activity.LastActivity(ctx); err == nil {
		s.table.load(used)
	} else {
		s.log.WarnContext(ctx, "last activity was not read; it starts anew", "error", err)
	}
	defer s.flush(context.WithoutCancel(ctx))
	wait := &backoff.ExponentialBackOff{
		InitialInterval: 200 * time.Millisecond, RandomizationFactor: 0.3, Multiplier: 2, MaxInterval: 5 * time.Second,
	}
	for {
		began := s.now()
		err := s.follow(ctx)
		if ctx.Err() != nil {
			return nil
		}
		s.lost(ctx, err)
		if s.now().Sub(began) > time.Minute {
			wait.Reset()
		}
		if !pause(ctx, wait.NextBackOff()) {
			return nil
		}
	}
}

// Sync fills the table once, for a start that wants its first answers right.
func (s *Service) Sync(ctx context.Context) error { return s.relist(ctx) }

// follow lists once the event stream stands, then applies events until the
// stream breaks or a listing fails.
func (s *Service) follow(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	ready := make(chan struct{}, 1)
	seen := make(chan Event, 256)
	g.Go(func() error {
		err := s.cfg.Engine.Watch(ctx, func() { ready <- struct{}{} }, func(e Event) {
			select {
			case seen <- e:
			case <-ctx.Done():
			}
		})
		return errors.Join(errStreamEnded, err)
	})
	g.Go(func() error { return s.consume(ctx, ready, seen) })
	return g.Wait()
}

var errStreamEnded = errors.New("the engine's event stream ended")

func (s *Service) consume(ctx context.Context, ready <-chan struct{}, seen <-chan Event) error {
	tick := time.NewTicker(s.cfg.Relist)
	defer tick.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ready:
			err = s.relist(ctx)
		case <-tick.C:
			s.flush(ctx)
			err = s.relist(ctx)
		case e := <-seen:
			s.apply(ctx, e)
		}
		if err != nil {
			return err
		}
	}
}

// relist makes the table what the engine holds, after undoing creates that a
// crash cut short.
func (s *Service) relist(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := s.recover(ctx); err != nil {
		return err
	}
	mark := s.table.mark()
	cs, err := s.cfg.Engine.Containers(ctx)
	if err != nil {
		return err
	}
	vs, err := s.cfg.Engine.Volumes(ctx)
	if err != nil {
		return err
	}
	s.table.replace(mark, cs, vs)
	if s.synced.CompareAndSwap(false, true) {
		s.log.InfoContext(ctx, "listed the engine's spaces", "spaces", len(cs), "workspaces", len(vs))
	}
	return nil
}

// apply brings one container's change into the table.
func (s *Service) apply(ctx context.Context, e Event) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	known, ok := s.table.get(e.Space)
	if ok && known.container != nil && known.container.ID != e.Container && e.Action == "destroy" {
		s.cfg.Guest.Forget(e.Container)
		return // an older container of this name
	}
	c, err := s.refresh(ctx, e.Space, e.Container)
	// A late event of a space that runs again must not cost it its new channel.
	if err == nil && c.State == Stopped {
		s.cfg.Guest.Forget(e.Container)
	}
	if err != nil && !isSpaceNotFound(err) && !errdefs.IsCanceled(err) {
		s.log.WarnContext(ctx, "a space's change was not read; the next listing brings it", "space", e.Space, "error", err)
	}
}

// lost notes that the engine cannot be followed at the moment.
func (s *Service) lost(ctx context.Context, err error) {
	if errdefs.IsUnavailable(err) && s.synced.CompareAndSwap(true, false) {
		s.log.WarnContext(ctx, "the engine is out of reach; reconnecting", "error", err)
		return
	}
	s.log.DebugContext(ctx, "following the engine anew", "error", err)
}

// flush keeps the last-used times that changed.
func (s *Service) flush(ctx context.Context) {
	used := s.table.takeDirty()
	if len(used) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := s.cfg.Activity.SetLastActivity(ctx, used); err != nil {
		s.log.WarnContext(ctx, "last activity was not kept", "error", err)
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
