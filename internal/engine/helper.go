package engine

import (
	"archive/tar"
	"context"
	"io"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
)

// emptyImage is what helpers are made of: an image with nothing in it, which
// we make ourselves, so that no registry is needed.
const emptyImage = "docker-space/empty:latest"

// withHelper lends a created, never started container with a volume mounted at
// its mount point, through which the engine's copy reaches the volume.
func (c *Client) withHelper(ctx context.Context, m mount.Mount, use func(id string) error) error {
	if err := c.ensureEmptyImage(ctx); err != nil {
		return err
	}
	r, err := call(ctx, c, "create a helper container", func(ctx context.Context) (client.ContainerCreateResult, error) {
		return c.api.ContainerCreate(ctx, client.ContainerCreateOptions{
			Config: &container.Config{
				Image: emptyImage, Entrypoint: []string{"never-started"}, Labels: c.names.roleLabels(roleHelper),
			},
			HostConfig: &container.HostConfig{NetworkMode: network.NetworkNone, Mounts: []mount.Mount{m}},
		})
	})
	if err != nil {
		return err
	}
	// Not under ctx: a caller that went away must not leave the helper behind.
	defer c.dropHelper(context.WithoutCancel(ctx), r.ID)
	return use(r.ID)
}

func (c *Client) dropHelper(ctx context.Context, id string) {
	_, err := call(ctx, c, "remove a helper container", func(ctx context.Context) (client.ContainerRemoveResult, error) {
		return c.api.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true})
	})
	if err != nil && !errdefs.IsNotFound(err) {
		c.log.WarnContext(ctx, "a helper container is left behind until the next start", "container", short(id), "err", err)
	}
}

// sweep removes the helpers that an earlier, killed process left.
func (c *Client) sweep(ctx context.Context) error {
	r, err := call(ctx, c, "list helper containers", func(ctx context.Context) (client.ContainerListResult, error) {
		return c.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: client.Filters{}.
			Add("label", LabelInstance+"="+c.names.instance, LabelRole+"="+roleHelper)})
	})
	if err != nil {
		return err
	}
	for _, s := range r.Items {
		c.dropHelper(ctx, s.ID)
	}
	return nil
}

func (c *Client) ensureEmptyImage(ctx context.Context) error {
	if _, err := c.Image(ctx, emptyImage); !errdefs.IsNotFound(err) {
		return err
	}
	_, err := call(ctx, c, "make image "+emptyImage, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, c.importEmpty(ctx)
	})
	return err
}

func (c *Client) importEmpty(ctx context.Context) error {
	content, err := tarOf(entry{tar.Header{Typeflag: tar.TypeDir, Name: "dev/", Mode: 0o755}, nil})
	if err != nil {
		return err
	}
	r, err := c.api.ImageImport(ctx, client.ImageImportSource{Source: content, SourceName: "-"}, emptyImage, client.ImageImportOptions{})
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(io.Discard, r)
	return err
}
