package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
)

// NodeID is this node's random identity, made at first use: 16 hex digits.
func (s *Store) NodeID(ctx context.Context) (string, error) {
	b, err := s.secret(ctx, "node-id", 8)
	return hex.EncodeToString(b), err
}

// SessionSecret signs the dashboard's cookies; made at first use: 32 bytes.
func (s *Store) SessionSecret(ctx context.Context) ([]byte, error) {
	return s.secret(ctx, "session-secret", 32)
}

// secret gives the random value of that name, made once whoever asks first.
func (s *Store) secret(ctx context.Context, name string, size int) ([]byte, error) {
	b := make([]byte, size)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process instead
	if _, err := s.db.ExecContext(ctx, "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", name, b); err != nil {
		return nil, fmt.Errorf("keep the %s in %s: %w", name, s.path, err)
	}
	if err := s.db.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = ?", name).Scan(&b); err != nil {
		return nil, fmt.Errorf("read the %s from %s: %w", name, s.path, err)
	}
	return b, nil
}
