package engine

import (
	"context"
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"

	"github.com/docker-space/docker-space/internal/guest/wire"
	"github.com/docker-space/docker-space/internal/space"
	"github.com/docker-space/docker-space/internal/spec"
)

// runSize bounds the tmpfs on /run, which holds sockets and pid files.
const runSize = 16 << 20

// sleeper keeps a space without a guest alive, and ends at once when asked.
const sleeper = `trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done`

// CreateContainer makes the hardened container of s, with its workspace volume
// mounted, and does not start it.
func (c *Client) CreateContainer(ctx context.Context, s spec.Space, with space.Creation) (string, error) {
	if s.Network != spec.NetworkNone {
		if err := c.ensureNetwork(ctx); err != nil {
			return "", err
		}
	}
	noGuest, err := c.guestFits(ctx, with.Image)
	if err != nil {
		return "", err
	}
	labels, err := c.names.containerLabels(s, with, noGuest)
	if err != nil {
		return "", err
	}
	name := c.names.of(s.Name)
	r, err := call(ctx, c, "create the container of space "+s.Name, func(ctx context.Context) (client.ContainerCreateResult, error) {
		return c.api.ContainerCreate(ctx, client.ContainerCreateOptions{
			Name:       name,
			Config:     config(s, with.Image, labels, noGuest == ""),
			HostConfig: c.hostConfig(s, with.Token, noGuest == ""),
		})
	})
	if errdefs.IsConflict(err) {
		return "", c.nameClash(ctx, name, err)
	}
	for _, w := range r.Warnings {
		c.log.DebugContext(ctx, "engine warning at create", "space", s.Name, "warning", w)
	}
	return r.ID, err
}

// guestFits says why a space of this image cannot have a guest, or "". Where it
// can, the guest is in place afterwards.
func (c *Client) guestFits(ctx context.Context, img space.Image) (string, error) {
	arch, err := c.ensureGuest(ctx)
	switch {
	case errdefs.IsNotFound(err):
		return err.Error(), nil
	case err != nil:
		return "", err
	case img.Arch != "" && img.Arch != arch:
		return fmt.Sprintf("the image is for %s, the guest for %s", img.Arch, arch), nil
	}
	return "", nil
}

// nameClash says whose the container is that has the wanted name.
func (c *Client) nameClash(ctx context.Context, name string, cause error) error {
	r, err := c.inspect(ctx, name)
	if err != nil {
		return cause
	}
	labels := orZero(r.Config).Labels
	if c.names.isSpace(name, labels) {
		return errdefs.ErrConflict.WithMessage(fmt.Sprintf("the container of space %s exists already", labels[LabelName]))
	}
	return c.names.taken("container", name, labels, fmt.Sprintf("choose another name, or `docker rename %s …`", name))
}

func config(s spec.Space, img space.Image, labels map[string]string, guest bool) *container.Config {
	env := map[string]string{"HOME": spec.Workspace}
	maps.Copy(env, s.Env)
	cfg := &container.Config{
		Image: s.Image, Hostname: s.Name, User: runsAs(s.User, img.User), Env: envList(env),
		WorkingDir: spec.Workspace, Labels: labels,
		Entrypoint:  []string{wire.Path, "serve"},
		Healthcheck: &container.HealthConfig{Test: []string{"NONE"}},
		StopSignal:  "SIGTERM",
	}
	if s.Workdir != "" {
		cfg.WorkingDir = s.Workdir
	}
	if !guest {
		cfg.Entrypoint = []string{"/bin/sh", "-c", sleeper}
	}
	return cfg
}

func (c *Client) hostConfig(s spec.Space, token string, guest bool) *container.HostConfig {
	yes := true
	mounts := []mount.Mount{{
		Type: mount.TypeVolume, Source: c.names.of(s.Name), Target: spec.Workspace,
		VolumeOptions: &mount.VolumeOptions{Labels: c.names.spaceLabels(s.Name, token)},
	}}
	if guest {
		mounts = append(mounts, c.guestMount(true))
	}
	return &container.HostConfig{
		CapDrop: []string{"ALL"}, SecurityOpt: []string{"no-new-privileges"},
		ReadonlyRootfs: s.ReadOnly, Init: &yes, Runtime: s.Runtime, ShmSize: s.ShmSize,
		NetworkMode: c.networkMode(s.Network), Mounts: mounts, Tmpfs: tmpfs(s),
		RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyDisabled},
		LogConfig:     container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "10m", "max-file": "2"}},
		Resources: container.Resources{
			Memory: s.Memory, MemorySwap: s.Memory, NanoCPUs: nanoCPUs(s.CPUs), PidsLimit: &s.PidsLimit,
		},
	}
}

func tmpfs(s spec.Space) map[string]string {
	size := s.TmpSize
	if size == 0 {
		size = s.Memory / 4
	}
	return map[string]string{
		"/tmp": fmt.Sprintf("rw,exec,nosuid,nodev,mode=1777,size=%d", size),
		"/run": fmt.Sprintf("rw,noexec,nosuid,nodev,mode=755,size=%d", runSize),
	}
}

func nanoCPUs(cpus float64) int64 { return int64(math.Round(cpus * 1e9)) }

// runsAs picks the user of a space's commands: the one asked for, else the
// image's own unless that is root, else spec.FallbackUser.
func runsAs(asked, image string) string {
	switch {
	case asked != "":
		return asked
	case isRoot(image):
		return spec.FallbackUser
	}
	return image
}

func isRoot(user string) bool {
	name, _, _ := strings.Cut(user, ":")
	if name == "" || name == "root" {
		return true
	}
	uid, err := strconv.Atoi(name)
	return err == nil && uid == 0
}
