package testkit

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/docker-space/docker-space/internal/space"
)

// Journal is a journal and activity store in memory.
type Journal struct {
	mu      sync.Mutex
	pending map[string]space.PendingCreate
	used    map[string]time.Time
}

var (
	_ space.Journal  = (*Journal)(nil)
	_ space.Activity = (*Journal)(nil)
)

// BeginCreate notes a create.
func (j *Journal) BeginCreate(_ context.Context, p space.PendingCreate) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.pending == nil {
		j.pending = map[string]space.PendingCreate{}
	}
	j.pending[p.Token] = p
	return nil
}

// EndCreate forgets it.
func (j *Journal) EndCreate(_ context.Context, token string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.pending, token)
	return nil
}

// PendingCreates lists what has not ended.
func (j *Journal) PendingCreates(context.Context) ([]space.PendingCreate, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Collect(maps.Values(j.pending)), nil
}

// LastActivity gives what was kept.
func (j *Journal) LastActivity(context.Context) (map[string]time.Time, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return maps.Clone(j.used), nil
}

// SetLastActivity keeps it.
func (j *Journal) SetLastActivity(_ context.Context, at map[string]time.Time) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.used == nil {
		j.used = map[string]time.Time{}
	}
	maps.Copy(j.used, at)
	return nil
}
