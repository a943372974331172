package space

import (
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/docker-space/docker-space/internal/api"
)

// How many results are remembered, and for how long: the usual retry windows
// of HTTP clients are minutes.
const (
	idempotencyKeys = 1000
	idempotencyTTL  = 24 * time.Hour
	idempotencyMax  = 255
)

// idempotency remembers the results of creates by their Idempotency-Key.
// Failures are not remembered: a retry should try.
type idempotency struct {
	mu    sync.Mutex
	byKey map[string]*remembered
	order *list.List
}

type remembered struct {
	body [sha256.Size]byte
	at   time.Time
	done chan struct{}
	res  api.Space
	err  error
	pos  *list.Element
}

// do runs f once for a key: a repeat waits for the first and gets its result.
func (i *idempotency) do(ctx context.Context, key string, req api.CreateRequest, f func() (api.Space, error)) (api.Space, error) {
	if key == "" {
		return f()
	}
	if len(key) > idempotencyMax {
		return api.Space{}, api.Invalid("Idempotency-Key", "the Idempotency-Key is %d bytes; the limit is %d", len(key), idempotencyMax)
	}
	body, err := json.Marshal(req)
	if err != nil {
		return api.Space{}, err
	}
	for {
		r, first := i.claim(key, sha256.Sum256(body))
		if first {
			return i.run(key, r, f)
		}
		if r.body != sha256.Sum256(body) {
			return api.Space{}, api.Errorf(api.CodeConflict, "the Idempotency-Key %q was used for another request: choose a new key", key)
		}
		select {
		case <-r.done:
		case <-ctx.Done():
			return api.Space{}, ctx.Err()
		}
		// The first caller's going away is no result for this one: it tries itself.
		if !errors.Is(r.err, context.Canceled) && !errors.Is(r.err, context.DeadlineExceeded) {
			return r.res, r.err
		}
	}
}

// run keeps the result of f, or lets go of the key also where f panics.
func (i *idempotency) run(key string, r *remembered, f func() (api.Space, error)) (api.Space, error) {
	r.err = context.Canceled
	defer func() { i.finish(key, r) }()
	r.res, r.err = f()
	return r.res, r.err
}

func (i *idempotency) claim(key string, body [sha256.Size]byte) (r *remembered, first bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.byKey == nil {
		i.byKey, i.order = map[string]*remembered{}, list.New()
	}
	if r := i.byKey[key]; r != nil {
		if time.Since(r.at) < idempotencyTTL {
			return r, false
		}
		i.order.Remove(r.pos)
	}
	i.trim()
	r = &remembered{body: body, at: time.Now(), done: make(chan struct{})}
	r.pos = i.order.PushBack(key)
	i.byKey[key] = r
	return r, true
}

// trim forgets the oldest beyond the bound.
func (i *idempotency) trim() {
	for i.order.Len() >= idempotencyKeys {
		oldest := i.order.Front()
		delete(i.byKey, i.order.Remove(oldest).(string))
	}
}

func (i *idempotency) finish(key string, r *remembered) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if r.err != nil && i.byKey[key] == r {
		i.order.Remove(r.pos)
		delete(i.byKey, key)
	}
	close(r.done)
}
