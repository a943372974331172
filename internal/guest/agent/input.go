package agent

import (
	"errors"
	"os"
	"sync"
	"time"

	"github.com/docker-space/docker-space/internal/guest/wire"
)

var errWindow = errors.New("the caller sent more standard input than its window")

// endOfText is what a person types at a terminal to end the input.
const endOfText = 4

// input holds at most a window of standard input, so that frames behind it are
// read at once however slowly the command reads.
type input struct {
	frames *frames

	mu     sync.Mutex
	buf    []byte
	eof    bool
	wake   chan struct{}
	closed chan struct{}
	once   sync.Once
}

func newInput(f *frames) *input {
	return &input{frames: f, wake: make(chan struct{}, 1), closed: make(chan struct{})}
}

// add queues bytes for the command.
func (in *input) add(data []byte) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.buf)+len(data) > wire.Window {
		return errWindow
	}
	if !in.eof {
		in.buf = append(in.buf, data...)
	}
	in.nudge()
	return nil
}

// finish ends the input after what was queued.
func (in *input) finish() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.eof = true
	in.nudge()
}

func (in *input) nudge() {
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

// stop ends the pump at once.
func (in *input) stop(f *os.File) {
	in.once.Do(func() { close(in.closed) })
	if f != nil {
		_ = f.SetWriteDeadline(time.Unix(1, 0))
	}
}

// pump writes to f until the input ends or stop. What a command that closed its
// end does not take is dropped, so that the caller comes to its own end. A
// terminal stays open: its end is a key.
func (in *input) pump(f *os.File, tty bool) {
	if !tty {
		defer f.Close()
	}
	var broken error
	for {
		data, eof := in.take()
		if len(data) > 0 && broken == nil {
			_, broken = f.Write(data)
		}
		if len(data) > 0 {
			in.frames.send(wire.Taken, wire.Count(len(data)))
			continue
		}
		if eof {
			if tty && broken == nil {
				_, _ = f.Write([]byte{endOfText})
			}
			return
		}
		select {
		case <-in.wake:
		case <-in.closed:
			return
		}
	}
}

func (in *input) take() ([]byte, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	data := in.buf
	in.buf = nil
	return data, in.eof
}
