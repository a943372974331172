// Package testkit holds what tests of several packages share: a fake engine
// and guest in memory, and an in-process daemon on the real one.
package testkit

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/containerd/errdefs"

	"github.com/docker-space/docker-space/internal/space"
	"github.com/docker-space/docker-space/internal/spec"
)

// Engine is a container engine in memory, for the rules' unit tests. The real
// engine has tests of its own; this one adds what that cannot: faults on
// demand and the record of every call.
type Engine struct {
	mu         sync.Mutex
	containers map[string]*space.Container
	volumes    map[string]*space.Volume
	images     map[string]space.Image
	calls      []string
	fail       map[string]error
	next       int
	watchers   map[chan space.Event]bool
	// Before, when set, is called before each mutating call, without the lock.
	Before func(call string)
}

var _ space.Engine = (*Engine)(nil)

// Image that the fake engine has.
const Image = "docker-space/base:slim"

// NewEngine gives an engine that holds Image and nothing else.
func NewEngine() *Engine {
	return &Engine{
		containers: map[string]*space.Container{}, volumes: map[string]*space.Volume{},
		images: map[string]space.Image{Image: {ID: "sha256:1", Ref: Image, Arch: "amd64", User: "1001:1001"}},
		fail:   map[string]error{}, watchers: map[chan space.Event]bool{},
	}
}

// Fail makes the named method answer err from now on; nil mends it.
func (e *Engine) Fail(method string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fail[method] = err
}

// Calls gives how often a method was called.
func (e *Engine) Calls(method string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, c := range e.calls {
		if c == method {
			n++
		}
	}
	return n
}

// Leftovers counts containers and volumes.
func (e *Engine) Leftovers() (containers, volumes int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.containers), len(e.volumes)
}

// enter records a call and gives its planned fault; the lock is held after it.
func (e *Engine) enter(ctx context.Context, method string) error {
	if e.Before != nil {
		e.Before(method)
	}
	e.mu.Lock()
	e.calls = append(e.calls, method)
	if err := e.fail[method]; err != nil {
		return err
	}
	return ctx.Err()
}

func (e *Engine) emit(action string, c *space.Container) {
	for w := range e.watchers {
		select {
		case w <- space.Event{Action: action, Container: c.ID, Space: c.Spec.Name}:
		default:
		}
	}
}

// Info describes a host of 4 cores and 8 GiB.
func (e *Engine) Info(ctx context.Context) (space.Info, error) {
	err := e.enter(ctx, "Info")
	defer e.mu.Unlock()
	return space.Info{Version: "20.10", APIVersion: "1.41", OS: "linux", Arch: "amd64", CPUs: 4, Memory: 8 << 30, Runtimes: []string{"runc"}}, err
}

// Image looks in the images that were pulled.
func (e *Engine) Image(ctx context.Context, ref string) (space.Image, error) {
	err := e.enter(ctx, "Image")
	defer e.mu.Unlock()
	img, ok := e.images[ref]
	if err == nil && !ok {
		err = fmt.Errorf("no image %s: %w", ref, errdefs.ErrNotFound)
	}
	return img, err
}

// Pull makes an image be there.
func (e *Engine) Pull(ctx context.Context, ref string, progress func(space.Pull)) error {
	err := e.enter(ctx, "Pull")
	defer e.mu.Unlock()
	if err == nil {
		progress(space.Pull{Layer: "abc", Status: "Downloading", Current: 1, Total: 2})
		e.images[ref] = space.Image{ID: "sha256:2", Ref: ref, Arch: "amd64"}
	}
	return err
}

// Containers lists all.
func (e *Engine) Containers(ctx context.Context) ([]space.Container, error) {
	err := e.enter(ctx, "Containers")
	defer e.mu.Unlock()
	var out []space.Container
	for _, id := range slices.Sorted(maps.Keys(e.containers)) {
		out = append(out, *e.containers[id])
	}
	return out, err
}

