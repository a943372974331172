package engine

import (
	"context"
	"math"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// Start starts a container; one that runs already is no error. The instance's
// network is made again where somebody removed it.
func (c *Client) Start(ctx context.Context, id string) error {
	err := c.start(ctx, id)
	if err == nil || !strings.Contains(err.Error(), "network "+c.names.network()+" not found") {
		return err
	}
	if err := c.ensureNetwork(ctx); err != nil {
		return err
	}
	return c.start(ctx, id)
}

func (c *Client) start(ctx context.Context, id string) error {
	return c.act(ctx, id, "start", answerIn, func(ctx context.Context) error {
		_, err := c.api.ContainerStart(ctx, id, client.ContainerStartOptions{})
		return err
	})
}

// Stop asks the main process to end and kills it after grace, rounded up to
// seconds. A container that does not run is no error.
func (c *Client) Stop(ctx context.Context, id string, grace time.Duration) error {
	seconds := max(0, int(math.Ceil(grace.Seconds())))
	return c.act(ctx, id, "stop", answerIn+grace, func(ctx context.Context) error {
		_, err := c.api.ContainerStop(ctx, id, client.ContainerStopOptions{Timeout: &seconds})
		return err
	})
}

// Unpause thaws a container; Conflict where it is not frozen.
func (c *Client) Unpause(ctx context.Context, id string) error {
	return c.act(ctx, id, "unpause", answerIn, func(ctx context.Context) error {
		_, err := c.api.ContainerUnpause(ctx, id, client.ContainerUnpauseOptions{})
		return conflict(err)
	})
}

// Remove kills and removes a container with the anonymous volumes that its
// image asked for. Named volumes, so workspaces, stay.
func (c *Client) Remove(ctx context.Context, id string) error {
	return c.act(ctx, id, "remove", answerIn, func(ctx context.Context) error {
		_, err := c.api.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		return err
	})
}

// Update changes limits live; a zero value stays as it is.
func (c *Client) Update(ctx context.Context, id string, memory int64, cpus float64) error {
	return c.act(ctx, id, "change the limits of", answerIn, func(ctx context.Context) error {
		_, err := c.api.ContainerUpdate(ctx, id, client.ContainerUpdateOptions{Resources: &container.Resources{
			Memory: memory, MemorySwap: memory, NanoCPUs: nanoCPUs(cpus),
		}})
		return err
	})
}

// act does one thing to a container of ours.
func (c *Client) act(ctx context.Context, id, verb string, in time.Duration, do func(context.Context) error) error {
	if err := c.mustOwn(ctx, id); err != nil {
		return err
	}
	_, err := callIn(ctx, c, in, verb+" container "+short(id), func(ctx context.Context) (struct{}, error) {
		return struct{}{}, do(ctx)
	})
	c.cache.stale(id)
	return err
}

// conflict gives its kind to "is not running" and the like, which engines
// before 23 answer with a plain 500.
func conflict(err error) error {
	if err == nil || errdefs.IsConflict(err) {
		return err
	}
	for _, s := range []string{"is already paused", "is not paused", "is not running"} {
		if strings.Contains(err.Error(), s) {
			return errdefs.ErrConflict.WithMessage(err.Error())
		}
	}
	return err
}
