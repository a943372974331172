package e2e

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"gotest.tools/v3/assert"
	"gotest.tools/v3/poll"
)

func TestResizeReachesTheProgram(t *testing.T) {
	s := space(t, "resize")
	term := openTerminal(t, "docker-space", "exec", "-it", s, "--", "bash", "-c",
		`trap 'stty size' WINCH; stty size; echo ready; while :; do sleep 0.05; done`)
	term.shows("24 80")
	term.shows("ready")
	assert.NilError(t, pty.Setsize(term.pty, &pty.Winsize{Rows: 40, Cols: 132}))
	term.shows("40 132")
}

func TestCtrlCInterruptsTheInnerProgramOnly(t *testing.T) {
	s := space(t, "ctrl-c")
	term := openTerminal(t, "docker-space", "exec", "-it", s, "--", "bash", "--norc")
	term.types("echo shell-$((1+1))\n")
	term.shows("shell-2")
	term.types("sleep 1000; echo status-$?\n")
	term.shows("sleep 1000")
	// Typed before the shell has started sleep, Ctrl-C would hit the prompt.
	inside(t, s, `until pgrep -x sleep >/dev/null; do sleep 0.05; done`)
	term.types("\x03")
	term.types("echo after-$((2+2))\n")
	term.shows("after-4")
	term.types("exit 9\n")
	assert.Equal(t, term.code(), 9)
}

func TestCtrlCWithoutATerminalEndsTheCommandByItsSignal(t *testing.T) {
	needRoad(t)
	s := space(t, "sigint")
	cmd := road.command("docker-space", "exec", s, "--", "sh", "-c", `trap 'echo caught; exit 7' INT; echo ready; while :; do sleep 0.05; done`)
	out := &screen{}
	cmd.Stdout = out
	assert.NilError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	poll.WaitOn(t, out.contains("ready"), poll.WithTimeout(pollLimit))
	assert.NilError(t, cmd.Process.Signal(syscall.SIGINT))
	_ = cmd.Wait()
	assert.Equal(t, cmd.ProcessState.ExitCode(), 7)
	assert.Assert(t, strings.Contains(out.String(), "caught"), out.String())
}

func TestDetachKeysLeaveTheTerminal(t *testing.T) {
	s := space(t, "detach")
	term := openTerminal(t, "docker-space", "exec", "-it", "--detach-keys", "ctrl-x,q", s, "--", "bash", "--norc")
	term.types("echo up-$((1+1))\n")
	term.shows("up-2")
	term.types("\x18q")
	term.code()
}

func TestShellIsALoginShellInTheWorkspace(t *testing.T) {
	s := space(t, "shell")
	term := openTerminal(t, "docker-space", "shell", s)
	term.types("shopt -q login_shell && echo login-in:$PWD:\n")
	term.shows("login-in:/workspace:")
	term.types("exit 6\n")
	assert.Equal(t, term.code(), 6)
	inside(t, s, `grep -q login_shell /workspace/.bash_history && grep -q '^#[0-9]' /workspace/.bash_history`)
}

func TestDockerSpaceExecOnATerminal(t *testing.T) {
	s := space(t, "docker-tty")
	term := openTerminal(t, "docker", "space", "exec", "-it", s, "--", "bash", "--norc")
	term.types("test -t 0 && test -t 1 && echo tty-$((1+1))\n")
	term.shows("tty-2")
	term.types("exit 8\n")
	assert.Equal(t, term.code(), 8)
}

// space creates a space that the test owns.
func space(t *testing.T, name string) string {
	t.Helper()
	in := needRoad(t)
	out, err := in.command("docker-space", "create", name).CombinedOutput()
	assert.NilError(t, err, "%s", out)
	t.Cleanup(func() {
		if out, err := in.command("docker-space", "rm", "-f", "--volumes", name).CombinedOutput(); err != nil {
			t.Errorf("rm %s: %v\n%s", name, err, out)
		}
	})
	return name
}

// inside runs a line of sh in a space; it must succeed.
func inside(t *testing.T, space, line string) string {
	t.Helper()
	out, err := road.command("docker-space", "exec", space, "--", "sh", "-c", line).CombinedOutput()
	assert.NilError(t, err, "%s: %s", line, out)
	return string(out)
}

// terminal is a program on a pseudo terminal of 80 by 24.
type terminal struct {
	t      *testing.T
	pty    *os.File
	cmd    *exec.Cmd
	screen *screen
}

func openTerminal(t *testing.T, name string, args ...string) *terminal {
	t.Helper()
	term := &terminal{t: t, cmd: road.command(name, args...), screen: &screen{}}
	term.cmd.Env = append(term.cmd.Env, "TERM=xterm")
	f, err := pty.StartWithSize(term.cmd, &pty.Winsize{Rows: 24, Cols: 80})
	assert.NilError(t, err)
	term.pty = f
	copied := make(chan struct{})
	// It ends when the terminal is closed.
	go func() {
		defer close(copied)
		_, _ = io.Copy(term.screen, f)
	}()
	t.Cleanup(func() {
		_ = term.cmd.Process.Kill()
		f.Close()
		<-copied
		if t.Failed() {
			t.Logf("%s showed:\n%s", name, term.screen)
		}
	})
	return term
}

func (term *terminal) types(s string) {
	term.t.Helper()
	_, err := term.pty.WriteString(s)
	assert.NilError(term.t, err)
}

func (term *terminal) shows(s string) {
	term.t.Helper()
	poll.WaitOn(term.t, term.screen.contains(s), poll.WithTimeout(pollLimit))
}

// code waits for the program's end.
func (term *terminal) code() int {
	term.t.Helper()
	done := make(chan struct{})
	go func() {
		_ = term.cmd.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(pollLimit):
		_ = term.cmd.Process.Kill()
		<-done
		term.t.Fatalf("the program did not end within %s; it showed:\n%s", pollLimit, term.screen)
	}
	return term.cmd.ProcessState.ExitCode()
}

// screen collects what was printed.
type screen struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func (s *screen) contains(text string) poll.Check {
	return func(poll.LogT) poll.Result {
		if strings.Contains(s.String(), text) {
			return poll.Success()
		}
		return poll.Continue("%q was not shown", text)
	}
}
