package engine

import (
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	"gotest.tools/v3/assert"
	"gotest.tools/v3/assert/cmp"

	"github.com/docker-space/docker-space/internal/space"
	"github.com/docker-space/docker-space/internal/spec"
)

func TestSpecComesBackFromTheEngine(t *testing.T) {
	c := real(t, testGuest)
	s := testSpec("a")
	s.Workdir, s.User, s.ReadOnly = "/tmp", "1234:5678", true
	img, err := c.Image(t.Context(), s.Image)
	assert.NilError(t, err)
	img.Entrypoint, img.Cmd = []string{"/entry"}, []string{"bash"}
	_, err = c.CreateVolume(t.Context(), "a", "token-a")
	assert.NilError(t, err)
	id, err := c.CreateContainer(t.Context(), s, space.Creation{Image: img, Token: "token-a"})
	assert.NilError(t, err)
	got, err := c.Container(t.Context(), id)
	assert.NilError(t, err)
	assert.DeepEqual(t, got.Spec, s)
	assert.DeepEqual(t, got.Entrypoint, []string{"/entry"})
	assert.Equal(t, got.Token, "token-a")
	assert.Equal(t, got.State, space.Stopped)
	assert.Equal(t, got.RunsAs, "1234:5678")
	assert.Equal(t, got.NoGuest, "")
	assert.DeepEqual(t, got.Cmd, []string{"bash"})
	assert.Assert(t, got.Started.IsZero() && !got.Created.IsZero())
}

func TestContainerIsHardened(t *testing.T) {
	c := real(t, testGuest)
	s := testSpec("hard")
	s.Network = spec.NetworkInternet
	id := create(t, c, s)
	r := inspected(t, c, id)
	h := r.HostConfig
	assert.DeepEqual(t, h.CapDrop, []string{"ALL"})
	assert.Assert(t, len(h.CapAdd) == 0 && !h.Privileged && len(h.Binds) == 0)
	assert.DeepEqual(t, h.SecurityOpt, []string{"no-new-privileges"})
	assert.Equal(t, h.Memory, s.Memory)
	assert.Equal(t, h.MemorySwap, s.Memory)
	assert.Equal(t, h.NanoCPUs, int64(5e8))
	assert.Equal(t, *h.PidsLimit, int64(64))
	assert.Assert(t, *h.Init && h.RestartPolicy.IsNone())
	assert.Equal(t, h.LogConfig.Type, "json-file")
	assert.DeepEqual(t, h.LogConfig.Config, map[string]string{"max-size": "10m", "max-file": "2"})
	assert.Equal(t, string(h.NetworkMode), c.names.network())
	assert.Equal(t, r.Config.User, spec.FallbackUser)
	assert.Equal(t, r.Config.Hostname, "hard")
	assert.DeepEqual(t, r.Config.Healthcheck.Test, []string{"NONE"})
	assert.DeepEqual(t, r.Config.Entrypoint, []string{"/.space/guest", "serve"})
	assert.Assert(t, len(r.Config.Cmd) == 0)
	for _, m := range r.Mounts {
		assert.Equal(t, m.RW, m.Destination == spec.Workspace, m.Destination)
	}
	n, err := c.api.NetworkInspect(t.Context(), c.names.network(), client.NetworkInspectOptions{})
	assert.NilError(t, err)
	assert.Equal(t, n.Network.Options[iccOption], "false")
}

func TestInsideTheSandbox(t *testing.T) {
	c := real(t, nil)
	id := createAndStart(t, c, testSpec("in"))
	assert.Equal(t, sh(t, c, id, "id -u; id -g; echo $HOME; pwd; hostname"), "1001\n1001\n/workspace\n/workspace\nin")
	assert.Equal(t, sh(t, c, id, "echo $GREETING"), "hello=world")
	assert.Equal(t, sh(t, c, id, "grep -E '^(CapEff|NoNewPrivs)' /proc/self/status"), "CapEff:\t0000000000000000\nNoNewPrivs:\t1")
	assert.Equal(t, sh(t, c, id, "stat -c '%a %u %g' /tmp /run"), "1777 0 0\n755 0 0")
	assert.Equal(t, sh(t, c, id, "df -k --output=size /tmp | tail -n1"), "8192")
	sh(t, c, id, "printf '#!/bin/sh\\nexit 0\\n' >/tmp/x && chmod +x /tmp/x && /tmp/x")
	sh(t, c, id, "touch /workspace/file && test -O /workspace/file && ! touch /etc/file 2>/dev/null")
}

