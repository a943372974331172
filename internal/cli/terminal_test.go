package cli

import (
	"bytes"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker/cli/cli/command"
	"github.com/gorilla/websocket"
	"golang.org/x/sys/unix"
	"gotest.tools/v3/assert"
	"gotest.tools/v3/poll"
)

// terminal is a pty whose far side the commands get.
type terminal struct {
	*os.File
	tty *os.File
	err bytes.Buffer
}

func newTerminal(t *testing.T) *terminal {
	ptm, tty, err := pty.Open()
	assert.NilError(t, err)
	assert.NilError(t, pty.Setsize(ptm, &pty.Winsize{Rows: 24, Cols: 80}))
	term := &terminal{File: ptm, tty: tty}
	// Closing hangs up, which ends a read of the command's that still waits.
	t.Cleanup(func() {
		ptm.Close()
		tty.Close()
	})
	return term
}

// run runs a command line on the terminal.
func (x *terminal) run(t *testing.T, f Finder, args ...string) int {
	docker, err := command.NewDockerCli(command.WithInputStream(x.tty), command.WithOutputStream(x.tty), command.WithErrorStream(&x.err))
	assert.NilError(t, err)
	return execute(t.Context(), docker, f, args...)
}

func (x *terminal) settings(t *testing.T) unix.Termios {
	s, err := unix.IoctlGetTermios(int(x.tty.Fd()), unix.TCGETS)
	assert.NilError(t, err)
	return *s
}

func (x *terminal) isRaw(t *testing.T) bool { return x.settings(t).Lflag&unix.ICANON == 0 }

func (x *terminal) awaitRaw(t *testing.T) {
	poll.WaitOn(t, func(poll.LogT) poll.Result {
		if x.isRaw(t) {
			return poll.Success()
		}
		return poll.Continue("the terminal is not raw")
	})
}

func TestExecOnATerminalIsInteractive(t *testing.T) {
	x := newTerminal(t)
	before := x.settings(t)
	var got api.ExecRequest
	var typed string
	f := running(t, func(c *websocket.Conn, req api.ExecRequest) {
		got = req
		x.awaitRaw(t)
		_, _ = x.WriteString("a\x03")
		for len(typed) < 2 {
			kind, frame, err := c.ReadMessage()
			if err != nil {
				return
			}
			if kind == websocket.BinaryMessage {
				typed += string(frame[1:])
			}
		}
		exits(c, 3)
	})
	assert.Equal(t, x.run(t, f, "exec", "dev", "--", "bash"), 3)
	assert.Assert(t, got.Interactive && got.TTY)
	assert.Equal(t, got.Cols, 80)
	assert.Equal(t, got.Rows, 24)
	assert.Equal(t, typed, "a\x03", "Ctrl-C is a byte for the inner program")
	assert.Equal(t, x.settings(t), before, "the terminal is as it was")
	assert.Equal(t, x.err.String(), "")
}

func TestExecOnATerminalObeysExplicitFlags(t *testing.T) {
	for flag, want := range map[string][2]bool{"-i": {true, false}, "-t": {false, true}, "-i=false": {false, false}} {
		x := newTerminal(t)
		f := running(t, func(c *websocket.Conn, req api.ExecRequest) {
			assert.Check(t, [2]bool{req.Interactive, req.TTY} == want, flag)
			assert.Check(t, !x.isRaw(t))
			exits(c, 0)
		})
		assert.Equal(t, x.run(t, f, "exec", flag, "dev", "x"), 0)
	}
}

func TestAResizeReachesTheCommand(t *testing.T) {
	x := newTerminal(t)
	f := running(t, func(c *websocket.Conn, _ api.ExecRequest) {
		first, _ := await(c, api.FrameResize)
		assert.Check(t, first.Cols == 80 && first.Rows == 24, "%+v", first)
		assert.Check(t, pty.Setsize(x.File, &pty.Winsize{Rows: 50, Cols: 132}) == nil)
		_ = syscall.Kill(syscall.Getpid(), syscall.SIGWINCH)
		next, _ := await(c, api.FrameResize)
		assert.Check(t, next.Cols == 132 && next.Rows == 50, "%+v", next)
		exits(c, 0)
	})
	assert.Equal(t, x.run(t, f, "exec", "dev", "vi"), 0)
}

func TestASizeThatIsNotKnownYetIsAskedAgain(t *testing.T) {
	x := newTerminal(t)
	assert.NilError(t, pty.Setsize(x.File, &pty.Winsize{}))
	f := running(t, func(c *websocket.Conn, req api.ExecRequest) {
		assert.Check(t, req.Cols == 0)
		assert.Check(t, pty.Setsize(x.File, &pty.Winsize{Rows: 30, Cols: 100}) == nil)
		ctl, _ := await(c, api.FrameResize)
		assert.Check(t, ctl.Cols == 100 && ctl.Rows == 30, "%+v", ctl)
		exits(c, 0)
	})
	assert.Equal(t, x.run(t, f, "exec", "dev", "vi"), 0)
}

func TestDetachKeysLeaveTheCommand(t *testing.T) {
	for _, tc := range []struct {
		typed string
		args  []string
	}{
		{"\x10\x11", []string{"exec", "dev", "sh"}},
		{"\x01x", []string{"exec", "--detach-keys", "ctrl-a,x", "dev", "sh"}},
	} {
		x := newTerminal(t)
		before := x.settings(t)
		f := running(t, func(c *websocket.Conn, _ api.ExecRequest) {
			x.awaitRaw(t)
			_, _ = x.WriteString("ls\n" + tc.typed)
			_, ok := await(c, "nothing")
			assert.Check(t, !ok)
		})
		assert.Equal(t, x.run(t, f, tc.args...), 1)
		assert.Assert(t, strings.HasPrefix(x.err.String(), "read escape sequence: left dev"), x.err.String())
		assert.Equal(t, x.settings(t), before)
	}
}

func TestALostConnectionRestoresTheTerminal(t *testing.T) {
	x := newTerminal(t)
	before := x.settings(t)
	f := running(t, func(*websocket.Conn, api.ExecRequest) {})
	assert.Equal(t, x.run(t, f, "shell", "dev"), 125)
	assert.Assert(t, strings.Contains(x.err.String(), "exit status is not known"))
	assert.Equal(t, x.settings(t), before)
}

func TestRunWithoutACommandIsALoginShellOnATerminal(t *testing.T) {
	x := newTerminal(t)
	f := newFake(t)
	f.exec = func(c *websocket.Conn, req api.ExecRequest) {
		assert.Check(t, req.TTY && req.Interactive)
		assert.Check(t, strings.Join(req.Command.Argv, " ") == strings.Join(loginShell, " "))
		exits(c, 0)
	}
	assert.Equal(t, x.run(t, f, "run", "-q", "dev"), 0)
}

func TestRemoveAsksOnATerminal(t *testing.T) {
	for typed, want := range map[string]struct {
		code int
		log  string
	}{
		"y\n":   {0, "delete a?"},
		"YES\n": {0, "delete a?"},
		"n\n":   {1, ""},
		"\n":    {1, ""},
	} {
		x := newTerminal(t)
		f := newFake(t, aSpace("a", api.StatusRunning))
		_, err := x.WriteString(typed)
		assert.NilError(t, err)
		assert.Equal(t, x.run(t, f, "rm", "a"), want.code, "%q", typed)
		assert.Equal(t, f.log(), want.log)
		assert.Assert(t, strings.HasPrefix(x.err.String(), "Destroy a? The workspace is kept. [y/N] "), x.err.String())
	}
}
