package link

import (
	"encoding/json"
	"sync"

	"github.com/docker-space/docker-space/internal/guest/wire"
	"github.com/docker-space/docker-space/internal/space"
)

const chunk = 32 << 10

// control sends one control as its frame; a broken channel is read's to tell.
func (r *running) control(c space.Control) {
	switch {
	case c.Kill:
		r.kill(waitKilled)
	case c.Cols > 0:
		size, _ := json.Marshal(wire.Size{Cols: clamp(c.Cols), Rows: clamp(c.Rows)})
		_ = r.send(wire.Resize, size)
	case c.Signal != "":
		_ = r.send(wire.Signal, []byte(c.Signal))
	}
}

// sendStdin passes Stdin on as far as the guest gives credit, then its end.
func (r *running) sendStdin() {
	if r.s.Stdin == nil {
		_ = r.send(wire.StdinEOF, nil)
		return
	}
	buf := make([]byte, chunk)
	for {
		n, err := r.s.Stdin.Read(buf)
		if r.sendBytes(buf[:n]) != nil {
			return
		}
		if err != nil {
			_ = r.send(wire.StdinEOF, nil)
			return
		}
	}
}

func (r *running) sendBytes(data []byte) error {
	for len(data) > 0 {
		n, err := r.credit.take(len(data), r.done)
		if err != nil {
			return err
		}
		if err := r.send(wire.Stdin, data[:n]); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// credit is how many bytes of standard input may be sent.
type credit struct {
	mu   sync.Mutex
	left int
	most int
	more chan struct{}
}

func newCredit(n int) *credit {
	return &credit{left: n, most: n, more: make(chan struct{}, 1)}
}

// take waits for some credit and takes up to n, or fails once done is closed.
func (c *credit) take(n int, done <-chan struct{}) (int, error) {
	for {
		c.mu.Lock()
		got := min(n, c.left)
		c.left -= got
		c.mu.Unlock()
		if got > 0 {
			return got, nil
		}
		select {
		case <-c.more:
		case <-done:
			return 0, errEnded
		}
	}
}

// give adds credit, never beyond the window, whatever the guest says.
func (c *credit) give(n int) {
	c.mu.Lock()
	c.left = min(c.left+n, c.most)
	c.mu.Unlock()
	select {
	case c.more <- struct{}{}:
	default:
	}
}
