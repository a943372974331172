package engine

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"

	"github.com/docker-space/docker-space/internal/guest/wire"
)

// guestMount is the guest's volume in a container. It carries labels and no
// copied content, also where the engine has to make the volume again.
func (c *Client) guestMount(readOnly bool) mount.Mount {
	return mount.Mount{
		Type: mount.TypeVolume, Source: c.names.guest(), Target: wire.Dir, ReadOnly: readOnly,
		VolumeOptions: &mount.VolumeOptions{NoCopy: true, Labels: c.names.roleLabels(roleGuest)},
	}
}

// EnsureGuest makes the instance's guest volume hold the right binary, and
// removes helpers that a killed process left. The content is read and checked
// once per process, and again after the volume was removed. NotFound says that there is no binary for this engine.
func (c *Client) EnsureGuest(ctx context.Context) error {
	_, err := c.ensureGuest(ctx)
	return err
}

// ensureGuest gives the architecture that the guest is for.
func (c *Client) ensureGuest(ctx context.Context) (string, error) {
	if err := c.guest.acquire(ctx); err != nil {
		return "", err
	}
	defer c.guest.release()
	if c.guestFor != "" {
		// `docker volume prune` takes the volume when no space is left.
		if _, err := c.inspectVolume(ctx, c.names.guest()); !errdefs.IsNotFound(err) {
			return c.guestFor, err
		}
		c.guestFor = ""
	}
	if !c.swept {
		if err := c.sweep(ctx); err != nil {
			return "", err
		}
		c.swept = true
	}
	info, err := c.Info(ctx)
	if err != nil {
		return "", err
	}
	binary, err := c.guestBinary(info.Arch)
	if err != nil {
		return "", errdefs.ErrNotFound.WithMessage(fmt.Sprintf("no guest for %s: %v", info.Arch, err))
	}
	if err := c.placeGuest(ctx, binary); err != nil {
		return "", err
	}
	c.guestFor = info.Arch
	return info.Arch, nil
}

func (c *Client) guestBinary(arch string) ([]byte, error) {
	if c.binary == nil {
		return nil, fmt.Errorf("this daemon was built without one")
	}
	b, err := c.binary(arch)
	if err == nil && len(b) == 0 {
		err = fmt.Errorf("the binary is empty")
	}
	return b, err
}

func (c *Client) placeGuest(ctx context.Context, binary []byte) error {
	if err := c.ensureGuestVolume(ctx); err != nil {
		return err
	}
	return c.withHelper(ctx, c.guestMount(false), func(id string) error {
		if ok, err := c.holdsGuest(ctx, id, binary); ok || err != nil {
			return err
		}
		if err := c.putGuest(ctx, id, binary); err != nil {
			return err
		}
		ok, err := c.holdsGuest(ctx, id, binary)
		if err == nil && !ok {
			err = errdefs.ErrInternal.WithMessage("the guest in volume " + c.names.guest() + " differs from what was written: look at the engine's disk")
		}
		return err
	})
}

func (c *Client) ensureGuestVolume(ctx context.Context) error {
	r, err := call(ctx, c, "create the guest's volume", func(ctx context.Context) (client.VolumeCreateResult, error) {
		return c.api.VolumeCreate(ctx, client.VolumeCreateOptions{Name: c.names.guest(), Labels: c.names.roleLabels(roleGuest)})
	})
	if err == nil && !c.names.isRole(roleGuest, r.Volume.Labels) {
		return c.names.taken("volume", c.names.guest(), r.Volume.Labels, "remove it with `docker volume rm "+c.names.guest()+"`")
	}
	return err
}

// holdsGuest compares the binary by checksum, reading no more than its length.
func (c *Client) holdsGuest(ctx context.Context, id string, binary []byte) (bool, error) {
	f, h, err := c.openIn(ctx, id, wire.Path)
	if errdefs.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	if h.Typeflag != tar.TypeReg || h.Size != int64(len(binary)) || h.Mode&0o777 != 0o755 {
		return false, nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return false, c.explain(ctx, "read the guest back", err)
	}
	want := sha256.Sum256(binary)
	return bytes.Equal(sum.Sum(nil), want[:]), nil
}

// putGuest replaces the file: a guest that runs keeps its old one.
func (c *Client) putGuest(ctx context.Context, id string, binary []byte) error {
	content, err := tarOf(entry{tar.Header{Typeflag: tar.TypeReg, Name: "guest", Mode: 0o755}, binary})
	if err != nil {
		return fmt.Errorf("pack the guest: %w", err)
	}
	return c.putIn(ctx, id, wire.Dir, content)
}
