package server

import (
	"bytes"
	"sync"
)

// Bounds of buffered output, in bytes: of one stream, and of all that are
// being captured at once.
const (
	captureLimit = 8 << 20
	captureTotal = 512 << 20
)

// budget is memory shared by all captures.
type budget struct {
	mu   sync.Mutex
	left int
}

// take gives up to n bytes.
func (b *budget) take(n int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n = min(n, b.left)
	b.left -= n
	return n
}

func (b *budget) give(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left += n
}

// capture keeps the first bytes of a stream and swallows the rest, so that the
// command can end. The caller reads buf after the command has ended.
type capture struct {
	total *budget
	buf   bytes.Buffer
	cut   bool
}

func (c *capture) Write(p []byte) (int, error) {
	n := c.total.take(min(len(p), captureLimit-c.buf.Len()))
	c.buf.Write(p[:n])
	c.cut = c.cut || n < len(p)
	return len(p), nil
}

func (c *capture) free() { c.total.give(c.buf.Len()) }
