package agent

import (
	"context"
	"syscall"
	"time"
)

const (
	// killGrace is the time between TERM and KILL.
	killGrace = 2 * time.Second
	// killRounds bounds the hunt for processes that fork while they are killed.
	killRounds = 20
)

// kill ends the command and everything that descends from it, also what left
// its process group: TERM, then KILL. It returns when they are gone.
func (p *process) kill(grace time.Duration) {
	found := family(p.pid, nil)
	found.signal(p.pid, syscall.SIGTERM)
	if p.tty {
		found.signal(p.pid, syscall.SIGHUP)
	}
	waitGone(found, grace)
	for range killRounds {
		found = family(p.pid, found)
		if len(found) == 0 {
			return
		}
		found.signal(p.pid, syscall.SIGKILL)
		waitGone(found, 100*time.Millisecond)
	}
}

// waitGone polls, ever slower, until none of the processes is left.
func waitGone(procs kin, limit time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	step := 2 * time.Millisecond
	for ctx.Err() == nil && procs.anyAlive() {
		pause(ctx, step)
		step = min(2*step, 50*time.Millisecond)
	}
}
