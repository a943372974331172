package space

import (
	"context"
	"sync"
)

// keyed is a set of mutexes by name, each kept only while somebody holds it or
// waits for it.
type keyed struct {
	mu    sync.Mutex
	locks map[string]*keyedLock
}

type keyedLock struct {
	held chan struct{}
	refs int
}

// lock waits for the mutex of key, or for ctx. The caller calls the answer once.
func (k *keyed) lock(ctx context.Context, key string) (unlock func(), err error) {
	l := k.acquire(key)
	select {
	case l.held <- struct{}{}:
		return func() { <-l.held; k.release(key, l) }, nil
	case <-ctx.Done():
		k.release(key, l)
		return nil, ctx.Err()
	}
}

// tryLock takes the mutex of key only where nobody has it.
func (k *keyed) tryLock(key string) (unlock func(), ok bool) {
	l := k.acquire(key)
	select {
	case l.held <- struct{}{}:
		return func() { <-l.held; k.release(key, l) }, true
	default:
		k.release(key, l)
		return nil, false
	}
}

// held tells whether somebody has the mutex of key or waits for it.
func (k *keyed) held(key string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.locks[key] != nil
}

func (k *keyed) acquire(key string) *keyedLock {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.locks == nil {
		k.locks = map[string]*keyedLock{}
	}
	l := k.locks[key]
	if l == nil {
		l = &keyedLock{held: make(chan struct{}, 1)}
		k.locks[key] = l
	}
	l.refs++
	return l
}

func (k *keyed) release(key string, l *keyedLock) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if l.refs--; l.refs == 0 {
		delete(k.locks, key)
	}
}
