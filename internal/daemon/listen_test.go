package daemon

import (
	"bytes"
	"context"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gotest.tools/v3/assert"
)

func contains(err error, s string) bool { return strings.Contains(err.Error(), s) }

func long(n int) []byte { return bytes.Repeat([]byte("x"), n) }

// socketPath is a short one: a test's own folder may be too long for a socket.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sp")
	assert.NilError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "s.sock")
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestAStaleSocketIsReplaced(t *testing.T) {
	path := socketPath(t)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	assert.NilError(t, err)
	l.SetUnlinkOnClose(false) // as a killed daemon leaves it
	assert.NilError(t, l.Close())

	ls, err := listen(t.Context(), Config{Socket: path}, quiet())
	assert.NilError(t, err)
	defer closeAll(ls)
	assert.Equal(t, len(ls), 1)
	c, err := net.Dial("unix", path)
	assert.NilError(t, err)
	_ = c.Close()
	st, err := os.Stat(path)
	assert.NilError(t, err)
	assert.Equal(t, st.Mode().Perm()&0o007, fs.FileMode(0), "closed to others: %s", st.Mode())
}

func TestASocketThatAnswersIsLeftAlone(t *testing.T) {
	path := socketPath(t)
	first, err := listen(t.Context(), Config{Socket: path}, quiet())
	assert.NilError(t, err)
	defer closeAll(first)
	_, err = listen(t.Context(), Config{Socket: path}, quiet())
	assert.ErrorContains(t, err, "another spaced listens on "+path)
	c, err := net.Dial("unix", path)
	assert.NilError(t, err, "the first still listens")
	_ = c.Close()
}

// A daemon too busy to accept is no leftover.
func TestAFullSocketIsLeftAlone(t *testing.T) {
	path := socketPath(t)
	l, err := net.Listen("unix", path)
	assert.NilError(t, err)
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // as when the second's patience is over before the first accepts
	_, err = listenUnix(ctx, path)
	assert.ErrorContains(t, err, "cannot tell whether another spaced listens on "+path)
	_, err = os.Lstat(path)
	assert.NilError(t, err)
}

func TestWhatIsNoSocketStaysInTheWay(t *testing.T) {
	path := socketPath(t)
	assert.NilError(t, os.WriteFile(path, []byte("precious"), 0o600))
	_, err := listen(t.Context(), Config{Socket: path}, quiet())
	assert.ErrorContains(t, err, path+" is in the way and is no socket")
	b, err := os.ReadFile(path)
	assert.NilError(t, err)
	assert.Equal(t, string(b), "precious")
}

func TestATakenPortIsFatalOnlyWhereItWasAskedFor(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	assert.NilError(t, err)
	defer taken.Close()
	cfg := Config{Socket: socketPath(t), Listen: taken.Addr().String(), ListenAsked: true}
	_, err = listen(t.Context(), cfg, quiet())
	assert.ErrorContains(t, err, "cannot listen on "+cfg.Listen)
	_, err = os.Lstat(cfg.Socket)
	assert.ErrorIs(t, err, fs.ErrNotExist, "a failed start leaves no socket")

	cfg.ListenAsked = false
	var log bytes.Buffer
	ls, err := listen(t.Context(), cfg, slog.New(slog.NewTextHandler(&log, nil)))
	assert.NilError(t, err)
	defer closeAll(ls)
	assert.Equal(t, len(ls), 1)
	assert.Assert(t, strings.Contains(log.String(), "the port is taken"), log.String())
}
