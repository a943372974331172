package space

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/containerd/errdefs"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/spec"
)

// Config wires a Service.
type Config struct {
	Engine   Engine
	Guest    Guest
	Journal  Journal
	Activity Activity
	Logger   *slog.Logger

	// Node and Instance are shown with every space.
	Node, Instance string
	// Defaults for spaces; the host's size is read from the engine.
	Defaults spec.Limits
	// Relist is how often the table is listed anew; 30 s when zero.
	Relist time.Duration
}

// Service is the spaces of one instance on one engine.
type Service struct {
	cfg   Config
	log   *slog.Logger
	table *table
	locks keyed
	once  idempotency
	execs inflight
	now   func() time.Time

	// synced is true while the table mirrors the engine.
	synced atomic.Bool
	// making holds the tokens of creates in flight, which recovery leaves alone.
	making inflightTokens
}

// New makes a Service; Run keeps its table.
func New(cfg Config) *Service {
	if cfg.Relist == 0 {
		cfg.Relist = 30 * time.Second
	}
	return &Service{cfg: cfg, log: cfg.Logger, table: newTable(), now: time.Now}
}

// mutationTimeout bounds one change of one space after its caller may have
// gone away. A pull has its own, longer bound.
const mutationTimeout = 2 * time.Minute

// begin detaches a mutation from its caller and takes the space's lock.
func (s *Service) begin(ctx context.Context, name string) (context.Context, func(), error) {
	unlock, err := s.locks.lock(ctx, key(name))
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), mutationTimeout)
	return ctx, func() { cancel(); unlock() }, nil
}

// find gives the container of a space that the table knows.
func (s *Service) find(name string) (Container, error) {
	if err := spec.CheckName(name); err != nil {
		return Container{}, err
	}
	e, ok := s.table.get(name)
	if !ok || e.container == nil || e.container.Spec.Name != name {
		if !s.synced.Load() {
			return Container{}, errUnsynced
		}
		return Container{}, notFound(name)
	}
	return *e.container, nil
}

var errUnsynced = fmt.Errorf("the Docker engine cannot be reached at the moment: check that it is running (docker info); spaced reconnects by itself: %w", errdefs.ErrUnavailable)

func notFound(name string) error {
	return api.Errorf(api.CodeSpaceNotFound, "no such space: %s (docker space ls shows what there is)", name)
}

// refreshes bounds how often a container is read again because its entry
// changed under the reading.
const refreshes = 5

// refresh reads one container anew into the table and gives it. What was read
// before another change of the entry may be older than that, and is read again.
func (s *Service) refresh(ctx context.Context, name, id string) (c Container, err error) {
	for range refreshes {
		mark := s.table.mark()
		c, err = s.cfg.Engine.Container(ctx, id)
		if errdefs.IsNotFound(err) {
			s.dropContainer(name, id)
			return Container{}, notFound(name)
		}
		if err != nil {
			return Container{}, err
		}
		if s.table.changeSince(mark, name, func(e *entry) { e.container = &c }) {
			break
		}
	}
	return c, nil
}

// dropContainer forgets a container that is gone, unless another took its name.
func (s *Service) dropContainer(name, id string) {
	s.cfg.Guest.Forget(id)
	s.table.change(name, func(e *entry) {
		if e.container != nil && e.container.ID == id {
			e.container = nil
		}
	})
}

// unlessGone turns a mutation's NotFound into the space's own 404.
func (s *Service) unlessGone(err error, c Container) error {
	var known *api.Error
	if errdefs.IsNotFound(err) && !errors.As(err, &known) {
		s.dropContainer(c.Spec.Name, c.ID)
		return notFound(c.Spec.Name)
	}
	return err
}
