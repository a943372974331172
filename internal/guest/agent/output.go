package agent

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/docker-space/docker-space/internal/guest/wire"
)

// What is still read after the command has ended, while a process that it left
// behind holds the stream open.
const (
	quiet      = 100 * time.Millisecond // without a byte: nothing more comes
	drainWait  = 2 * time.Second        // of waiting in all
	drainBytes = 16 << 20
)

const chunk = 32 << 10

// output carries one stream of a command to the caller.
type output struct {
	file   *os.File
	kind   wire.Type
	frames *frames
	ended  atomic.Bool
}

// pump ends at the end of the stream, or soon after end was called.
func (o *output) pump() {
	buf := make([]byte, headroom+chunk)
	waited, drained := time.Duration(0), 0
	for waited < drainWait && drained < drainBytes {
		before, ended := time.Now(), o.ended.Load()
		n, err := o.read(buf[headroom:], ended)
		if ended {
			waited += time.Since(before)
			drained += n
		}
		if n > 0 {
			o.frames.sendBuffer(o.kind, buf[:headroom+n])
		}
		if err != nil {
			return
		}
	}
}

// end tells that the command has ended.
func (o *output) end() {
	o.ended.Store(true)
	_ = o.file.SetReadDeadline(time.Now().Add(quiet))
}

func (o *output) read(b []byte, ended bool) (int, error) {
	if ended {
		_ = o.file.SetReadDeadline(time.Now().Add(quiet))
	}
	n, err := o.file.Read(b)
	if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		return o.rest(b)
	}
	return n, err
}

// rest looks once more without waiting: the deadline may have passed while the
// space was frozen, with output in the pipe.
func (o *output) rest(b []byte) (int, error) {
	_ = o.file.SetReadDeadline(time.Time{})
	raw, err := o.file.SyscallConn()
	if err != nil {
		return 0, err
	}
	n := 0
	var readErr error
	if err := raw.Read(func(fd uintptr) bool {
		n, readErr = syscall.Read(int(fd), b)
		return true
	}); err != nil {
		return 0, err
	}
	if readErr != nil || n <= 0 {
		return 0, io.EOF
	}
	return n, nil
}
