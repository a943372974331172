package engine

import (
	"archive/tar"
	"fmt"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	"gotest.tools/v3/assert"

	"github.com/docker-space/docker-space/internal/guest/wire"
	"github.com/docker-space/docker-space/internal/space"
	"github.com/docker-space/docker-space/internal/spec"
)

func TestVolumes(t *testing.T) {
	c := real(t, nil)
	ctx := t.Context()
	_, err := c.Volume(ctx, "v")
	assert.Assert(t, errdefs.IsNotFound(err))
	made, err := c.CreateVolume(ctx, "v", "token")
	assert.NilError(t, err)
	assert.Equal(t, made.Token, "token")
	assert.Assert(t, !made.Created.IsZero() && made.Mountpoint != "")
	_, err = c.CreateVolume(ctx, "v", "another")
	assert.Assert(t, errdefs.IsConflict(err))
	list, err := c.Volumes(ctx)
	assert.NilError(t, err)
	assert.DeepEqual(t, list, []space.Volume{made})
	id := createAndStart(t, c, testSpec("v"))
	assert.Assert(t, errdefs.IsConflict(c.RemoveVolume(ctx, "v")), "a workspace in use stays")
	sh(t, c, id, "head -c 1000000 /dev/zero >/workspace/zeros")
	size, err := c.VolumeSize(ctx, "v")
	assert.NilError(t, err)
	assert.Assert(t, size >= 1_000_000 && size < 2_000_000, "%d", size)
	assert.NilError(t, c.Remove(ctx, id))
	assert.NilError(t, c.RemoveVolume(ctx, "v"))
	assert.Assert(t, errdefs.IsNotFound(c.RemoveVolume(ctx, "v")))
}

func TestOwnWorkspace(t *testing.T) {
	c := real(t, nil)
	for name, tc := range map[string]struct {
		user     string
		readOnly bool
		want     string
	}{
		"fallback":  {"", false, "1001 1001 755"},
		"read-only": {"", true, "1001 1001 755"},
		"name":      {"nobody", false, "65534 65534 755"},
		"group":     {"4242:games", false, "4242 60 755"},
		"number":    {"4242", false, "4242 0 755"},
	} {
		t.Run(name, func(t *testing.T) {
			s := testSpec(name)
			s.User, s.ReadOnly = tc.user, tc.readOnly
			id := createAndStart(t, c, s)
			assert.Equal(t, sh(t, c, id, "touch /workspace/mine && stat -c '%u %g %a' /workspace"), tc.want)
			assert.Assert(t, errdefs.IsConflict(c.OwnWorkspace(t.Context(), id)), "never of a container that ran")
		})
	}
	s := testSpec("unknown")
	s.User = "no-such-user"
	assert.Assert(t, errdefs.IsInvalidArgument(c.OwnWorkspace(t.Context(), create(t, c, s))))
}

func TestKeptWorkspaceKeepsItsFiles(t *testing.T) {
	c := real(t, nil)
	id := createAndStart(t, c, testSpec("kept"))
	sh(t, c, id, "echo precious >/workspace/file")
	assert.NilError(t, c.Remove(t.Context(), id))
	id = createAndStart(t, c, testSpec("kept"))
	assert.Equal(t, sh(t, c, id, "cat /workspace/file; stat -c %u /workspace/file"), "precious\n1001")
}

func TestOwnerByLabelNeedsNoWrite(t *testing.T) {
	c := real(t, nil)
	s := testSpec("labelled")
	s.Labels = map[string]string{LabelOwner: "1001:1001"}
	id := createAndStart(t, c, s)
	// The label lies, and so shows that it was believed.
	assert.Equal(t, sh(t, c, id, "stat -c %u /workspace"), "0")
}

func TestRemoveTakesAnonymousVolumesOnly(t *testing.T) {
	c := real(t, nil)
	img := imageWith(t, c, "VOLUME /data")
	s := testSpec("anon")
	s.Image = img
	id := create(t, c, s)
	var anonymous string
	for _, m := range inspected(t, c, id).Mounts {
		if m.Destination == "/data" {
			anonymous = m.Name
		}
	}
	assert.Assert(t, anonymous != "")
	assert.NilError(t, c.Remove(t.Context(), id))
	_, err := c.inspectVolume(t.Context(), anonymous)
	assert.Assert(t, errdefs.IsNotFound(err))
	_, err = c.Volume(t.Context(), "anon")
	assert.NilError(t, err)
}

func TestOwnerOfTheImageNeedsNoWrite(t *testing.T) {
	c := real(t, nil)
	s := testSpec("image")
	s.Image = imageWith(t, c, "LABEL "+LabelOwner+"=1001:1001")
	id := create(t, c, s)
	owner := func() ids {
		f, h, err := c.openIn(t.Context(), id, spec.Workspace)
		assert.NilError(t, err)
		f.Close()
		return ids{h.Uid, h.Gid}
	}
	assert.Equal(t, owner(), ids{1001, 1001}, "the engine gives a fresh volume the image's owner")
	assert.NilError(t, c.OwnWorkspace(t.Context(), id))
	assert.Equal(t, owner(), ids{1001, 1001})
}

