package engine

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"gotest.tools/v3/assert"

	"github.com/docker-space/docker-space/internal/space"
	"github.com/docker-space/docker-space/internal/spec"
)

// testImage has no /workspace, and would run as root.
const testImage = "debian:bookworm-slim"

// real gives a client of a real engine, as an instance of its own whose things
// are gone after the test.
func real(t *testing.T, guest func(string) ([]byte, error)) *Client {
	t.Helper()
	c := realClient(t, strings.ToLower(fmt.Sprintf("enginetest%d", time.Now().UnixNano())), guest)
	t.Cleanup(func() { wipe(t, c) })
	return c
}

func realClient(t *testing.T, instance string, guest func(string) ([]byte, error)) *Client {
	t.Helper()
	c, err := New(t.Context(), Config{Instance: instance, GuestBinary: guest})
	assert.NilError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	_, err = c.Image(t.Context(), testImage)
	if err == nil {
		return c
	}
	if os.Getenv("SPACE_REQUIRE_ENGINE") == "1" {
		t.Fatalf("SPACE_REQUIRE_ENGINE=1: %v", err)
	}
	t.Skipf("needs a Docker engine with %s: %v", testImage, err)
	return nil
}

// wipe removes everything with the instance's label.
func wipe(t *testing.T, c *Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	mine := client.Filters{}.Add("label", LabelInstance+"="+c.names.instance)
	list, err := c.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: mine})
	assert.Check(t, err)
	for _, s := range list.Items {
		_, err := c.api.ContainerRemove(ctx, s.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		assert.Check(t, err)
	}
	vols, err := c.api.VolumeList(ctx, client.VolumeListOptions{Filters: mine})
	assert.Check(t, err)
	for _, v := range vols.Items {
		_, err := c.api.VolumeRemove(ctx, v.Name, client.VolumeRemoveOptions{})
		assert.Check(t, err)
	}
	nets, err := c.api.NetworkList(ctx, client.NetworkListOptions{Filters: mine})
	assert.Check(t, err)
	for _, n := range nets.Items {
		_, err := c.api.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{})
		assert.Check(t, err)
	}
}

func testSpec(name string) spec.Space {
	return spec.Space{
		Name: name, Image: testImage, Template: "default", Memory: 64 << 20, CPUs: 0.5, PidsLimit: 64,
		TmpSize: 8 << 20, ShmSize: 4 << 20,
		Env: map[string]string{"GREETING": "hello=world"}, Labels: map[string]string{"team": "blue"},
		Network: spec.NetworkNone, Pull: spec.PullMissing,
	}
}

// create makes a space's volume and container.
func create(t *testing.T, c *Client, s spec.Space) string {
	t.Helper()
	img, err := c.Image(t.Context(), s.Image)
	assert.NilError(t, err)
	if _, err := c.Volume(t.Context(), s.Name); errdefs.IsNotFound(err) {
		_, err := c.CreateVolume(t.Context(), s.Name, "token-"+s.Name)
		assert.NilError(t, err)
	}
	id, err := c.CreateContainer(t.Context(), s, space.Creation{Image: img, Token: "token-" + s.Name})
	assert.NilError(t, err)
	return id
}

func createAndStart(t *testing.T, c *Client, s spec.Space) string {
	t.Helper()
	id := create(t, c, s)
	assert.NilError(t, c.OwnWorkspace(t.Context(), id))
	assert.NilError(t, c.Start(t.Context(), id))
	return id
}

// sh runs a line in a space and gives its standard output.
func sh(t *testing.T, c *Client, id, line string) string {
	t.Helper()
	var out, errOut strings.Builder
	exit, err := c.Exec(t.Context(), id, "", space.Command{Argv: []string{"sh", "-c", line}}, space.Streams{Stdout: &out, Stderr: &errOut})
	assert.NilError(t, err)
	assert.Assert(t, exit.Code != nil && *exit.Code == 0, "%s: exit %v: %s%s", line, exit.Code, out.String(), errOut.String())
	return strings.TrimSpace(out.String())
}

// guestSource is a stand-in for the guest: `serve` waits for a signal, `dial`
// echoes its input.
const guestSource = `package main

import (
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "dial" {
		io.Copy(os.Stdout, os.Stdin)
		return
	}
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTERM)
	<-c
}
`

var builtGuest = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "engine-guest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	src, bin := filepath.Join(dir, "main.go"), filepath.Join(dir, "guest")
	if err := os.WriteFile(src, []byte(guestSource), 0o600); err != nil {
		return nil, err
	}
	build := exec.Command("go", "build", "-o", bin, src)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the stand-in guest: %w: %s", err, out)
	}
	return os.ReadFile(bin)
})

func testGuest(string) ([]byte, error) { return builtGuest() }

func inspected(t *testing.T, c *Client, id string) container.InspectResponse {
	t.Helper()
	r, err := c.inspect(t.Context(), id)
	assert.NilError(t, err)
	return r
}

func drain(r io.ReadCloser) error {
	defer r.Close()
	_, err := io.Copy(io.Discard, r)
	return err
}

func removeImage(t *testing.T, c *Client, ref string) {
	t.Helper()
	_, err := c.api.ImageRemove(context.Background(), ref, client.ImageRemoveOptions{Force: true})
	assert.Check(t, err)
}

func helperConfig(c *Client) *container.Config {
	return &container.Config{Image: emptyImage, Entrypoint: []string{"never"}, Labels: c.names.roleLabels(roleHelper)}
}

func onNetwork(s spec.Space, n spec.Network) spec.Space {
	s.Network = n
	return s
}
