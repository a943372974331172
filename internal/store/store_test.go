package store

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"go.uber.org/goleak"
	"gotest.tools/v3/assert"

	"github.com/docker-space/docker-space/internal/space"
)

var (
	_ space.Journal  = (*Store)(nil)
	_ space.Activity = (*Store)(nil)
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), dir)
	assert.NilError(t, err)
	t.Cleanup(func() { assert.Check(t, s.Close()) })
	return s
}

func TestJournalSurvivesTheProcess(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir)
	assert.NilError(t, first.BeginCreate(t.Context(), space.PendingCreate{Token: "a", Space: "one"}))
	assert.NilError(t, first.BeginCreate(t.Context(), space.PendingCreate{Token: "b", Space: "two"}))
	assert.NilError(t, first.EndCreate(t.Context(), "a"))

	// The first handle is left open, as a killed process leaves its files.
	pending, err := open(t, dir).PendingCreates(t.Context())
	assert.NilError(t, err)
	assert.DeepEqual(t, pending, []space.PendingCreate{{Token: "b", Space: "two"}})
}

func TestTheJournalIsDurable(t *testing.T) {
	s := open(t, t.TempDir())
	var mode string
	var sync int
	assert.NilError(t, s.db.QueryRow("PRAGMA journal_mode").Scan(&mode))
	assert.NilError(t, s.db.QueryRow("PRAGMA synchronous").Scan(&sync))
	assert.Equal(t, mode, "wal")
	assert.Equal(t, sync, 2, "2 is FULL")
}

func TestActivityIsKeptAndForgotten(t *testing.T) {
	s := open(t, t.TempDir())
	at := time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.UTC)
	assert.NilError(t, s.SetLastActivity(t.Context(), map[string]time.Time{"a": at.Add(-time.Hour), "b": at}))
	assert.NilError(t, s.SetLastActivity(t.Context(), map[string]time.Time{"a": at, "b": {}}))
	got, err := s.LastActivity(t.Context())
	assert.NilError(t, err)
	assert.DeepEqual(t, got, map[string]time.Time{"a": at})
}

func TestIdentityStaysTheSame(t *testing.T) {
	dir := t.TempDir()
	id, err := open(t, dir).NodeID(t.Context())
	assert.NilError(t, err)
	assert.Equal(t, len(id), 16)
	again, err := open(t, dir).NodeID(t.Context())
	assert.NilError(t, err)
	assert.Equal(t, again, id)
	other, err := open(t, t.TempDir()).NodeID(t.Context())
	assert.NilError(t, err)
	assert.Assert(t, other != id)
}

func TestKeysAreHashedFoundAndRevoked(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	plain, err := s.CreateKey(t.Context(), "ci", "exec")
	assert.NilError(t, err)
	assert.Assert(t, strings.HasPrefix(plain, "dsk_") && len(plain) == 4+43, plain)

	k, err := s.LookupKey(t.Context(), plain)
	assert.NilError(t, err)
	assert.Equal(t, k.Name, "ci")
	assert.Equal(t, k.Scope, "exec")
	byID, err := s.KeyByID(t.Context(), k.ID)
	assert.NilError(t, err)
	assert.DeepEqual(t, byID, k)

	_, err = s.CreateKey(t.Context(), "ci", "read")
	assert.ErrorType(t, err, errdefs.IsAlreadyExists)
	for _, file := range []string{File, File + "-wal"} {
		b, err := os.ReadFile(filepath.Join(dir, file))
		assert.NilError(t, err)
		assert.Assert(t, !strings.Contains(string(b), plain), "the key's text is in %s", file)
	}

	// Another process revokes; this one sees it at once.
	assert.NilError(t, open(t, dir).RevokeKey(t.Context(), "ci"))
	_, err = s.LookupKey(t.Context(), plain)
	assert.ErrorType(t, err, errdefs.IsNotFound)
	assert.ErrorType(t, s.RevokeKey(t.Context(), "ci"), errdefs.IsNotFound)
}

func TestRevokeByIDPrefersTheName(t *testing.T) {
	s := open(t, t.TempDir())
	one, err := s.CreateKey(t.Context(), "one", "read")
	assert.NilError(t, err)
	k, err := s.LookupKey(t.Context(), one)
	assert.NilError(t, err)
	_, err = s.CreateKey(t.Context(), k.ID, "read") // a name that is another's id
	assert.NilError(t, err)
	assert.NilError(t, s.RevokeKey(t.Context(), k.ID))
	left, err := s.Keys(t.Context())
	assert.NilError(t, err)
	assert.DeepEqual(t, left, []Key{k})
	assert.NilError(t, s.RevokeKey(t.Context(), k.ID))
}

func TestBadKeysAreRefused(t *testing.T) {
	s := open(t, t.TempDir())
	for _, tc := range []struct{ name, scope string }{
		{"", "read"},
		{"-x", "read"},
		{strings.Repeat("x", 64), "read"},
		{"a b", "read"},
		{"ok", "root"},
		{"ok", ""},
	} {
		_, err := s.CreateKey(t.Context(), tc.name, tc.scope)
		assert.ErrorType(t, err, errdefs.IsInvalidArgument, "%q %q", tc.name, tc.scope)
	}
}

func TestSeveralProcessesStartAndWriteAtOnce(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			s, err := Open(t.Context(), dir)
			if !assert.Check(t, err) {
				return
			}
			defer func() { assert.Check(t, s.Close()) }()
			for j := range 10 {
				token := string(rune('a'+i)) + string(rune('0'+j))
				assert.Check(t, s.BeginCreate(t.Context(), space.PendingCreate{Token: token, Space: "s"}))
			}
		})
	}
	wg.Wait()
	pending, err := open(t, dir).PendingCreates(t.Context())
	assert.NilError(t, err)
	assert.Equal(t, len(pending), 40)
}

func TestADamagedFileIsNamedWithTheRemedy(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, File)
	assert.NilError(t, os.WriteFile(path, []byte(strings.Repeat("not a database ", 500)), 0o600))
	_, err := Open(t.Context(), dir)
	assert.ErrorContains(t, err, path)
	assert.ErrorContains(t, err, "move it away")
}

func TestANewerFileIsNotTouched(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	_, err := s.db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)")
	assert.NilError(t, err)
	_, err = Open(t.Context(), dir)
	assert.ErrorContains(t, err, "written by a newer spaced")
}

func TestAMissingFolderIsAClearError(t *testing.T) {
	_, err := Open(t.Context(), filepath.Join(t.TempDir(), "absent"))
	assert.ErrorContains(t, err, "absent")
	assert.ErrorContains(t, err, "--state-dir")
}

func TestTheFileIsPrivate(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	for _, file := range []string{File, File + "-wal"} {
		info, err := os.Stat(filepath.Join(dir, file))
		assert.NilError(t, err)
		assert.Equal(t, info.Mode().Perm(), os.FileMode(0o600), file)
	}
}