func TestWorkdirInAFreshWorkspaceIsTheUsers(t *testing.T) {
	c := real(t, nil)
	for _, readOnly := range []bool{false, true} {
		s := testSpec(fmt.Sprintf("deep-%v", readOnly))
		s.Workdir, s.ReadOnly = "/workspace/a/b", readOnly
		id := createAndStart(t, c, s)
		assert.Equal(t, sh(t, c, id, "pwd; touch file && stat -c %u /workspace /workspace/a ."), "/workspace/a/b\n1001\n1001\n1001")
	}
}

// imageWith makes an image that holds next to nothing, with one Dockerfile line.
func imageWith(t *testing.T, c *Client, change string) string {
	t.Helper()
	ref := "docker-space/" + c.names.instance + ":test"
	content, err := tarOf(
		entry{tar.Header{Typeflag: tar.TypeDir, Name: "data/", Mode: 0o755}, nil},
		entry{tar.Header{Typeflag: tar.TypeDir, Name: "workspace/", Mode: 0o755, Uid: 1001, Gid: 1001}, nil},
	)
	assert.NilError(t, err)
	r, err := c.api.ImageImport(t.Context(), client.ImageImportSource{Source: content, SourceName: "-"}, ref, client.ImageImportOptions{Changes: []string{change}})
	assert.NilError(t, err)
	assert.NilError(t, drain(r))
	t.Cleanup(func() { removeImage(t, c, ref) })
	return ref
}

func TestGuestVolume(t *testing.T) {
	c := real(t, testGuest)
	assert.NilError(t, c.EnsureGuest(t.Context()))
	s := testSpec("g")
	s.ReadOnly = true
	id := createAndStart(t, c, s)
	assert.Equal(t, stateOf(t, c, id), space.Running)
	assert.Equal(t, sh(t, c, id, "stat -c '%a %u' "+wire.Path), "755 0")
	sh(t, c, id, "! touch /.space/x 2>/dev/null")
	vols, err := c.Volumes(t.Context())
	assert.NilError(t, err)
	assert.Equal(t, len(vols), 1, "the guest's volume is no workspace")

	// A new daemon with another binary replaces it under the running space.
	newer := realClient(t, c.names.instance, func(string) ([]byte, error) { return []byte("newer"), nil })
	assert.NilError(t, newer.EnsureGuest(t.Context()))
	assert.Equal(t, sh(t, c, id, "cat "+wire.Path), "newer")
	assert.Equal(t, stateOf(t, c, id), space.Running)
	left, err := c.api.ContainerList(t.Context(), client.ContainerListOptions{All: true, Filters: client.Filters{}.
		Add("label", LabelInstance+"="+c.names.instance, LabelRole+"="+roleHelper)})
	assert.NilError(t, err)
	assert.Equal(t, len(left.Items), 0, "no helper stays")
}

func TestPrunedGuestComesBack(t *testing.T) {
	c := real(t, testGuest)
	id := create(t, c, testSpec("lost"))
	assert.NilError(t, c.Remove(t.Context(), id))
	_, err := c.api.VolumeRemove(t.Context(), c.names.guest(), client.VolumeRemoveOptions{})
	assert.NilError(t, err)
	id = create(t, c, testSpec("lost"))
	assert.NilError(t, c.Start(t.Context(), id))
	assert.Equal(t, sh(t, c, id, "test -x "+wire.Path+" && echo there"), "there")
}

func TestForeignGuestVolumeIsAConflict(t *testing.T) {
	c := real(t, testGuest)
	_, err := c.CreateVolume(t.Context(), "guest", "token")
	assert.NilError(t, err)
	assert.Assert(t, errdefs.IsConflict(c.EnsureGuest(t.Context())))
}

func TestSweepRemovesLeftHelpers(t *testing.T) {
	c := real(t, testGuest)
	assert.NilError(t, c.ensureEmptyImage(t.Context()))
	r, err := c.api.ContainerCreate(t.Context(), client.ContainerCreateOptions{Config: helperConfig(c)})
	assert.NilError(t, err)
	assert.NilError(t, c.EnsureGuest(t.Context()))
	_, err = c.inspect(t.Context(), r.ID)
	assert.Assert(t, errdefs.IsNotFound(err))
}

func TestFindLine(t *testing.T) {
	text := "root:x:0:0:root:/root:/bin/bash\nbroken\nnode:x:1000:1001::/home/node:/bin/sh\n"
	assert.DeepEqual(t, findLine(text, "node")[2:4], []string{"1000", "1001"})
	assert.Equal(t, findLine(text, "1000")[0], "node")
	assert.Assert(t, findLine(text, "nobody") == nil)
}

func TestNames(t *testing.T) {
	n := newNames("")
	assert.Equal(t, n.of("dev"), "space-dev")
	assert.Equal(t, n.network(), "docker-space")
	u := newNames("u1000")
	assert.Equal(t, u.of("dev"), "space-u1000-dev")
	assert.Equal(t, u.guest(), "space-u1000-guest")
	assert.Equal(t, u.network(), "docker-space-u1000")
	assert.Assert(t, n.isSpace("space-dev", n.spaceLabels("dev", "t")))
	assert.Assert(t, !u.isSpace("space-dev", n.spaceLabels("dev", "t")))
	assert.Assert(t, !n.isSpace("else", n.spaceLabels("dev", "t")), "an image can carry the labels")
	assert.Equal(t, spec.LabelPrefix+"instance", LabelInstance)
}
