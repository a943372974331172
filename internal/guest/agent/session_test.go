package agent

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"gotest.tools/v3/assert"
	"gotest.tools/v3/poll"

	"github.com/docker-space/docker-space/internal/guest/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// caller is the daemon's end of one command.
type caller struct {
	t        *testing.T
	conn     net.Conn
	frames   *wire.Reader
	out, err bytes.Buffer
	taken    int
	served   chan struct{}
}

func newTestAgent(t *testing.T, cgroupRoot string, env ...string) *Agent {
	t.Helper()
	a := newAgent(append([]string{"PATH=" + os.Getenv("PATH")}, env...), cgroupRoot)
	t.Cleanup(a.Close)
	return a
}

func call(t *testing.T, a *Agent, loss Loss, req wire.Exec) *caller {
	t.Helper()
	ours, theirs := net.Pipe()
	c := &caller{t: t, conn: ours, frames: wire.NewReader(bufio.NewReader(ours)), served: make(chan struct{})}
	go func() {
		defer close(c.served)
		a.ServeExec(theirs, loss)
	}()
	t.Cleanup(func() {
		_ = ours.Close()
		if t.Failed() {
			a.reaper.endAll()
		}
		<-c.served
	})
	assert.NilError(t, wire.WriteJSON(ours, wire.Request, req))
	return c
}

func sh(script string) wire.Exec { return wire.Exec{Argv: []string{"sh", "-c", script}} }

// next gives the next frame that is not data, which it gathers.
func (c *caller) next() wire.Frame {
	c.t.Helper()
	for {
		assert.NilError(c.t, c.conn.SetReadDeadline(time.Now().Add(20*time.Second)))
		f, err := c.frames.Read()
		assert.NilError(c.t, err, "stdout so far %q", c.out.String())
		switch f.Type {
		case wire.Stdout:
			c.out.Write(f.Data)
		case wire.Stderr:
			c.err.Write(f.Data)
		case wire.Taken:
			n, err := wire.ParseCount(f.Data)
			assert.NilError(c.t, err)
			c.taken += n
		default:
			return f
		}
	}
}

func (c *caller) started() {
	c.t.Helper()
	f := c.next()
	assert.Equal(c.t, f.Type, wire.Started, "%s", f.Data)
}

func (c *caller) exit() wire.Status {
	c.t.Helper()
	f := c.next()
	assert.Equal(c.t, f.Type, wire.Exit, "%s", f.Data)
	var s wire.Status
	assert.NilError(c.t, json.Unmarshal(f.Data, &s))
	return s
}

func (c *caller) failed() wire.Failure {
	c.t.Helper()
	f := c.next()
	assert.Equal(c.t, f.Type, wire.Failed, "%s", f.Data)
	var e wire.Failure
	assert.NilError(c.t, json.Unmarshal(f.Data, &e))
	return e
}

func (c *caller) send(kind wire.Type, data string) {
	c.t.Helper()
	assert.NilError(c.t, wire.Write(c.conn, kind, []byte(data)))
}

func (c *caller) prints(want string) {
	c.t.Helper()
	for !strings.Contains(c.out.String(), want) {
		assert.NilError(c.t, c.conn.SetReadDeadline(time.Now().Add(20*time.Second)))
		f, err := c.frames.Read()
		assert.NilError(c.t, err, "waiting for %q, got %q", want, c.out.String())
		if f.Type == wire.Stdout {
			c.out.Write(f.Data)
		}
	}
}

func (c *caller) printedPID() int {
	c.t.Helper()
	c.prints("\n")
	pid, err := strconv.Atoi(strings.TrimSpace(c.out.String()))
	assert.NilError(c.t, err)
	return pid
}

func gone(pid int) poll.Check {
	return func(poll.LogT) poll.Result {
		if s, ok := readStat(pid); ok && !s.zombie {
			return poll.Continue("process %d lives", pid)
		}
		return poll.Success()
	}
}

func waitOn(t *testing.T, check poll.Check) {
	t.Helper()
	poll.WaitOn(t, check, poll.WithDelay(10*time.Millisecond), poll.WithTimeout(15*time.Second))
}

