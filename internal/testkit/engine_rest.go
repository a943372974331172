package testkit

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"github.com/containerd/errdefs"

	"github.com/docker-space/docker-space/internal/space"
)

// Volumes lists all workspaces.
func (e *Engine) Volumes(ctx context.Context) ([]space.Volume, error) {
	err := e.enter(ctx, "Volumes")
	defer e.mu.Unlock()
	var out []space.Volume
	for _, name := range slices.Sorted(maps.Keys(e.volumes)) {
		out = append(out, *e.volumes[name])
	}
	return out, err
}

// Volume looks one up by its space.
func (e *Engine) Volume(ctx context.Context, name string) (space.Volume, error) {
	err := e.enter(ctx, "Volume")
	defer e.mu.Unlock()
	if err != nil {
		return space.Volume{}, err
	}
	if v := e.volumes[name]; v != nil {
		return *v, nil
	}
	return space.Volume{}, fmt.Errorf("no volume of space %s: %w", name, errdefs.ErrNotFound)
}

// CreateVolume makes one.
func (e *Engine) CreateVolume(ctx context.Context, name, token string) (space.Volume, error) {
	err := e.enter(ctx, "CreateVolume")
	defer e.mu.Unlock()
	if err != nil {
		return space.Volume{}, err
	}
	v := &space.Volume{Name: "space-" + name, Space: name, Token: token, Mountpoint: "/volumes/space-" + name, Created: time.Now()}
	e.volumes[name] = v
	return *v, nil
}

// RemoveVolume deletes one.
func (e *Engine) RemoveVolume(ctx context.Context, name string) error {
	err := e.enter(ctx, "RemoveVolume")
	defer e.mu.Unlock()
	if err == nil {
		delete(e.volumes, name)
	}
	return err
}

// VolumeSize is 4096 for every workspace.
func (e *Engine) VolumeSize(ctx context.Context, _ string) (int64, error) {
	defer e.mu.Unlock()
	return 4096, e.enter(ctx, "VolumeSize")
}

// Watch delivers events until ctx ends or Break is called.
func (e *Engine) Watch(ctx context.Context, ready func(), seen func(space.Event)) error {
	w := make(chan space.Event, 64)
	err := e.enter(ctx, "Watch")
	if err == nil {
		e.watchers[w] = true
	}
	e.mu.Unlock()
	if err != nil {
		return err
	}
	ready()
	for {
		select {
		case <-ctx.Done():
			e.mu.Lock()
			delete(e.watchers, w)
			e.mu.Unlock()
			return ctx.Err()
		case ev, ok := <-w:
			if !ok {
				return fmt.Errorf("stream broken: %w", errdefs.ErrUnavailable)
			}
			seen(ev)
		}
	}
}

// Break ends every event stream, as an engine that stops does.
func (e *Engine) Break() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for w := range e.watchers {
		close(w)
		delete(e.watchers, w)
	}
}

// Exec answers with the command's own name; the road without a guest.
func (e *Engine) Exec(ctx context.Context, _, user string, c space.Command, s space.Streams) (space.Exit, error) {
	err := e.enter(ctx, "Exec")
	e.mu.Unlock()
	if err != nil {
		return space.Exit{}, err
	}
	fmt.Fprintf(s.Stdout, "engine %s %v", user, c.Argv)
	code := 0
	return space.Exit{Code: &code}, nil
}

// Guest is a guest in memory: Run decides what a command does; nil answers 0.
// Answer decides what a request gets; nil is 404.
type Guest struct {
	Answer http.HandlerFunc
	Run    func(ctx context.Context, container, user string, c space.Command, s space.Streams) (space.Exit, error)
	// OnForget, when set, is told each channel that is dropped.
	OnForget func(container string)
}

var _ space.Guest = (*Guest)(nil)

// Exec runs a command as the space's user.
func (g *Guest) Exec(ctx context.Context, container string, c space.Command, s space.Streams) (space.Exit, error) {
	return g.ExecAs(ctx, container, "", c, s)
}

// ExecAs runs it as another user.
func (g *Guest) ExecAs(ctx context.Context, container, user string, c space.Command, s space.Streams) (space.Exit, error) {
	if g.Run != nil {
		return g.Run(ctx, container, user, c, s)
	}
	code := 0
	return space.Exit{Code: &code}, nil
}

// Do lets Answer serve the request.
func (g *Guest) Do(ctx context.Context, _ string, r *http.Request) (*http.Response, error) {
	answer := g.Answer
	if answer == nil {
		answer = http.NotFound
	}
	rec := httptest.NewRecorder()
	answer(rec, r.WithContext(ctx))
	return rec.Result(), nil
}

// Warm does nothing: there is no channel.
func (*Guest) Warm(string) {}

// Forget tells OnForget.
func (g *Guest) Forget(container string) {
	if g.OnForget != nil {
		g.OnForget(container)
	}
}
