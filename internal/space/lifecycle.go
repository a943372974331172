package space

import (
	"context"
	"time"

	"github.com/containerd/errdefs"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/spec"
)

// stopGrace is what processes get to end by themselves, as with docker stop.
const stopGrace = 10 * time.Second

// Start wakes a paused space and starts a stopped one; no change when it runs.
func (s *Service) Start(ctx context.Context, name string) error {
	c, err := s.find(name)
	if err != nil {
		return err
	}
	if _, err := s.wake(ctx, c); err != nil {
		return err
	}
	s.table.touch(name, s.now())
	return nil
}

// Stop puts a space to sleep: paused, memory kept. No change when it does not
// run.
func (s *Service) Stop(ctx context.Context, name string) error {
	return s.mutate(ctx, name, func(ctx context.Context, c Container) error {
		if c.State != Running {
			return nil
		}
		return s.cfg.Engine.Pause(ctx, c.ID)
	})
}

// Restart ends all processes of a space and starts it anew.
func (s *Service) Restart(ctx context.Context, name string) error {
	return s.mutate(ctx, name, func(ctx context.Context, c Container) error {
		if c.State == Paused { // a frozen process cannot end by itself
			if err := s.cfg.Engine.Unpause(ctx, c.ID); err != nil {
				return err
			}
		}
		if c.State != Stopped {
			if err := s.cfg.Engine.Stop(ctx, c.ID, stopGrace); err != nil {
				return err
			}
		}
		s.cfg.Guest.Forget(c.ID)
		if err := s.cfg.Engine.Start(ctx, c.ID); err != nil {
			return err
		}
		s.table.touch(name, s.now())
		s.cfg.Guest.Warm(c.ID)
		return nil
	})
}

// Patch changes the limits of a space live.
func (s *Service) Patch(ctx context.Context, name string, req api.PatchRequest) (api.Space, error) {
	var memory int64
	var cpus float64
	if _, err := s.find(name); err != nil {
		return api.Space{}, err
	}
	info, err := s.cfg.Engine.Info(ctx)
	if err != nil {
		return api.Space{}, err
	}
	lim := spec.Limits{HostMemory: info.Memory, HostCPUs: info.CPUs}
	if req.Memory != "" {
		if memory, err = spec.Memory(req.Memory, lim); err != nil {
			return api.Space{}, err
		}
	}
	if req.CPUs != "" {
		if cpus, err = spec.CPUs(req.CPUs, lim); err != nil {
			return api.Space{}, err
		}
	}
	err = s.mutate(ctx, name, func(ctx context.Context, c Container) error {
		return s.cfg.Engine.Update(ctx, c.ID, memory, cpus)
	})
	if err != nil {
		return api.Space{}, err
	}
	return s.Get(ctx, name)
}

// mutate runs f on the space as the engine has it, under its lock, and reads
// the result back into the table.
func (s *Service) mutate(ctx context.Context, name string, f func(context.Context, Container) error) error {
	if _, err := s.find(name); err != nil { // before waiting for the lock
		return err
	}
	ctx, done, err := s.begin(ctx, name)
	if err != nil {
		return err
	}
	defer done()
	c, err := s.current(ctx, name)
	if err != nil {
		return err
	}
	if err := f(ctx, c); err != nil {
		return s.unlessGone(err, c)
	}
	_, err = s.refresh(ctx, name, c.ID)
	return err
}

// current reads the space's container from the engine; the lock is held.
func (s *Service) current(ctx context.Context, name string) (Container, error) {
	c, err := s.find(name)
	if err != nil {
		return c, err
	}
	return s.refresh(ctx, name, c.ID)
}

// wake makes a space run, once for all who wait for it.
func (s *Service) wake(ctx context.Context, c Container) (Container, error) {
	name := c.Spec.Name
	ctx, done, err := s.begin(ctx, name)
	if err != nil {
		return c, err
	}
	defer done()
	return s.wakeHeld(ctx, name)
}

// settled gives a space once nothing changes it any more, awake. Where the one
// before in the queue woke it, the engine is not asked again.
func (s *Service) settled(ctx context.Context, name string) (Container, error) {
	ctx, done, err := s.begin(ctx, name)
	if err != nil {
		return Container{}, err
	}
	defer done()
	if c, err := s.find(name); err != nil || c.State == Running {
		return c, err
	}
	return s.wakeHeld(ctx, name)
}

// wakeHeld wakes a space as the engine has it; the lock is held.
func (s *Service) wakeHeld(ctx context.Context, name string) (Container, error) {
	c, err := s.current(ctx, name)
	if err != nil || c.State == Running {
		return c, err
	}
	if c.State == Paused {
		err = s.cfg.Engine.Unpause(ctx, c.ID)
	} else {
		s.cfg.Guest.Forget(c.ID)
		err = s.cfg.Engine.Start(ctx, c.ID)
	}
	if err != nil {
		return c, s.unlessGone(err, c)
	}
	s.cfg.Guest.Warm(c.ID)
	return s.refresh(ctx, name, c.ID)
}

// Destroy removes a space. Its workspace is kept unless removeVolume; then
// freed is its size in bytes, or nil where that could not be measured. A kept
// workspace alone is removed by asking with removeVolume.
func (s *Service) Destroy(ctx context.Context, name string, removeVolume bool) (freed *int64, err error) {
	if err := spec.CheckName(name); err != nil {
		return nil, err
	}
	ctx, done, err := s.begin(ctx, name)
	if err != nil {
		return nil, err
	}
	defer done()
	c, err := s.current(ctx, name)
	kept := isSpaceNotFound(err) && removeVolume && s.keptWorkspace(name)
	if err != nil && !kept {
		return nil, err
	}
	if !kept {
		if err := s.cfg.Engine.Remove(ctx, c.ID); err != nil && !errdefs.IsNotFound(err) {
			return nil, err
		}
		s.dropContainer(name, c.ID)
	}
	if !removeVolume {
		return nil, nil
	}
	freed = s.measure(ctx, name)
	if err := s.cfg.Engine.RemoveVolume(ctx, name); err != nil && !errdefs.IsNotFound(err) {
		return nil, err
	}
	s.table.change(name, func(e *entry) { e.volume = nil })
	return freed, nil
}

func (s *Service) keptWorkspace(name string) bool {
	e, ok := s.table.get(name)
	return ok && e.volume != nil && e.volume.Space == name
}

// measure gives a workspace's size; a slow disk must not hold up its removal.
func (s *Service) measure(ctx context.Context, name string) *int64 {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	n, err := s.cfg.Engine.VolumeSize(ctx, name)
	if err != nil {
		s.log.DebugContext(ctx, "a workspace was not measured", "space", name, "error", err)
		return nil
	}
	return &n
}
