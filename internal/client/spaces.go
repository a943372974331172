package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/docker-space/docker-space/internal/api"
)

func spacePath(name string) string { return "/api/spaces/" + url.PathEscape(name) }

// Health asks whether the daemon answers. It needs no key.
func (c *Client) Health(ctx context.Context) (api.Health, error) {
	var h api.Health
	err := c.call(ctx, readTimeout, http.MethodGet, "/api/health", nil, &h)
	return h, err
}

// System tells about the daemon's machine and engine.
func (c *Client) System(ctx context.Context) (api.System, error) {
	var s api.System
	err := c.call(ctx, readTimeout, http.MethodGet, "/api/system", nil, &s)
	return s, err
}

// Capabilities tells what the node can do and how large it is.
func (c *Client) Capabilities(ctx context.Context) (api.CapabilityReport, error) {
	var r api.CapabilityReport
	err := c.call(ctx, readTimeout, http.MethodGet, "/api/system/capabilities", nil, &r)
	return r, err
}

// List gives the spaces; all adds kept workspaces.
func (c *Client) List(ctx context.Context, all bool) ([]api.Space, error) {
	path := "/api/spaces"
	if all {
		path += "?all=true"
	}
	var l api.SpaceList
	err := c.call(ctx, readTimeout, http.MethodGet, path, nil, &l)
	return l.Spaces, err
}

// Get looks one space up, with its Detail.
func (c *Client) Get(ctx context.Context, name string) (api.Space, error) {
	var b api.SpaceBody
	err := c.call(ctx, readTimeout, http.MethodGet, spacePath(name), nil, &b)
	return b.Space, err
}

// Patch changes the limits of a space.
func (c *Client) Patch(ctx context.Context, name string, req api.PatchRequest) (api.Space, error) {
	var b api.SpaceBody
	err := c.call(ctx, changeTimeout, http.MethodPatch, spacePath(name), req, &b)
	return b.Space, err
}

// Start wakes or starts a space.
func (c *Client) Start(ctx context.Context, name string) (api.Message, error) {
	return c.lifecycle(ctx, name, "start")
}

// Stop puts a space to sleep; its memory is kept.
func (c *Client) Stop(ctx context.Context, name string) (api.Message, error) {
	return c.lifecycle(ctx, name, "stop")
}

// Restart ends everything that runs in a space and starts it again.
func (c *Client) Restart(ctx context.Context, name string) (api.Message, error) {
	return c.lifecycle(ctx, name, "restart")
}

func (c *Client) lifecycle(ctx context.Context, name, act string) (api.Message, error) {
	var m api.Message
	err := c.call(ctx, changeTimeout, http.MethodPost, spacePath(name)+"/"+act, nil, &m)
	return m, err
}

// Delete destroys a space and, only if removeVolume is set, its workspace.
func (c *Client) Delete(ctx context.Context, name string, removeVolume bool) (api.Message, error) {
	path := spacePath(name)
	if removeVolume {
		path += "?removeVolume=true"
	}
	var m api.Message
	err := c.call(ctx, changeTimeout, http.MethodDelete, path, nil, &m)
	return m, err
}

// Exec runs a command and gives its whole output. How long it may take is the
// caller's to bound: by ctx, or by the request's TimeoutMs.
func (c *Client) Exec(ctx context.Context, name string, req api.ExecRequest) (api.ExecResult, error) {
	var r api.ExecResult
	err := c.roundTrip(ctx, http.MethodPost, spacePath(name)+"/exec", req, &r)
	return r, err
}
