package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"github.com/docker-space/docker-space/internal/space"
)

// looks is how many containers are inspected at once.
const looks = 8

// Containers lists this instance's spaces, whatever their state: one call, and
// one more for each space that changed since the last listing. Their maps are
// shared with later listings: not to be written to.
func (c *Client) Containers(ctx context.Context) ([]space.Container, error) {
	r, err := call(ctx, c, "list spaces", func(ctx context.Context) (client.ContainerListResult, error) {
		return c.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: c.spaceFilter()})
	})
	if err != nil {
		return nil, err
	}
	prints := make(map[string]string, len(r.Items))
	for _, s := range r.Items {
		if c.names.isSpace(listedName(s), s.Labels) {
			prints[s.ID] = fingerprint(s)
		}
	}
	all, generation := c.cache.fresh(prints, time.Now())
	if err := c.lookAtRest(ctx, prints, all); err != nil {
		return nil, err
	}
	c.cache.replace(all, generation)
	out := make([]space.Container, 0, len(all))
	for _, e := range all {
		out = append(out, e.container)
	}
	slices.SortFunc(out, func(a, b space.Container) int { return strings.Compare(a.Spec.Name, b.Spec.Name) })
	return out, nil
}

// lookAtRest inspects what all does not have yet. A container removed meanwhile
// is left out.
func (c *Client) lookAtRest(ctx context.Context, prints map[string]string, all map[string]cached) error {
	var mu sync.Mutex
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(looks)
	missing := make([]string, 0, len(prints))
	for id := range prints {
		if _, ok := all[id]; !ok {
			missing = append(missing, id)
		}
	}
	for _, id := range missing {
		g.Go(func() error {
			at := time.Now()
			r, err := c.inspect(gctx, id)
			if errdefs.IsNotFound(err) {
				return nil
			}
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			all[id] = cached{container: read(r), print: prints[id], at: at}
			return nil
		})
	}
	return g.Wait()
}

// fingerprint is what a listing tells of a container's changes: its state, its
// exit code, and its network endpoint, which is a new one after each start.
func fingerprint(s container.Summary) string {
	code, _, _ := strings.Cut(s.Status, ")")
	if !strings.Contains(code, "(") || s.State == container.StateRunning {
		code = ""
	}
	parts := []string{string(s.State), code}
	if s.NetworkSettings != nil {
		for _, e := range s.NetworkSettings.Networks {
			parts = append(parts, orZero(e).EndpointID)
		}
	}
	slices.Sort(parts[2:])
	return strings.Join(parts, "/")
}

// Container looks a space's container up by its id or engine name.
func (c *Client) Container(ctx context.Context, id string) (space.Container, error) {
	r, err := c.ours(ctx, id)
	if err != nil {
		return space.Container{}, err
	}
	return read(r), nil
}

// ours inspects a container; one that is not a space of this instance is not
// found.
func (c *Client) ours(ctx context.Context, id string) (container.InspectResponse, error) {
	r, err := c.inspect(ctx, id)
	if err != nil {
		return r, err
	}
	if !c.names.isSpace(strings.TrimPrefix(r.Name, "/"), orZero(r.Config).Labels) {
		return container.InspectResponse{}, errdefs.ErrNotFound.WithMessage(
			fmt.Sprintf("container %s is not a space of instance %q", id, c.names.instance))
	}
	return r, nil
}

// mustOwn stands before every act on a container.
func (c *Client) mustOwn(ctx context.Context, id string) error {
	if c.cache.known(id) {
		return nil
	}
	_, err := c.ours(ctx, id)
	return err
}

func (c *Client) inspect(ctx context.Context, id string) (container.InspectResponse, error) {
	r, err := call(ctx, c, "look up container "+short(id), func(ctx context.Context) (client.ContainerInspectResult, error) {
		return c.api.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	})
	return r.Container, err
}

func (c *Client) spaceFilter() client.Filters {
	return client.Filters{}.Add("label", LabelInstance+"="+c.names.instance, LabelName)
}

func listedName(s container.Summary) string {
	if len(s.Names) == 0 {
		return ""
	}
	return strings.TrimPrefix(s.Names[0], "/")
}

// short makes a container's id readable.
func short(id string) string {
	if len(id) == 64 {
		return id[:12]
	}
	return id
}
