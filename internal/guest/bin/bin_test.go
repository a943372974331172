package bin

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/fstest"

	"github.com/containerd/errdefs"
	"gotest.tools/v3/assert"
)

func TestTheEmbeddedGuestComesFirst(t *testing.T) {
	dir := t.TempDir()
	assert.NilError(t, os.WriteFile(filepath.Join(dir, "space-guest-linux-arm64"), []byte("beside"), 0o755))
	got, err := find(fstest.MapFS{"dist/space-guest-linux-arm64": {Data: []byte("embedded")}}, dir, "arm64")
	assert.NilError(t, err)
	assert.Equal(t, string(got), "embedded")
}

func TestThenTheOneBesideTheDaemon(t *testing.T) {
	dir := t.TempDir()
	assert.NilError(t, os.WriteFile(filepath.Join(dir, "space-guest-linux-riscv64"), []byte("beside"), 0o755))
	assert.NilError(t, os.WriteFile(filepath.Join(dir, "space-guest"), []byte("own"), 0o755))
	got, err := find(fstest.MapFS{}, dir, "riscv64")
	assert.NilError(t, err)
	assert.Equal(t, string(got), "beside")
	got, err = find(fstest.MapFS{}, dir, runtime.GOARCH)
	assert.NilError(t, err)
	assert.Equal(t, string(got), "own")
}

func TestAMissingGuestSaysWhatToDo(t *testing.T) {
	_, err := find(fstest.MapFS{}, t.TempDir(), "mips")
	assert.Assert(t, errdefs.IsNotFound(err))
	assert.ErrorContains(t, err, "make build")
	_, err = find(fstest.MapFS{}, t.TempDir(), "../etc")
	assert.Assert(t, errdefs.IsInvalidArgument(err))
}
