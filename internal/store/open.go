package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// File is the database's name inside the state folder.
const File = "state.db"

// openLimit bounds opening: a check and migrations of a small file.
const openLimit = 30 * time.Second

// Store is the open database. It is safe for concurrent use.
type Store struct {
	db   *sql.DB
	path string
}

// Open opens or makes the database in dir, which must exist, and brings its
// schema up to date.
func Open(ctx context.Context, dir string) (*Store, error) {
	ctx, cancel := context.WithTimeout(ctx, openLimit)
	defer cancel()
	path := filepath.Join(dir, File)
	if err := touch(path); err != nil {
		return nil, fmt.Errorf("open the state database: %w: make the folder writable for this user or choose another --state-dir", err)
	}
	db, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		return nil, fmt.Errorf("open the state database %s: %w", path, err)
	}
	db.SetMaxOpenConns(4)
	s := &Store{db: db, path: path}
	if err := s.prepare(ctx); err != nil {
		_ = db.Close()
		return nil, err
	}
	return s, nil
}

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }

// touch makes the file private before SQLite would make it with the umask's
// mode; its WAL files take the same mode.
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// dsn asks for what the journal of creates rests on: synchronous=FULL makes a
// commit durable under WAL, and immediate transactions wait for each other
// instead of failing half-way.
func dsn(path string) string {
	q := url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)",
	}}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}

func (s *Store) prepare(ctx context.Context) error {
	unlock, err := lockMigration(ctx, s.path+".lock")
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.check(ctx); err != nil {
		return fmt.Errorf("the state database %s cannot be used: %w: move it away (with its -wal and -shm) and start again; "+
			"spaces live in the engine and are kept, keys and idle times start afresh", s.path, err)
	}
	return s.migrate(ctx)
}

func (s *Store) check(ctx context.Context) error {
	var verdict string
	if err := s.db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("it is damaged: %s", verdict)
	}
	return nil
}
