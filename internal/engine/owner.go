package engine

import (
	"archive/tar"
	"context"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"

	"github.com/docker-space/docker-space/internal/spec"
)

// OwnWorkspace makes the fresh workspace of a never started container belong to
// the user that its commands run as: the folder itself, and the working
// directory where that is in it, because the engine makes a missing one as root.
// It never touches a file.
func (c *Client) OwnWorkspace(ctx context.Context, id string) error {
	r, err := c.ours(ctx, id)
	if err != nil {
		return err
	}
	if s := orZero(r.State).Status; s != container.StateCreated {
		return errdefs.ErrConflict.WithMessage(fmt.Sprintf("container %s has run (it is %s): its workspace's owner stays as it is", short(id), s))
	}
	cfg := orZero(r.Config)
	who, err := c.resolve(ctx, id, cfg.User)
	if err != nil {
		return err
	}
	dirs := workspaceDirs(cfg.WorkingDir)
	// The engine gives an empty volume the owner of the image's folder.
	if cfg.Labels[LabelOwner] == who.String() && len(dirs) == 1 {
		return nil
	}
	if !orZero(r.HostConfig).ReadonlyRootfs {
		return c.chown(ctx, id, dirs, who)
	}
	// The engine does not write to a container with a read-only root.
	m := mount.Mount{
		Type: mount.TypeVolume, Source: c.names.of(cfg.Labels[LabelName]), Target: spec.Workspace,
		VolumeOptions: &mount.VolumeOptions{NoCopy: true},
	}
	return c.withHelper(ctx, m, func(helper string) error { return c.chown(ctx, helper, dirs, who) })
}

// workspaceDirs lists the workspace and the folders from there to workdir.
func workspaceDirs(workdir string) []string {
	dirs := []string{spec.Workspace}
	below, inside := strings.CutPrefix(path.Clean(workdir), spec.Workspace+"/")
	if !inside {
		return dirs
	}
	for _, part := range strings.Split(below, "/") {
		dirs = append(dirs, path.Join(dirs[len(dirs)-1], part))
	}
	return dirs
}

// chown unpacks a tar of folders alone, which sets their owner.
func (c *Client) chown(ctx context.Context, id string, dirs []string, who ids) error {
	var entries []entry
	for _, d := range dirs {
		entries = append(entries, entry{tar.Header{
			Typeflag: tar.TypeDir, Name: strings.TrimPrefix(d, "/") + "/", Mode: 0o755,
			Uid: who.uid, Gid: who.gid, ModTime: time.Now(),
		}, nil})
	}
	content, err := tarOf(entries...)
	if err != nil {
		return fmt.Errorf("pack the owner of the workspace: %w", err)
	}
	return c.putIn(ctx, id, "/", content)
}
