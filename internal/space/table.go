package space

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// entry is what is known of one name: its container, its workspace, or both.
type entry struct {
	container *Container
	volume    *Volume
	// changed is the table's sequence number at the last change: a listing that
	// began before it must not undo it.
	changed uint64
}

// table is the live cache of what the engine holds, by name. Names that differ
// only in case are one, so keys are lower case.
type table struct {
	mu      sync.RWMutex
	entries map[string]entry
	used    map[string]time.Time
	dirty   map[string]time.Time
	seq     uint64
}

func newTable() *table {
	return &table{entries: map[string]entry{}, used: map[string]time.Time{}, dirty: map[string]time.Time{}}
}

func key(name string) string { return strings.ToLower(name) }

func (t *table) get(name string) (entry, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	e := t.entries[key(name)]
	return e, !e.empty()
}

// all gives every entry, ordered by name.
func (t *table) all() []entry {
	t.mu.RLock()
	defer t.mu.RUnlock()
	out := make([]entry, 0, len(t.entries))
	for _, k := range slices.Sorted(maps.Keys(t.entries)) {
		if e := t.entries[k]; !e.empty() {
			out = append(out, e)
		}
	}
	return out
}

// change applies f to a name's entry.
func (t *table) change(name string, f func(*entry)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.apply(key(name), f)
}

// changeSince does so unless the entry has changed since mark.
func (t *table) changeSince(mark uint64, name string, f func(*entry)) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.entries[key(name)].changed > mark {
		return false
	}
	t.apply(key(name), f)
	return true
}

// apply keeps also an entry that holds nothing afterwards, until the next
// listing: one that began before must not bring back what is gone.
func (t *table) apply(k string, f func(*entry)) {
	t.seq++
	e := t.entries[k]
	f(&e)
	e.changed = t.seq
	t.entries[k] = e
}

func (e entry) empty() bool { return e.container == nil && e.volume == nil }

// mark gives the point in time that a listing begins at, for replace.
func (t *table) mark() uint64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.seq
}

// replace takes a listing that began at mark. Entries changed since then, the
// emptied ones too, are newer than the listing and stay.
func (t *table) replace(mark uint64, cs []Container, vs []Volume) {
	fresh := map[string]entry{}
	for i := range cs {
		fresh[key(cs[i].Spec.Name)] = entry{container: &cs[i]}
	}
	for i := range vs {
		e := fresh[key(vs[i].Space)]
		e.volume = &vs[i]
		fresh[key(vs[i].Space)] = e
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for k, e := range t.entries {
		if e.changed > mark {
			fresh[k] = e
		}
	}
	t.entries = fresh
}

// touch notes that a space was used.
func (t *table) touch(name string, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.used[key(name)], t.dirty[key(name)] = at, at
}

func (t *table) lastUsed(name string) time.Time {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.used[key(name)]
}

// load takes what was kept over a restart.
func (t *table) load(used map[string]time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for k, at := range used {
		if at.After(t.used[k]) {
			t.used[k] = at
		}
	}
}

// takeDirty gives the times not yet kept, and forgets that they are not.
func (t *table) takeDirty() map[string]time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	d := t.dirty
	t.dirty = map[string]time.Time{}
	return d
}
