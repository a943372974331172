package engine

import (
	"context"
	"maps"
	"slices"

	"github.com/moby/moby/client"

	"github.com/docker-space/docker-space/internal/space"
)

// Info tells about the engine and its host.
func (c *Client) Info(ctx context.Context) (space.Info, error) {
	r, err := call(ctx, c, "ask the engine about itself", func(ctx context.Context) (client.SystemInfoResult, error) {
		return c.api.Info(ctx, client.InfoOptions{})
	})
	if err != nil {
		return space.Info{}, err
	}
	i := r.Info
	return space.Info{
		Version: i.ServerVersion, APIVersion: c.api.ClientVersion(),
		OS: i.OSType, Arch: goarch(i.Architecture), CPUs: i.NCPU, Memory: i.MemTotal,
		Runtimes:   slices.Sorted(maps.Keys(i.Runtimes)),
		Containers: i.Containers, Running: i.ContainersRunning, Paused: i.ContainersPaused, Images: i.Images,
	}, nil
}

// goarch puts the kernel's name of an architecture, which the engine reports,
// into Go's words.
func goarch(machine string) string {
	known := map[string]string{
		"x86_64": "amd64", "i386": "386", "i686": "386", "aarch64": "arm64",
		"armv6l": "arm", "armv7l": "arm", "armhf": "arm",
	}
	if arch, ok := known[machine]; ok {
		return arch
	}
	return machine
}
