package engine

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"gotest.tools/v3/assert"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/space"
)

func TestEngineAwayIsUnavailable(t *testing.T) {
	host := "unix://" + filepath.Join(t.TempDir(), "none.sock")
	c, err := New(t.Context(), Config{Host: host})
	assert.NilError(t, err, "an engine that is away is no reason not to begin")
	for what, do := range map[string]func() error{
		"info":  func() error { _, err := c.Info(t.Context()); return err },
		"list":  func() error { _, err := c.Containers(t.Context()); return err },
		"pull":  func() error { return c.Pull(t.Context(), "debian", nil) },
		"start": func() error { return c.Start(t.Context(), "x") },
		"watch": func() error { return c.Watch(t.Context(), func() { t.Error("not ready") }, func(space.Event) {}) },
		"attach": func() error {
			return c.explain(t.Context(), "dial", &net.OpError{Op: "dial", Err: errors.New("refused")})
		},
	} {
		err := do()
		assert.Assert(t, errdefs.IsUnavailable(err), "%s: %v", what, err)
		assert.ErrorContains(t, err, "cannot reach the Docker engine at "+host)
		assert.ErrorContains(t, err, "is it running?")
	}
}

func TestSilentEngineIsUnavailable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "silent.sock")
	l, err := net.Listen("unix", path)
	assert.NilError(t, err)
	defer l.Close()
	c, err := New(t.Context(), Config{Host: "unix://" + path})
	assert.NilError(t, err)
	_, err = callIn(t.Context(), c, 50*time.Millisecond, "ask", func(ctx context.Context) (struct{}, error) {
		<-ctx.Done()
		return struct{}{}, ctx.Err()
	})
	assert.Assert(t, errdefs.IsUnavailable(err), "%v", err)
	assert.ErrorContains(t, err, "did not answer in time")
}

func TestExplain(t *testing.T) {
	c, err := New(t.Context(), Config{Host: "unix:///nowhere.sock"})
	assert.NilError(t, err)
	for _, tc := range []struct {
		text string
		kind func(error) bool
		code api.Code
	}{
		{"could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network", errdefs.IsResourceExhausted, api.CodeNetworkExhausted},
		{"all predefined address pools have been fully subnetted", errdefs.IsResourceExhausted, api.CodeNetworkExhausted},
		{"mkdir /var/lib/docker/x: no space left on device", errdefs.IsResourceExhausted, api.CodeNoSpace},
		{"unable to upgrade to tcp, received 409", errdefs.IsConflict, ""},
		{"unable to upgrade to tcp, received 404", errdefs.IsNotFound, ""},
	} {
		err := c.explain(t.Context(), "try", errors.New(tc.text))
		assert.Assert(t, tc.kind(err), "%v", err)
		var coded *api.Error
		assert.Equal(t, errors.As(err, &coded), tc.code != "")
		if coded != nil {
			assert.Equal(t, coded.Code, tc.code)
		}
		assert.ErrorContains(t, err, tc.text)
	}
	kept := c.explain(t.Context(), "try", errdefs.ErrNotFound.WithMessage("no such thing"))
	assert.Assert(t, errdefs.IsNotFound(kept))
	assert.Error(t, kept, "try: no such thing")
	assert.NilError(t, c.explain(t.Context(), "try", nil))
}

func TestCallersOwnEndStaysTheirs(t *testing.T) {
	c, err := New(t.Context(), Config{Host: "unix:///nowhere.sock"})
	assert.NilError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Info(ctx)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestSSHIsRefused(t *testing.T) {
	_, err := New(t.Context(), Config{Host: "ssh://me@there"})
	assert.Assert(t, errdefs.IsInvalidArgument(err))
}

func TestInfo(t *testing.T) {
	c := real(t, nil)
	i, err := c.Info(t.Context())
	assert.NilError(t, err)
	assert.Equal(t, i.OS, "linux")
	assert.Assert(t, i.CPUs > 0 && i.Memory > 0 && i.Version != "" && i.APIVersion >= "1.41" && len(i.Runtimes) > 0)
	img, err := c.Image(t.Context(), testImage)
	assert.NilError(t, err)
	assert.Equal(t, img.Arch, i.Arch)
	assert.Assert(t, img.ID != "")
}

func TestMissingImage(t *testing.T) {
	c := real(t, nil)
	for ref, remedy := range map[string]string{
		"localhost:1/no/such:image":       "docker pull localhost:1/no/such:image",
		"docker-space/no-such-enginetest": "make image",
	} {
		_, err := c.Image(t.Context(), ref)
		assert.Assert(t, errdefs.IsNotFound(err))
		assert.ErrorContains(t, err, remedy)
	}
	err := c.Pull(t.Context(), "localhost:1/no/such:image", nil)
	assert.Assert(t, errdefs.IsNotFound(err), "%v", err)
	assert.ErrorContains(t, err, "docker pull localhost:1/no/such:image")
}
