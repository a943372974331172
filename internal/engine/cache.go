package engine

import (
	"sync"
	"time"

	"github.com/docker-space/docker-space/internal/space"
)

// trusted is how long an inspected container stands in for a new look: engine
// events are lossy, and a limit changed by `docker update` shows in no list.
const trusted = 2 * time.Minute

// cache keeps inspected containers of this instance between listings. It holds
// what the last listing held, and so is bounded by it.
type cache struct {
	mu   sync.Mutex
	byID map[string]cached
	// generation counts invalidations, so that a look that began before one is
	// not kept after it.
	generation uint64
}

type cached struct {
	container space.Container
	print     string // what the listing said when it was inspected
	at        time.Time
}

// fresh gives the containers that need no new look, and the generation to
// hand to replace.
func (c *cache) fresh(prints map[string]string, now time.Time) (map[string]cached, uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make(map[string]cached, len(prints))
	for id, print := range prints {
		e, ok := c.byID[id]
		if ok && e.print == print && now.Sub(e.at) < trusted {
			out[id] = e
		}
	}
	return out, c.generation
}

func (c *cache) replace(all map[string]cached, generation uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.generation == generation {
		c.byID = all
	}
}

// known tells whether id is one of ours; labels never change.
func (c *cache) known(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.byID[id]
	return ok
}

// stale makes the next listing look at id again.
func (c *cache) stale(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	if e, ok := c.byID[id]; ok {
		e.print = ""
		c.byID[id] = e
	}
}
