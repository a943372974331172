package store

import (
	"context"
	"fmt"
	"time"
)

// LastActivity gives when each space was last used, to the millisecond.
func (s *Store) LastActivity(ctx context.Context) (map[string]time.Time, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT space, at FROM activity")
	if err != nil {
		return nil, fmt.Errorf("read the last activity from %s: %w", s.path, err)
	}
	defer func() { _ = rows.Close() }()
	out := map[string]time.Time{}
	for rows.Next() {
		var name string
		var at int64
		if err := rows.Scan(&name, &at); err != nil {
			return nil, fmt.Errorf("read the last activity from %s: %w", s.path, err)
		}
		out[name] = time.UnixMilli(at).UTC()
	}
	return out, rows.Err()
}

// SetLastActivity keeps the times of at in one transaction. A zero time forgets
// the space.
func (s *Store) SetLastActivity(ctx context.Context, at map[string]time.Time) error {
	if len(at) == 0 {
		return nil
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("keep the last activity in %s: %w", s.path, err)
	}
	defer func() { _ = tx.Rollback() }()
	for name, t := range at {
		if t.IsZero() {
			_, err = tx.ExecContext(ctx, "DELETE FROM activity WHERE space = ?", name)
		} else {
			_, err = tx.ExecContext(ctx, "INSERT INTO activity (space, at) VALUES (?, ?) ON CONFLICT (space) DO UPDATE SET at = excluded.at",
				name, t.UnixMilli())
		}
		if err != nil {
			return fmt.Errorf("keep the last activity of %q in %s: %w", name, s.path, err)
		}
	}
	return tx.Commit()
}