func TestStreamsAndExitCodeComeApart(t *testing.T) {
	c := call(t, newTestAgent(t, ""), RunOn, sh("printf out; printf err >&2; exit 3"))
	c.started()
	assert.DeepEqual(t, c.exit(), wire.Status{Code: 3})
	assert.Equal(t, c.out.String(), "out")
	assert.Equal(t, c.err.String(), "err")
}

func TestTheEnvironmentIsTheGuestsThenTheRequests(t *testing.T) {
	a := newTestAgent(t, "", "KEPT=1", "CHANGED=old")
	req := sh("echo $KEPT $CHANGED $NEW ${TERM-none}")
	req.Env = []string{"CHANGED=new", "NEW=2"}
	c := call(t, a, RunOn, req)
	c.started()
	c.exit()
	assert.Equal(t, c.out.String(), "1 new 2 none\n")
}

func TestWhatCannotBeStartedIsToldAsAShellDoes(t *testing.T) {
	dir := t.TempDir()
	assert.NilError(t, os.WriteFile(filepath.Join(dir, "plain"), []byte("#!/bin/sh\n"), 0o644))
	assert.NilError(t, os.WriteFile(filepath.Join(dir, "badshebang"), []byte("#!/nowhere/sh\n"), 0o755))
	assert.NilError(t, os.WriteFile(filepath.Join(dir, "binary"), []byte{1, 2, 3}, 0o755))
	for _, tc := range []struct {
		name, says string
		code       int
	}{
		{"no-such-program", "not found in $PATH", 127},
		{"./missing", "no such file", 127},
		{"./badshebang", "interpreter", 127},
		{"./plain", "permission denied", 126},
		{"./binary", "exec format error", 126},
		{dir, "is a directory", 126},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := call(t, newTestAgent(t, ""), RunOn, wire.Exec{Argv: []string{tc.name}, Dir: dir})
			c.started()
			assert.DeepEqual(t, c.exit(), wire.Status{Code: tc.code})
			assert.Assert(t, strings.Contains(c.err.String(), tc.says), c.err.String())
			assert.Equal(t, c.out.Len(), 0)
		})
	}
}

func TestOnATerminalAFailedStartEndsItsLineAsATerminalDoes(t *testing.T) {
	c := call(t, newTestAgent(t, ""), RunOn, wire.Exec{Argv: []string{"no-such-program"}, TTY: true})
	c.started()
	assert.DeepEqual(t, c.exit(), wire.Status{Code: 127})
	assert.Equal(t, c.out.String(), "no-such-program: executable file not found in $PATH\r\n")
	assert.Equal(t, c.err.Len(), 0)
}

func TestARequestThatMakesNoSenseIsRefused(t *testing.T) {
	a := newTestAgent(t, "")
	assert.Equal(t, call(t, a, RunOn, wire.Exec{}).failed().Kind, wire.FailInvalid)
	assert.Equal(t, call(t, a, RunOn, wire.Exec{Argv: []string{"a\x00b"}}).failed().Kind, wire.FailInvalid)
	for _, dir := range []string{"/nowhere/at/all", "/etc/passwd"} {
		f := call(t, a, RunOn, wire.Exec{Argv: []string{"true"}, Dir: dir}).failed()
		assert.Equal(t, f.Kind, wire.FailWorkdir)
		assert.Assert(t, strings.Contains(f.Message, dir), f.Message)
	}
}

func TestWithoutInteractiveTheCommandReadsTheEnd(t *testing.T) {
	c := call(t, newTestAgent(t, ""), RunOn, sh("cat; echo end"))
	c.started()
	assert.Equal(t, c.exit().Code, 0)
	assert.Equal(t, c.out.String(), "end\n")
}

func TestASignalIsNotBehindUnreadInput(t *testing.T) {
	req := wire.Exec{Argv: []string{"sleep", "600"}, Interactive: true}
	c := call(t, newTestAgent(t, ""), RunOn, req)
	c.started()
	for range wire.Window / (64 << 10) {
		c.send(wire.Stdin, strings.Repeat("x", 64<<10))
	}
	c.send(wire.Signal, "SIGINT")
	assert.DeepEqual(t, c.exit(), wire.Status{Code: 130, Signal: "INT"})
}