// Container looks one up.
func (e *Engine) Container(ctx context.Context, id string) (space.Container, error) {
	err := e.enter(ctx, "Container")
	defer e.mu.Unlock()
	if err != nil {
		return space.Container{}, err
	}
	c, err := e.find(id)
	if err != nil {
		return space.Container{}, err
	}
	return *c, nil
}

func (e *Engine) find(id string) (*space.Container, error) {
	c := e.containers[id]
	if c == nil {
		return nil, fmt.Errorf("no such container %s: %w", id, errdefs.ErrNotFound)
	}
	return c, nil
}

// CreateContainer makes one, refusing a taken name as an engine does.
func (e *Engine) CreateContainer(ctx context.Context, s spec.Space, with space.Creation) (string, error) {
	err := e.enter(ctx, "CreateContainer")
	defer e.mu.Unlock()
	if err != nil {
		return "", err
	}
	for _, c := range e.containers {
		if c.Spec.Name == s.Name {
			return "", fmt.Errorf("the name %s is taken: %w", s.Name, errdefs.ErrConflict)
		}
	}
	e.next++
	id := fmt.Sprintf("%012x%052d", e.next, 0)
	e.containers[id] = &space.Container{
		ID: id, ImageID: with.Image.ID, Spec: s, Token: with.Token, State: space.Stopped, Created: time.Now(), RunsAs: "1001:1001",
	}
	return id, nil
}

// OwnWorkspace only records the call.
func (e *Engine) OwnWorkspace(ctx context.Context, _ string) error {
	defer e.mu.Unlock()
	return e.enter(ctx, "OwnWorkspace")
}

// to changes a container's state the way that method does.
func (e *Engine) to(ctx context.Context, method, action, id string, from []space.State, state space.State) error {
	err := e.enter(ctx, method)
	defer e.mu.Unlock()
	if err != nil {
		return err
	}
	c, err := e.find(id)
	if err != nil {
		return err
	}
	if !slices.Contains(from, c.State) {
		return fmt.Errorf("cannot %s a container that is %s: %w", action, c.State, errdefs.ErrConflict)
	}
	if action == "start" {
		c.Started = time.Now()
	}
	c.State = state
	e.emit(action, c)
	return nil
}

// Start runs a stopped container.
func (e *Engine) Start(ctx context.Context, id string) error {
	return e.to(ctx, "Start", "start", id, []space.State{space.Stopped}, space.Running)
}

// Stop stops a running one.
func (e *Engine) Stop(ctx context.Context, id string, _ time.Duration) error {
	return e.to(ctx, "Stop", "die", id, []space.State{space.Running, space.Stopped}, space.Stopped)
}

// Pause freezes a running one.
func (e *Engine) Pause(ctx context.Context, id string) error {
	return e.to(ctx, "Pause", "pause", id, []space.State{space.Running}, space.Paused)
}

// Unpause thaws it.
func (e *Engine) Unpause(ctx context.Context, id string) error {
	return e.to(ctx, "Unpause", "unpause", id, []space.State{space.Paused}, space.Running)
}

// Remove takes a container away.
func (e *Engine) Remove(ctx context.Context, id string) error {
	err := e.enter(ctx, "Remove")
	defer e.mu.Unlock()
	if err != nil {
		return err
	}
	c, err := e.find(id)
	if err != nil {
		return err
	}
	delete(e.containers, id)
	e.emit("destroy", c)
	return nil
}

// Update changes limits.
func (e *Engine) Update(ctx context.Context, id string, memory int64, cpus float64) error {
	err := e.enter(ctx, "Update")
	defer e.mu.Unlock()
	if err != nil {
		return err
	}
	c, err := e.find(id)
	if err != nil {
		return err
	}
	if memory != 0 {
		c.Spec.Memory = memory
	}
	if cpus != 0 {
		c.Spec.CPUs = cpus
	}
	return nil
}
