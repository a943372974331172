package space

import (
	"context"
	"sync"
	"time"

	"github.com/containerd/errdefs"
)

// awakeEvery is how often a command that has not started looks whether its
// space went to sleep under it.
const awakeEvery = 100 * time.Millisecond

// runAwake runs c, waking the space where it was paused or stopped between the
// lease and the command's start: by docker pause, say, whose event comes later.
// A command that had started freezes with its space.
func (l *Lease) runAwake(ctx context.Context, user string, c Command, streams Streams) (Exit, error) {
	begun := make(chan struct{})
	told, once := streams.Started, sync.Once{}
	streams.Started = func() {
		once.Do(func() { close(begun) })
		if told != nil {
			told()
		}
	}
	watch, stop := context.WithCancel(ctx)
	defer stop()
	go l.keepAwake(watch, begun)
	exit, err := l.run(ctx, user, c, streams)
	if !errdefs.IsConflict(err) || isClosed(begun) {
		return exit, err
	}
	// The engine refuses commands in a space that does not run.
	woken, wakeErr := l.s.wake(ctx, l.container)
	if wakeErr != nil {
		return exit, wakeErr
	}
	l.container = woken
	return l.run(ctx, user, c, streams)
}

// keepAwake reads the table only, so that waiting commands cost the engine
// nothing.
func (l *Lease) keepAwake(ctx context.Context, begun <-chan struct{}) {
	tick := time.NewTicker(awakeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-begun:
			return
		case <-tick.C:
		}
		e, ok := l.s.table.get(l.name)
		if !ok || e.container == nil || e.container.State != Paused {
			continue
		}
		if _, err := l.s.wake(ctx, *e.container); err != nil && ctx.Err() == nil {
			l.s.log.WarnContext(ctx, "a space was not woken for a command that waits in it", "space", l.name, "error", err)
		}
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