func TestInputBeyondTheWindowEndsTheCaller(t *testing.T) {
	req := sh("exec sleep 600")
	req.Interactive = true
	c := call(t, newTestAgent(t, ""), EndCommand, req)
	c.started()
	for {
		_ = c.conn.SetWriteDeadline(time.Now().Add(20 * time.Second))
		if wire.Write(c.conn, wire.Stdin, make([]byte, wire.Window)) != nil {
			break
		}
	}
	<-c.served
}

func TestKillReachesTheWholeFamily(t *testing.T) {
	// One child in the group, one in a session of its own that ignores TERM.
	c := call(t, newTestAgent(t, ""), RunOn, sh(`sleep 600 & setsid sh -c 'trap "" TERM; echo $$; while :; do sleep 1; done' & wait`))
	c.started()
	escaped := c.printedPID()
	c.send(wire.Kill, "")
	assert.DeepEqual(t, c.exit(), wire.Status{Code: 143, Signal: "TERM"})
	waitOn(t, gone(escaped))
}

func TestKillBeatsACommandThatIgnoresTERM(t *testing.T) {
	c := call(t, newTestAgent(t, ""), RunOn, sh(`trap "" TERM; echo $$; while :; do sleep 0.1; done`))
	c.started()
	pid := c.printedPID()
	c.send(wire.Kill, "")
	assert.DeepEqual(t, c.exit(), wire.Status{Code: 137, Signal: "KILL"})
	waitOn(t, gone(pid))
}

func TestALostCallerLeavesTheCommandRunning(t *testing.T) {
	file := filepath.Join(t.TempDir(), "done")
	// Far more output than any pipe holds: it must be drained, not block.
	c := call(t, newTestAgent(t, ""), RunOn, sh(fmt.Sprintf("echo ready; head -c 3000000 /dev/zero; echo yes > %s", file)))
	c.started()
	c.prints("ready")
	assert.NilError(t, c.conn.Close())
	waitOn(t, func(poll.LogT) poll.Result {
		if b, _ := os.ReadFile(file); string(b) == "yes\n" {
			return poll.Success()
		}
		return poll.Continue("not done")
	})
}

func TestALostCallerEndsACommandOfItsOwnGuest(t *testing.T) {
	c := call(t, newTestAgent(t, ""), EndCommand, sh("echo $$; exec sleep 600"))
	c.started()
	pid := c.printedPID()
	assert.NilError(t, c.conn.Close())
	waitOn(t, gone(pid))
}

func TestAProcessLeftBehindDoesNotHoldTheExit(t *testing.T) {
	c := call(t, newTestAgent(t, ""), RunOn, sh("sleep 600 & echo $!"))
	c.started()
	begin := time.Now()
	assert.Equal(t, c.exit().Code, 0)
	assert.Assert(t, time.Since(begin) < 10*time.Second)
	pid := c.printedPID()
	assert.Assert(t, syscall.Kill(pid, 0) == nil, "what was left behind lives on")
	assert.NilError(t, syscall.Kill(pid, syscall.SIGKILL))
	waitOn(t, gone(pid))
}

func TestOutputWrittenBeforeTheExitIsNeverCut(t *testing.T) {
	a := newTestAgent(t, "")
	for range 20 {
		c := call(t, a, RunOn, sh("sleep 600 & echo $! >&2; head -c 200000 /dev/zero"))
		c.started()
		c.exit()
		assert.Equal(t, c.out.Len(), 200000)
		pid, err := strconv.Atoi(strings.TrimSpace(c.err.String()))
		assert.NilError(t, err)
		assert.NilError(t, syscall.Kill(pid, syscall.SIGKILL))
	}
}

func TestAnEndlessWriterLeftBehindDoesNotHoldTheExit(t *testing.T) {
	c := call(t, newTestAgent(t, ""), RunOn, sh("yes & echo $! >&2"))
	c.started()
	assert.Equal(t, c.exit().Code, 0)
	pid, err := strconv.Atoi(strings.TrimSpace(c.err.String()))
	assert.NilError(t, err)
	waitOn(t, gone(pid)) // by SIGPIPE: nobody reads any more
}

