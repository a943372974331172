package daemon

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"gotest.tools/v3/assert"

	"github.com/docker-space/docker-space/internal/server"
	"github.com/docker-space/docker-space/internal/store"
)

func TestAStateFolderHasOneDaemon(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	release, err := lockState(dir)
	assert.NilError(t, err)
	_, err = lockState(dir)
	assert.ErrorContains(t, err, "another spaced runs on "+dir)
	release()
	release, err = lockState(dir)
	assert.NilError(t, err)
	release()
	st, err := os.Stat(dir)
	assert.NilError(t, err)
	assert.Equal(t, st.Mode().Perm(), fs.FileMode(0o700))
}

func TestAStateFolderThatCannotBeMadeSaysWhatToDo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	assert.NilError(t, os.WriteFile(file, nil, 0o600))
	_, err := lockState(filepath.Join(file, "state"))
	assert.ErrorContains(t, err, "choose another with --state-dir")
}

func openStore(t *testing.T, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), dir)
	assert.NilError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestTheAdminKeyIsMadeOnceAndPrivate(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	path := filepath.Join(dir, adminKeyFile)
	assert.NilError(t, os.WriteFile(path+".new", []byte("left by a killed start"), 0o666))
	made, err := ensureAdminKey(t.Context(), s, dir)
	assert.NilError(t, err)
	assert.Assert(t, made)
	text, err := os.ReadFile(path)
	assert.NilError(t, err)
	st, err := os.Stat(path)
	assert.NilError(t, err)
	assert.Equal(t, st.Mode(), fs.FileMode(0o600))
	k, err := (keys{store: s}).LookupKey(t.Context(), strings.TrimSpace(string(text)))
	assert.NilError(t, err)
	assert.Equal(t, k.Scope, server.Admin)

	made, err = ensureAdminKey(t.Context(), s, dir)
	assert.NilError(t, err)
	assert.Assert(t, !made)
	again, err := os.ReadFile(path)
	assert.NilError(t, err)
	assert.Equal(t, string(again), string(text))
}

// A key that nobody can read must not stay behind: the next start would make
// none.
func TestAnAdminKeyThatCannotBeWrittenIsNotKept(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	_, err := ensureAdminKey(t.Context(), s, filepath.Join(dir, "missing"))
	assert.ErrorContains(t, err, "cannot write the admin key")
	made, err := ensureAdminKey(t.Context(), s, dir)
	assert.NilError(t, err)
	assert.Assert(t, made)
}

func TestTheConfiguredKeyEndsWithItsText(t *testing.T) {
	s := openStore(t, t.TempDir())
	old, now := keys{s, "0123456789abcdef"}, keys{s, "fedcba9876543210"}
	k, err := old.LookupKey(t.Context(), "0123456789abcdef")
	assert.NilError(t, err)
	assert.Equal(t, k.Scope, server.Admin)
	_, err = old.KeyByID(t.Context(), k.ID)
	assert.NilError(t, err)
	_, err = now.KeyByID(t.Context(), k.ID)
	assert.Assert(t, errdefs.IsNotFound(err), "%v", err)
	_, err = (keys{store: s}).LookupKey(t.Context(), "")
	assert.Assert(t, errdefs.IsNotFound(err), "%v", err)
}
