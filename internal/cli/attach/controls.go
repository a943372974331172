package attach

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/docker-space/docker-space/internal/client"
)

// sizeTries is how often the size of a terminal that says 0x0 is asked again,
// each time 10 ms later than before.
const sizeTries = 10

// controls sends resizes and signals from a goroutine of its own.
type controls struct {
	streams Streams
	stream  *client.Stream
	pending chan string
	winch   chan os.Signal
	quit    chan struct{}
	done    chan struct{}
}

func newControls(s Streams, stream *client.Stream) *controls {
	c := &controls{
		streams: s, stream: stream,
		pending: make(chan string, 8), winch: make(chan os.Signal, 1),
		quit: make(chan struct{}), done: make(chan struct{}),
	}
	if s.TTY && s.Out.IsTerminal() {
		signal.Notify(c.winch, syscall.SIGWINCH)
	}
	go c.run()
	return c
}

// signal queues one; where the command takes none, more than a few are dropped.
func (c *controls) signal(name string) {
	select {
	case c.pending <- name:
	default:
	}
}

func (c *controls) stop() {
	signal.Stop(c.winch)
	close(c.quit)
	c.stream.Close()
	<-c.done
}

func (c *controls) run() {
	defer close(c.done)
	if c.streams.TTY && c.streams.Out.IsTerminal() {
		c.firstSize()
	}
	for {
		var err error
		select {
		case <-c.quit:
			return
		case name := <-c.pending:
			err = c.stream.Signal(name)
		case <-c.winch:
			err = c.resize()
		}
		if err != nil {
			// The stream is broken: its reader tells why.
			return
		}
	}
}

// firstSize sends the size once more after the start, because it may have
// changed meanwhile, or is not known yet to a terminal that was just opened.
func (c *controls) firstSize() {
	for try := range sizeTries {
		if cols, rows := c.streams.size(); cols > 0 && rows > 0 {
			_ = c.stream.Resize(cols, rows)
			return
		}
		select {
		case <-c.quit:
			return
		case <-c.winch:
		case <-time.After(time.Duration(try+1) * 10 * time.Millisecond):
		}
	}
}

func (c *controls) resize() error {
	cols, rows := c.streams.size()
	if cols == 0 || rows == 0 {
		return nil
	}
	return c.stream.Resize(cols, rows)
}

func (s Streams) size() (cols, rows int) {
	if !s.TTY {
		return 0, 0
	}
	h, w := s.Out.GetTtySize()
	return int(w), int(h)
}
