package daemon

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/docker-space/docker-space/internal/server"
	"github.com/docker-space/docker-space/internal/store"
)

// lockState makes this process the only daemon of a state folder. The kernel
// lets go of the lock when the process ends, however it ends.
func lockState(dir string) (release func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the state folder: %w; choose another with --state-dir", err)
	}
	path := filepath.Join(dir, "spaced.lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open %s: %w; make the folder writable for this user, or choose another with --state-dir", path, err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case err == nil:
	case !errors.Is(err, unix.EWOULDBLOCK):
		_ = f.Close()
		return nil, fmt.Errorf("cannot lock %s: %w; choose a folder on a local disk with --state-dir", path, err)
	default:
		_ = f.Close()
		return nil, fmt.Errorf("another spaced runs on %s: stop it, or start this one with its own --state-dir, --socket and --instance", dir)
	}
	return func() { _ = f.Close() }, nil
}

// adminKeyFile is where the first start leaves the key that opens everything.
const adminKeyFile = "admin.key"

// ensureAdminKey makes the first key of a state folder, and says whether it
// did. A store that has keys is left alone.
func ensureAdminKey(ctx context.Context, s *store.Store, dir string) (made bool, err error) {
	keys, err := s.Keys(ctx)
	if err != nil || len(keys) > 0 {
		return false, err
	}
	text, err := s.CreateKey(ctx, "admin", "admin")
	if err != nil {
		return false, err
	}
	path := filepath.Join(dir, adminKeyFile)
	if err := writePrivate(path, text+"\n"); err != nil {
		return false, errors.Join(fmt.Errorf("cannot write the admin key: %w", err), s.RevokeKey(ctx, "admin"))
	}
	return true, nil
}

// writePrivate replaces a file as a whole, readable by its owner only from its
// first byte.
func writePrivate(path, text string) error {
	tmp := path + ".new"
	_ = os.Remove(tmp)
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// keys is the store's keys as the server asks for them, and the one that the
// configuration gives.
type keys struct {
	store *store.Store
	given string
}

// configured is the key from outside. Its id follows its text, so that changing
// the key ends the sessions and sockets of the old one.
func (k keys) configured() server.Key {
	sum := sha256.Sum256([]byte(k.given))
	return server.Key{ID: "configured-" + hex.EncodeToString(sum[:6]), Name: "configured", Scope: server.Admin}
}

// LookupKey finds the key of a text.
func (k keys) LookupKey(ctx context.Context, text string) (server.Key, error) {
	if k.given != "" && subtle.ConstantTimeCompare([]byte(text), []byte(k.given)) == 1 {
		return k.configured(), nil
	}
	return known(k.store.LookupKey(ctx, text))
}

// KeyByID finds a key that is still valid.
func (k keys) KeyByID(ctx context.Context, id string) (server.Key, error) {
	if k.given != "" && id == k.configured().ID {
		return k.configured(), nil
	}
	return known(k.store.KeyByID(ctx, id))
}

func known(k store.Key, err error) (server.Key, error) {
	if err != nil {
		return server.Key{}, err
	}
	scope, err := server.ParseScope(k.Scope)
	return server.Key{ID: k.ID, Name: k.Name, Scope: scope}, err
}