func TestWithoutAGuestTheReasonIsKept(t *testing.T) {
	c := real(t, nil)
	id := createAndStart(t, c, testSpec("bare"))
	got, err := c.Container(t.Context(), id)
	assert.NilError(t, err)
	assert.Assert(t, cmp.Contains(got.NoGuest, "without one"))
	assert.Equal(t, got.State, space.Running)
}

func TestImageOfAnotherArchitectureGetsNoGuest(t *testing.T) {
	c := real(t, testGuest)
	why, err := c.guestFits(t.Context(), space.Image{Arch: "s390x"})
	assert.NilError(t, err)
	assert.Assert(t, cmp.Contains(why, "s390x"))
}

func TestForeignContainerOfTheNameIsAConflict(t *testing.T) {
	c := real(t, nil)
	other := realClient(t, c.names.instance+"-x", nil)
	t.Cleanup(func() { wipe(t, other) })
	// Instance I-x with space y and instance I with space x-y meet in one name.
	id := create(t, other, testSpec("y"))
	img, err := c.Image(t.Context(), testImage)
	assert.NilError(t, err)
	_, err = c.CreateContainer(t.Context(), testSpec("x-y"), space.Creation{Image: img})
	assert.Assert(t, errdefs.IsConflict(err), "%v", err)
	assert.Assert(t, strings.Contains(err.Error(), other.names.instance), "%v", err)
	_, err = c.Volume(t.Context(), "x-y")
	assert.Assert(t, errdefs.IsConflict(err), "%v", err)
	_, err = c.CreateVolume(t.Context(), "x-y", "t")
	assert.Assert(t, errdefs.IsConflict(err), "%v", err)
	assert.Assert(t, errdefs.IsConflict(c.RemoveVolume(t.Context(), "x-y")))

	for what, act := range map[string]func() error{
		"start":  func() error { return c.Start(t.Context(), id) },
		"stop":   func() error { return c.Stop(t.Context(), id, 0) },
		"remove": func() error { return c.Remove(t.Context(), id) },
		"update": func() error { return c.Update(t.Context(), id, 128<<20, 1) },
		"own":    func() error { return c.OwnWorkspace(t.Context(), id) },
	} {
		assert.Assert(t, errdefs.IsNotFound(act()), what)
	}
	list, err := c.Containers(t.Context())
	assert.NilError(t, err)
	assert.Equal(t, len(list), 0)
}

func TestSecondContainerOfASpaceIsAConflict(t *testing.T) {
	c := real(t, nil)
	create(t, c, testSpec("two"))
	img, err := c.Image(t.Context(), testImage)
	assert.NilError(t, err)
	_, err = c.CreateContainer(t.Context(), testSpec("two"), space.Creation{Image: img})
	assert.Assert(t, errdefs.IsConflict(err))
	assert.ErrorContains(t, err, "exists already")
}

func TestUnknownRuntimeIsTheCallersMistake(t *testing.T) {
	c := real(t, nil)
	img, err := c.Image(t.Context(), testImage)
	assert.NilError(t, err)
	s := testSpec("rt")
	s.Runtime = "no-such-runtime"
	_, err = c.CreateContainer(t.Context(), s, space.Creation{Image: img})
	assert.Assert(t, errdefs.IsInvalidArgument(err), "%v", err)
	assert.ErrorContains(t, err, "no-such-runtime")
}

func TestRunsAs(t *testing.T) {
	for _, tc := range [][3]string{
		{"", "", spec.FallbackUser},
		{"", "root", spec.FallbackUser},
		{"", "0:0", spec.FallbackUser},
		{"", "root:staff", spec.FallbackUser},
		{"", "00", spec.FallbackUser},
		{"", "node", "node"},
		{"", "1000:1000", "1000:1000"},
		{"root", "node", "root"},
		{"5", "", "5"},
	} {
		assert.Equal(t, runsAs(tc[0], tc[1]), tc[2], "asked %q, image %q", tc[0], tc[1])
	}
}
