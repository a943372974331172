package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/containerd/errdefs"
)

// KeyPrefix starts every key, so that secret scanners and people know one.
const KeyPrefix = "dsk_"

// Key is an API key without its secret.
type Key struct {
	ID, Name string
	// Scope is read, exec or admin.
	Scope   string
	Created time.Time
}

var (
	keyName   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.@-]{0,62}$`)
	keyScopes = []string{"read", "exec", "admin"}
)

// CreateKey makes a key of 256 random bits and gives its text, which is not
// stored and cannot be shown again. AlreadyExists where the name is taken,
// InvalidArgument for a bad name or scope.
func (s *Store) CreateKey(ctx context.Context, name, scope string) (plaintext string, err error) {
	if !keyName.MatchString(name) {
		return "", fmt.Errorf("invalid key name %q: use 1 to 63 letters, digits, '_', '.', '@' or '-': %w", name, errdefs.ErrInvalidArgument)
	}
	if !slices.Contains(keyScopes, scope) {
		return "", fmt.Errorf("invalid scope %q: use read, exec or admin: %w", scope, errdefs.ErrInvalidArgument)
	}
	secret, id := make([]byte, 32), make([]byte, 6)
	_, _ = rand.Read(secret)
	_, _ = rand.Read(id)
	plaintext = KeyPrefix + base64.RawURLEncoding.EncodeToString(secret)
	res, err := s.db.ExecContext(ctx,
		"INSERT INTO api_key (id, name, hash, scope, created) VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING",
		hex.EncodeToString(id), name, keyHash(plaintext), scope, time.Now().UnixMilli())
	if err != nil {
		return "", fmt.Errorf("keep the key %q in %s: %w", name, s.path, err)
	}
	if n, _ := res.RowsAffected(); n == 0 {
		return "", fmt.Errorf("there is a key %q already: revoke it or choose another name: %w", name, errdefs.ErrAlreadyExists)
	}
	return plaintext, nil
}

// Keys lists all keys by name.
func (s *Store) Keys(ctx context.Context) ([]Key, error) {
	rows, err := s.db.QueryContext(ctx, selectKey+" ORDER BY name")
	if err != nil {
		return nil, fmt.Errorf("read the keys from %s: %w", s.path, err)
	}
	defer func() { _ = rows.Close() }()
	var out []Key
	for rows.Next() {
		k, err := scanKey(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("read the keys from %s: %w", s.path, err)
		}
		out = append(out, k)
	}
	return out, rows.Err()
}

// RevokeKey deletes the key of that name or, where none has the name, that id.
// NotFound where there is none.
func (s *Store) RevokeKey(ctx context.Context, nameOrID string) error {
	res, err := s.db.ExecContext(ctx, `DELETE FROM api_key WHERE id =
		(SELECT id FROM api_key WHERE name = ?1 OR id = ?1 ORDER BY name = ?1 DESC LIMIT 1)`, nameOrID)
	if err != nil {
		return fmt.Errorf("revoke the key %q in %s: %w", nameOrID, s.path, err)
	}
	if n, _ := res.RowsAffected(); n == 0 {
		return fmt.Errorf("no key %q: list them with \"spaced key ls\": %w", nameOrID, errdefs.ErrNotFound)
	}
	return nil
}

// LookupKey finds the key of a text; NotFound for one that is unknown or
// revoked. The look-up is by hash, so its time tells nothing about the text.
func (s *Store) LookupKey(ctx context.Context, plaintext string) (Key, error) {
	return s.key(ctx, selectKey+" WHERE hash = ?", keyHash(plaintext))
}

// KeyByID finds a key that is still valid; NotFound for one that is not.
func (s *Store) KeyByID(ctx context.Context, id string) (Key, error) {
	return s.key(ctx, selectKey+" WHERE id = ?", id)
}

const selectKey = "SELECT id, name, scope, created FROM api_key"

func (s *Store) key(ctx context.Context, query string, arg any) (Key, error) {
	k, err := scanKey(s.db.QueryRowContext(ctx, query, arg).Scan)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Key{}, fmt.Errorf("unknown key: %w", errdefs.ErrNotFound)
	case err != nil:
		return Key{}, fmt.Errorf("look up a key in %s: %w", s.path, err)
	}
	return k, nil
}

func scanKey(scan func(...any) error) (k Key, err error) {
	var created int64
	err = scan(&k.ID, &k.Name, &k.Scope, &created)
	k.Created = time.UnixMilli(created).UTC()
	return k, err
}

func keyHash(plaintext string) []byte {
	h := sha256.Sum256([]byte(plaintext))
	return h[:]
}
