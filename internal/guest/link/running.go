package link

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/guest/wire"
	"github.com/docker-space/docker-space/internal/space"
)

// How long a killed command's end is waited for: by a caller that is gone, and
// by one that asked for the kill.
const (
	waitGone   = 5 * time.Second
	waitKilled = 30 * time.Second
)

// running is one command on its stream.
type running struct {
	ctx    context.Context // ends when the caller is gone or its output fails
	cancel context.CancelCauseFunc
	rw     io.ReadWriteCloser
	s      space.Streams
	done   chan struct{} // closed when the end is known or given up
	credit *credit

	write sync.Mutex // one frame at a time; held while a frozen guest does not read
	mu    sync.Mutex
	timer *time.Timer
}

// run carries one command over rw from the request to its end, and closes rw.
// It never waits for a write, because a frozen guest takes none.
func run(ctx context.Context, rw io.ReadWriteCloser, request []byte, head head, c space.Command, s space.Streams) (space.Exit, error) {
	r := &running{rw: rw, s: s, done: make(chan struct{}), credit: newCredit(wire.Window)}
	r.ctx, r.cancel = context.WithCancelCause(ctx)
	defer r.finish()
	// The first write is the request's: the lock is handed to begin.
	r.write.Lock()
	go r.begin(request, c.Interactive)
	defer context.AfterFunc(r.ctx, func() { r.kill(waitGone) })()
	exit, err := r.read(head)
	var told *api.Error
	switch {
	case err == nil || errors.As(err, &told) && r.ctx.Err() == nil:
		return exit, err
	case r.ctx.Err() != nil:
		return space.Exit{}, context.Cause(r.ctx)
	}
	return space.Exit{}, lost(err)
}

// begin sends the request and follows the controls; it holds the write lock
// when called, and ends with the command.
func (r *running) begin(request []byte, interactive bool) {
	_, err := r.rw.Write(request)
	r.write.Unlock()
	if err != nil {
		r.abandon()
		return
	}
	if interactive {
		// Not waited for: it ends when its read of Stdin returns.
		go r.sendStdin()
	}
	for {
		select {
		case c, ok := <-r.s.Control:
			if !ok {
				return
			}
			r.control(c)
		case <-r.done:
			return
		}
	}
}

// kill asks for the command's end, and gives up on hearing of it after wait.
func (r *running) kill(wait time.Duration) {
	r.mu.Lock()
	if r.timer != nil {
		r.timer.Stop()
	}
	r.timer = time.AfterFunc(wait, r.abandon)
	r.mu.Unlock()
	_ = r.send(wire.Kill, nil)
}

// abandon makes read return: closing alone does not end a read of a stream.
func (r *running) abandon() {
	if d, ok := r.rw.(interface{ SetReadDeadline(time.Time) error }); ok {
		_ = d.SetReadDeadline(time.Unix(1, 0))
	}
	_ = r.rw.Close()
}

// finish lets go of the stream. Closing tells the guest, which may be frozen;
// then it lasts until the guest goes on or the session ends.
func (r *running) finish() {
	close(r.done)
	r.cancel(nil)
	r.mu.Lock()
	if r.timer != nil {
		r.timer.Stop()
	}
	r.mu.Unlock()
	go r.rw.Close()
}

func (r *running) send(t wire.Type, data []byte) error {
	r.write.Lock()
	defer r.write.Unlock()
	return wire.Write(r.rw, t, data)
}
