package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/volume"
	"github.com/moby/moby/client"

	"github.com/docker-space/docker-space/internal/space"
)

// measureIn bounds a measurement where the caller set no deadline: the engine
// walks the files of every volume.
const measureIn = 5 * time.Minute

// Volumes lists this instance's workspaces.
func (c *Client) Volumes(ctx context.Context) ([]space.Volume, error) {
	r, err := call(ctx, c, "list workspaces", func(ctx context.Context) (client.VolumeListResult, error) {
		return c.api.VolumeList(ctx, client.VolumeListOptions{Filters: c.spaceFilter()})
	})
	if err != nil {
		return nil, err
	}
	var out []space.Volume
	for _, v := range r.Items {
		if c.names.isSpace(v.Name, v.Labels) {
			out = append(out, readVolume(v))
		}
	}
	return out, nil
}

// Volume looks up the workspace of a space.
func (c *Client) Volume(ctx context.Context, name string) (space.Volume, error) {
	v, err := c.inspectVolume(ctx, c.names.of(name))
	if err != nil {
		return space.Volume{}, err
	}
	if err := c.checkVolume(v); err != nil {
		return space.Volume{}, err
	}
	return readVolume(v), nil
}

// CreateVolume makes the workspace of a space; Conflict where there is one.
func (c *Client) CreateVolume(ctx context.Context, name, token string) (space.Volume, error) {
	r, err := call(ctx, c, "create the workspace of space "+name, func(ctx context.Context) (client.VolumeCreateResult, error) {
		return c.api.VolumeCreate(ctx, client.VolumeCreateOptions{
			Name: c.names.of(name), Labels: c.names.spaceLabels(name, token),
		})
	})
	if err != nil {
		return space.Volume{}, err
	}
	// The engine answers with the old one where there is one of that name.
	if err := c.checkVolume(r.Volume); err != nil {
		return space.Volume{}, err
	}
	if r.Volume.Labels[LabelToken] != token {
		return space.Volume{}, errdefs.ErrConflict.WithMessage(fmt.Sprintf("the workspace of space %s exists already", name))
	}
	return readVolume(r.Volume), nil
}

// RemoveVolume deletes a workspace, only if it carries our labels.
func (c *Client) RemoveVolume(ctx context.Context, name string) error {
	if _, err := c.Volume(ctx, name); err != nil {
		return err
	}
	_, err := call(ctx, c, "delete the workspace of space "+name, func(ctx context.Context) (client.VolumeRemoveResult, error) {
		return c.api.VolumeRemove(ctx, c.names.of(name), client.VolumeRemoveOptions{})
	})
	return err
}

// VolumeSize measures a workspace in bytes. It is slow: the engine can only
// measure all volumes.
func (c *Client) VolumeSize(ctx context.Context, name string) (int64, error) {
	ctx, cancel := bounded(ctx, measureIn)
	defer cancel()
	if _, err := c.Volume(ctx, name); err != nil {
		return 0, err
	}
	r, err := c.diskUsage(ctx)
	if err != nil {
		return 0, err
	}
	for _, v := range r.Volumes.Items {
		if v.Name == c.names.of(name) && v.UsageData != nil && v.UsageData.Size >= 0 {
			return v.UsageData.Size, nil
		}
	}
	return 0, errdefs.ErrNotFound.WithMessage("the engine does not know the size of the workspace of space " + name)
}

// diskUsage waits its turn: Engine 20.10 refuses a second measurement.
func (c *Client) diskUsage(ctx context.Context) (client.DiskUsageResult, error) {
	if err := c.measure.acquire(ctx); err != nil {
		return client.DiskUsageResult{}, err
	}
	defer c.measure.release()
	for {
		r, err := call(ctx, c, "measure volumes", func(ctx context.Context) (client.DiskUsageResult, error) {
			return c.api.DiskUsage(ctx, client.DiskUsageOptions{Volumes: true, Verbose: true})
		})
		if err == nil || !strings.Contains(err.Error(), "disk usage operation is already running") {
			return r, err
		}
		if err := pause(ctx, 250*time.Millisecond); err != nil {
			return r, err
		}
	}
}

func (c *Client) inspectVolume(ctx context.Context, name string) (volume.Volume, error) {
	r, err := call(ctx, c, "look up volume "+name, func(ctx context.Context) (client.VolumeInspectResult, error) {
		return c.api.VolumeInspect(ctx, name, client.VolumeInspectOptions{})
	})
	return r.Volume, err
}

func (c *Client) checkVolume(v volume.Volume) error {
	if c.names.isSpace(v.Name, v.Labels) {
		return nil
	}
	return c.names.taken("volume", v.Name, v.Labels, "choose another name for the space")
}

func readVolume(v volume.Volume) space.Volume {
	return space.Volume{
		Name: v.Name, Space: v.Labels[LabelName], Token: v.Labels[LabelToken],
		Mountpoint: v.Mountpoint, Created: readTime(v.CreatedAt),
	}
}

// pause waits, or ends with ctx.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
