package engine

import (
	"context"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/space"
)

// pullIn bounds a pull where the caller set no deadline: several GB on a slow
// line.
const pullIn = 30 * time.Minute

// maxStatus bounds a progress line, whose text comes from a registry.
const maxStatus = 512

// Image looks up a local image.
func (c *Client) Image(ctx context.Context, ref string) (space.Image, error) {
	r, err := call(ctx, c, "look up image "+ref, func(ctx context.Context) (client.ImageInspectResult, error) {
		return c.api.ImageInspect(ctx, ref)
	})
	if errdefs.IsNotFound(err) {
		return space.Image{}, noImage(ref, "the engine does not have it")
	}
	if err != nil {
		return space.Image{}, err
	}
	img := space.Image{ID: r.ID, Ref: ref, Arch: r.Architecture}
	if r.Config != nil {
		img.User, img.Entrypoint, img.Cmd, img.Labels = r.Config.User, r.Config.Entrypoint, r.Config.Cmd, r.Config.Labels
	}
	return img, nil
}

// Pull fetches an image, with the engine's own credentials (none).
func (c *Client) Pull(ctx context.Context, ref string, progress func(space.Pull)) error {
	_, err := callIn(ctx, c, pullIn, "pull "+ref, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, c.pull(ctx, ref, progress)
	})
	switch {
	case err == nil, ctx.Err() != nil, errdefs.IsUnavailable(err), errdefs.IsResourceExhausted(err), errdefs.IsInvalidArgument(err):
		return err
	}
	return noImage(ref, clip(reason(err), maxStatus))
}

func (c *Client) pull(ctx context.Context, ref string, progress func(space.Pull)) error {
	r, err := c.api.ImagePull(ctx, ref, client.ImagePullOptions{})
	if err != nil {
		return err
	}
	defer r.Close()
	for line, err := range r.JSONMessages(ctx) {
		if err != nil {
			return err
		}
		if line.Error != nil {
			return line.Error
		}
		if progress != nil {
			progress(pullLine(line))
		}
	}
	return nil
}

func pullLine(m jsonstream.Message) space.Pull {
	p := space.Pull{Layer: clip(m.ID, maxStatus), Status: clip(m.Status, maxStatus)}
	if m.Progress != nil {
		p.Current, p.Total = m.Progress.Current, m.Progress.Total
	}
	return p
}

func noImage(ref, why string) error {
	remedy := "docker pull " + ref
	if strings.HasPrefix(ref, "docker-space/") {
		remedy = "make image"
	}
	return codedf(errdefs.ErrNotFound, api.CodeImageNotFound, "no image %s on the engine's machine (%s): run `%s` there", ref, why, remedy)
}

// reason is the registry's own words, without what the engine and its client
// put before them.
func reason(err error) string {
	_, said, found := strings.Cut(err.Error(), "Error response from daemon: ")
	if !found {
		return err.Error()
	}
	return said
}

// clip bounds text from outside.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
