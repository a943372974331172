package engine

import (
	"context"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/docker-space/docker-space/internal/spec"
)

// iccOption keeps the containers of one bridge from reaching each other.
const iccOption = "com.docker.network.bridge.enable_icc"

func (c *Client) networkMode(n spec.Network) container.NetworkMode {
	if n == spec.NetworkNone {
		return network.NetworkNone
	}
	return container.NetworkMode(c.names.network())
}

// ensureNetwork makes the instance's bridge where it is absent. One at a time:
// the engine would make two of one name.
func (c *Client) ensureNetwork(ctx context.Context) error {
	if err := c.network.acquire(ctx); err != nil {
		return err
	}
	defer c.network.release()
	name := c.names.network()
	r, err := call(ctx, c, "look up network "+name, func(ctx context.Context) (client.NetworkInspectResult, error) {
		return c.api.NetworkInspect(ctx, name, client.NetworkInspectOptions{})
	})
	switch {
	case errdefs.IsNotFound(err):
		return c.createNetwork(ctx, name)
	case err != nil:
		return err
	case !c.names.isRole(roleNetwork, r.Network.Labels):
		return c.names.taken("network", name, r.Network.Labels, "remove it with `docker network rm "+name+"`")
	}
	return nil
}

func (c *Client) createNetwork(ctx context.Context, name string) error {
	_, err := call(ctx, c, "create network "+name, func(ctx context.Context) (client.NetworkCreateResult, error) {
		return c.api.NetworkCreate(ctx, name, client.NetworkCreateOptions{
			Driver: network.NetworkBridge, Options: map[string]string{iccOption: "false"},
			Labels: c.names.roleLabels(roleNetwork),
		})
	})
	return err
}
