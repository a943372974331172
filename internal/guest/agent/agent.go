// Package agent is the guest's side of the channel: it runs inside a space,
// starts commands there and carries their streams. It must stay small and
// few-threaded, because it shares the space's process and memory limits.
package agent

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// stopGrace is how long commands get to end after the guest was told to stop.
const stopGrace = 4 * time.Second

// Agent runs the commands of one space. There is at most one in a process,
// because it reaps every child of the process.
type Agent struct {
	env    []string
	group  cgroup
	gate   *gate
	reaper *reaper
	end    context.CancelFunc
	ended  sync.WaitGroup
}

// New starts an agent whose commands inherit env. Close ends it.
func New(env []string) *Agent { return newAgent(env, "/sys/fs/cgroup") }

func newAgent(env []string, cgroupRoot string) *Agent {
	ctx, end := context.WithCancel(context.Background())
	group := findCgroup(cgroupRoot)
	a := &Agent{env: env, group: group, gate: newGate(group), reaper: newReaper(), end: end}
	ready := make(chan struct{})
	a.ended.Go(func() { a.reaper.run(ctx, ready) })
	<-ready
	return a
}

// Close stops reaping. Running commands are left alone.
func (a *Agent) Close() {
	a.end()
	a.ended.Wait()
}

// Serve answers every connection of ln as one multiplexed session until ctx
// ends; then the running commands are told to end and get a few seconds.
func (a *Agent) Serve(ctx context.Context, ln net.Listener) error {
	h := newHTTPServer(a)
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
	defer stop()
	err := a.accept(ctx, ln, h)
	a.shutdown()
	h.close()
	return err
}

func (a *Agent) accept(ctx context.Context, ln net.Listener, h *httpServer) error {
	for {
		conn, err := ln.Accept()
		switch {
		case err == nil && trusted(conn):
			h.serve(conn)
		case err == nil:
			_ = conn.Close()
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.ECONNABORTED):
			pause(ctx, 50*time.Millisecond)
		default:
			return err
		}
	}
}

// shutdown forwards the stop to every command and waits for their end, at most
// stopGrace.
func (a *Agent) shutdown() {
	a.gate.close()
	a.reaper.endAll()
	ctx, cancel := context.WithTimeout(context.Background(), stopGrace)
	defer cancel()
	for ctx.Err() == nil && a.reaper.running() > 0 {
		pause(ctx, 10*time.Millisecond)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// trusted refuses other users of the space: they could run commands as ours.
func trusted(conn net.Conn) bool {
	u, ok := conn.(*net.UnixConn)
	if !ok {
		return true
	}
	uid, err := peerUID(u)
	return err == nil && (uid == os.Geteuid() || uid == 0)
}
