package store

import (
	"context"
	"fmt"
	"time"

	"github.com/docker-space/docker-space/internal/space"
)

// BeginCreate records a create in flight; it is on disk when it returns.
func (s *Store) BeginCreate(ctx context.Context, p space.PendingCreate) error {
	_, err := s.db.ExecContext(ctx, "INSERT INTO pending_create (token, space, begun) VALUES (?, ?, ?)",
		p.Token, p.Space, time.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("record the create of %q in %s: %w", p.Space, s.path, err)
	}
	return nil
}

// EndCreate forgets a create, whether it succeeded or was undone.
func (s *Store) EndCreate(ctx context.Context, token string) error {
	if _, err := s.db.ExecContext(ctx, "DELETE FROM pending_create WHERE token = ?", token); err != nil {
		return fmt.Errorf("forget a finished create in %s: %w", s.path, err)
	}
	return nil
}

// PendingCreates lists the creates that were begun and not ended, oldest first.
func (s *Store) PendingCreates(ctx context.Context) ([]space.PendingCreate, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT token, space FROM pending_create ORDER BY begun, token")
	if err != nil {
		return nil, fmt.Errorf("read the creates in flight from %s: %w", s.path, err)
	}
	defer func() { _ = rows.Close() }()
	var out []space.PendingCreate
	for rows.Next() {
		var p space.PendingCreate
		if err := rows.Scan(&p.Token, &p.Space); err != nil {
			return nil, fmt.Errorf("read the creates in flight from %s: %w", s.path, err)
		}
		out = append(out, p)
	}
	return out, rows.Err()
}