func TestATerminal(t *testing.T) {
	req := sh("stty size; trap 'stty size; exit 7' WINCH; echo ready; while :; do sleep 0.05; done")
	req.TTY, req.Interactive, req.Cols, req.Rows = true, true, 100, 30
	c := call(t, newTestAgent(t, ""), RunOn, req)
	c.started()
	c.prints("30 100")
	c.prints("ready")
	c.send(wire.Resize, `{"cols":0,"rows":1}`) // no size: left alone
	c.send(wire.Resize, `{"cols":120,"rows":40}`)
	assert.Equal(t, c.exit().Code, 7)
	assert.Assert(t, strings.Contains(c.out.String(), "40 120"), c.out.String())
}

func TestAKeyOnTheTerminalInterrupts(t *testing.T) {
	req := sh("echo $TERM; cat; echo over")
	req.TTY, req.Interactive = true, true
	c := call(t, newTestAgent(t, ""), RunOn, req)
	c.started()
	c.prints("xterm")
	// The key goes to what runs in front: cat, once it answers.
	c.send(wire.Stdin, "hi\n")
	c.prints("hi\r\nhi\r\n")
	c.send(wire.Stdin, "\x03")
	assert.DeepEqual(t, c.exit(), wire.Status{Code: 130, Signal: "INT"})
}

func TestTheEndOfInputEndsATerminalsReader(t *testing.T) {
	req := wire.Exec{Argv: []string{"cat"}, TTY: true, Interactive: true}
	c := call(t, newTestAgent(t, ""), RunOn, req)
	c.started()
	c.send(wire.Stdin, "hi\n")
	c.send(wire.StdinEOF, "")
	assert.Equal(t, c.exit().Code, 0)
	assert.Equal(t, c.out.String(), "hi\r\nhi\r\n")
}

func TestAllOfATerminalsOutputArrives(t *testing.T) {
	req := wire.Exec{Argv: []string{"seq", "100000"}, TTY: true}
	c := call(t, newTestAgent(t, ""), RunOn, req)
	c.started()
	assert.Equal(t, c.exit().Code, 0)
	assert.Equal(t, strings.Count(c.out.String(), "\r\n"), 100000)
}

func TestChildrenGoFirstWhenMemoryIsShort(t *testing.T) {
	req := sh("read _ ; cat /proc/self/oom_score_adj")
	req.Interactive = true
	c := call(t, newTestAgent(t, ""), RunOn, req)
	c.started() // set by then
	c.send(wire.Stdin, "\n")
	assert.Equal(t, c.exit().Code, 0)
	assert.Equal(t, c.out.String(), "500\n")
}

func TestAKillForWantOfMemoryIsFlagged(t *testing.T) {
	root := t.TempDir()
	events := filepath.Join(root, "memory.events")
	assert.NilError(t, os.WriteFile(events, []byte("oom 0\noom_kill 4\n"), 0o644))
	a := newTestAgent(t, root)
	c := call(t, a, RunOn, sh("echo 'oom_kill 5' > "+events+"; kill -9 $$"))
	c.started()
	assert.DeepEqual(t, c.exit(), wire.Status{Code: 137, Signal: "KILL", OOMKilled: true})
	c = call(t, a, RunOn, sh("kill -9 $$"))
	c.started()
	assert.DeepEqual(t, c.exit(), wire.Status{Code: 137, Signal: "KILL"})
}

func TestACallerThatSendsNoRequestIsRefused(t *testing.T) {
	a := newTestAgent(t, "")
	ours, theirs := net.Pipe()
	served := make(chan struct{})
	go func() { defer close(served); a.ServeExec(theirs, RunOn) }()
	go func() { _ = wire.Write(ours, wire.Kill, nil) }()
	f, err := wire.NewReader(ours).Read()
	assert.NilError(t, err)
	assert.Equal(t, f.Type, wire.Failed)
	_, _ = io.Copy(io.Discard, ours)
	<-served
}
