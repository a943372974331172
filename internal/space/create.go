package space

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/spec"
)

// CreateOptions are the parts of a create that are not the space's own.
type CreateOptions struct {
	// IdempotencyKey makes a repeated create answer with the first one's result.
	IdempotencyKey string
	// Progress, when set, is told each step and the lines of a pull, from one
	// goroutine.
	Progress func(api.Progress)
}

// pullTimeout bounds the pull of one image.
const pullTimeout = 30 * time.Minute

// Create makes a space and starts it. It is transactional: when a step fails,
// or the daemon dies in the middle, nothing of it is left. A kept workspace of
// the same name is taken over, files and all.
func (s *Service) Create(ctx context.Context, req api.CreateRequest, opt CreateOptions) (api.Space, error) {
	if opt.Progress == nil {
		opt.Progress = func(api.Progress) {}
	}
	return s.once.do(ctx, opt.IdempotencyKey, req, func() (api.Space, error) { return s.create(ctx, req, opt) })
}

func (s *Service) create(ctx context.Context, req api.CreateRequest, opt CreateOptions) (api.Space, error) {
	info, err := s.cfg.Engine.Info(ctx)
	if err != nil {
		return api.Space{}, err
	}
	sp, err := s.specify(req, info)
	if err != nil {
		return api.Space{}, err
	}
	if err := s.vacant(sp.Name); err != nil {
		return api.Space{}, err
	}
	// The pull is before the lock: it can take minutes, and is no change of a space.
	img, err := s.image(ctx, sp, opt.Progress)
	if err != nil {
		return api.Space{}, err
	}
	ctx, done, err := s.begin(ctx, sp.Name)
	if err != nil {
		return api.Space{}, err
	}
	defer done()
	if err := s.vacant(sp.Name); err != nil {
		return api.Space{}, err
	}
	if err := s.clear(ctx, sp.Name); err != nil {
		return api.Space{}, err
	}
	opt.Progress(api.Progress{Status: "creating " + sp.Name})
	c, err := s.assemble(ctx, sp, img)
	if err != nil {
		return api.Space{}, err
	}
	s.table.touch(sp.Name, s.now())
	s.cfg.Guest.Warm(c.ID)
	e, _ := s.table.get(sp.Name)
	return s.view(e), nil
}

func (s *Service) specify(req api.CreateRequest, info Info) (spec.Space, error) {
	lim := s.cfg.Defaults
	lim.HostMemory, lim.HostCPUs = info.Memory, info.CPUs
	sp, err := spec.FromCreate(req, lim)
	if err != nil {
		return sp, err
	}
	if sp.Runtime != "" && !slices.Contains(info.Runtimes, sp.Runtime) {
		return sp, api.Invalid("runtime", "unknown runtime %q: the engine has %s", sp.Runtime, strings.Join(info.Runtimes, ", "))
	}
	return sp, nil
}

// vacant refuses a name that a space has, or that differs from one only in
// case: people, host names and some file systems cannot tell those apart.
func (s *Service) vacant(name string) error {
	e, ok := s.table.get(name)
	if !ok {
		return nil
	}
	have := s.view(e).Name
	if have != name {
		return api.Invalid("name", "the space name %q differs only in case from %q, which exists: choose another (%s)", name, have, spec.NameRule)
	}
	if e.container != nil {
		return api.Errorf(api.CodeSpaceExists, "a space called %s exists already: use it, choose another name, or remove it with: docker space rm %s", name, name)
	}
	return nil
}

// image makes sure of the image as the pull policy says.
func (s *Service) image(ctx context.Context, sp spec.Space, progress func(api.Progress)) (Image, error) {
	img, err := s.cfg.Engine.Image(ctx, sp.Image)
	missing := errdefs.IsNotFound(err)
	if err != nil && !missing {
		return Image{}, err
	}
	if sp.Pull == spec.PullNever && missing {
		return Image{}, api.Errorf(api.CodeImageNotFound, "no image %s on this machine, and pulling was not allowed: run docker pull %s, or create with --pull missing", sp.Image, sp.Image)
	}
	if missing || sp.Pull == spec.PullAlways {
		return s.pull(ctx, sp.Image, progress)
	}
	return img, nil
}

func (s *Service) pull(ctx context.Context, ref string, progress func(api.Progress)) (Image, error) {
	ctx, cancel := context.WithTimeout(ctx, pullTimeout)
	defer cancel()
	progress(api.Progress{Status: "pulling " + ref})
	err := s.cfg.Engine.Pull(ctx, ref, func(p Pull) {
		progress(api.Progress{Status: p.Status, ID: p.Layer, Current: p.Current, Total: p.Total})
	})
	if err != nil {
		return Image{}, err
	}
	return s.cfg.Engine.Image(ctx, ref)
}

// assemble makes volume and container and starts it, with the journal around
// it, and undoes all on failure.
func (s *Service) assemble(ctx context.Context, sp spec.Space, img Image) (c Container, err error) {
	p := PendingCreate{Token: rand.Text(), Space: sp.Name}
	s.making.add(p.Token)
	defer s.making.remove(p.Token)
	if err := s.cfg.Journal.BeginCreate(ctx, p); err != nil {
		return c, fmt.Errorf("the create was not begun, because it cannot be noted: %w", err)
	}
	vol, id, err := s.build(ctx, sp, Creation{Image: img, Token: p.Token})
	if err == nil {
		c, err = s.cfg.Engine.Container(ctx, id)
	}
	if err != nil {
		return c, s.abandon(p, err)
	}
	if err := s.cfg.Journal.EndCreate(ctx, p.Token); err != nil {
		return c, s.abandon(p, err)
	}
	s.table.change(sp.Name, func(e *entry) { e.container, e.volume = &c, &vol })
	return c, nil
}

// build is the steps of a create on the engine.
func (s *Service) build(ctx context.Context, sp spec.Space, with Creation) (vol Volume, id string, err error) {
	vol, err = s.cfg.Engine.Volume(ctx, sp.Name)
	fresh := errdefs.IsNotFound(err)
	if fresh {
		vol, err = s.cfg.Engine.CreateVolume(ctx, sp.Name, with.Token)
	}
	if err != nil {
		return vol, "", err
	}
	if id, err = s.cfg.Engine.CreateContainer(ctx, sp, with); err != nil {
		return vol, "", err
	}
	if fresh {
		if err = s.cfg.Engine.OwnWorkspace(ctx, id); err != nil {
			return vol, id, err
		}
	}
	return vol, id, s.cfg.Engine.Start(ctx, id)
}

// abandon undoes a failed create, with time of its own, and gives its cause.
func (s *Service) abandon(p PendingCreate, cause error) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.undo(ctx, p); err != nil {
		s.log.WarnContext(ctx, "a failed create was not undone yet; the next listing tries again", "space", p.Space, "error", err)
	}
	if errdefs.IsConflict(cause) {
		var known *api.Error
		if !errors.As(cause, &known) {
			known = api.Errorf(api.CodeConflict, "%v", cause)
		}
		return known
	}
	return cause
}
