package agent

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// reaper collects every child of this process, ours and adopted orphans, from
// one goroutine: a wait per child would park a thread in each.
type reaper struct {
	mu    sync.Mutex // held over fork and over wait, so that no exit is lost
	procs map[int]*process
}

// process is one started command; its pid is also its process group's and its
// session's.
type process struct {
	reaper *reaper
	pid    int
	tty    bool               // shells on a terminal end by HUP, not by TERM
	done   chan struct{}      // closed when it was reaped
	status syscall.WaitStatus // valid once done
}

func newReaper() *reaper { return &reaper{procs: map[int]*process{}} }

// run reaps on every SIGCHLD until ctx ends; it closes ready once children may
// be started.
func (r *reaper) run(ctx context.Context, ready chan<- struct{}) {
	died := make(chan os.Signal, 1)
	signal.Notify(died, syscall.SIGCHLD)
	defer signal.Stop(died)
	close(ready)
	for {
		for r.reapOne() {
		}
		select {
		case <-died:
		case <-ctx.Done():
			return
		}
	}
}

func (r *reaper) reapOne() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	var status syscall.WaitStatus
	pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
	if err == syscall.EINTR {
		return true
	}
	if err != nil || pid <= 0 {
		return false
	}
	if p := r.procs[pid]; p != nil {
		delete(r.procs, pid)
		p.status = status
		close(p.done)
	}
	return true
}

// start forks and registers in one step.
func (r *reaper) start(tty bool, fork func() (int, error)) (*process, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	pid, err := fork()
	if err != nil {
		return nil, err
	}
	p := &process{reaper: r, pid: pid, tty: tty, done: make(chan struct{})}
	r.procs[pid] = p
	return p, nil
}

// signal reaches a process group while the command lives; afterwards the
// number may belong to someone else.
func (p *process) signal(group int, sig syscall.Signal) {
	p.reaper.mu.Lock()
	defer p.reaper.mu.Unlock()
	if p.reaper.procs[p.pid] == p {
		_ = syscall.Kill(-group, sig)
	}
}

// endAll asks every command to end.
func (r *reaper) endAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for pid, p := range r.procs {
		_ = syscall.Kill(-pid, syscall.SIGTERM)
		if p.tty {
			_ = syscall.Kill(-pid, syscall.SIGHUP)
		}
	}
}

func (r *reaper) running() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.procs)
}
