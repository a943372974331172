package engine

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"gotest.tools/v3/assert"
	"gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/poll"

	"github.com/docker-space/docker-space/internal/space"
)

// ran is the outcome of a command in the background.
type ran struct {
	exit      space.Exit
	err       error
	out, errs string
}

func start(t *testing.T, c *Client, ctx context.Context, id string, cmd space.Command, s space.Streams) <-chan ran {
	t.Helper()
	done := make(chan ran, 1)
	go func() {
		var out, errs bytes.Buffer
		if s.Stdout == nil {
			s.Stdout = &out
		}
		s.Stderr = &errs
		exit, err := c.Exec(ctx, id, "", cmd, s)
		done <- ran{exit, err, out.String(), errs.String()}
	}()
	return done
}

func run(t *testing.T, c *Client, id string, cmd space.Command, s space.Streams) ran {
	t.Helper()
	select {
	case r := <-start(t, c, t.Context(), id, cmd, s):
		return r
	case <-time.After(time.Minute):
		t.Fatal("the command did not end")
		return ran{}
	}
}

func shell(line string) space.Command { return space.Command{Argv: []string{"sh", "-c", line}} }

func TestExec(t *testing.T) {
	c := real(t, nil)
	id := createAndStart(t, c, testSpec("exec"))
	code := func(r ran) int {
		t.Helper()
		assert.NilError(t, r.err)
		assert.Assert(t, r.exit.Code != nil)
		return *r.exit.Code
	}

	t.Run("streams, status, environment, folder", func(t *testing.T) {
		cmd := shell("echo out; echo err >&2; echo $A; pwd; exit 3")
		cmd.Env, cmd.Workdir = map[string]string{"A": "b=c d"}, "/etc"
		r := run(t, c, id, cmd, space.Streams{})
		assert.Equal(t, code(r), 3)
		assert.Equal(t, r.out, "out\nb=c d\n/etc\n")
		assert.Equal(t, r.errs, "err\n")
	})
	t.Run("input is byte-exact", func(t *testing.T) {
		in := make([]byte, 5<<20)
		_, err := rand.Read(in)
		assert.NilError(t, err)
		var out bytes.Buffer
		r := run(t, c, id, space.Command{Argv: []string{"cat"}, Interactive: true}, space.Streams{Stdin: bytes.NewReader(in), Stdout: &out})
		assert.Equal(t, code(r), 0)
		assert.Assert(t, bytes.Equal(in, out.Bytes()), "%d bytes came back of %d", out.Len(), len(in))
	})
	t.Run("without input the command reads the end at once", func(t *testing.T) {
		assert.Equal(t, code(run(t, c, id, space.Command{Argv: []string{"cat"}}, space.Streams{})), 0)
	})
	t.Run("another user", func(t *testing.T) {
		var out strings.Builder
		_, err := c.Exec(t.Context(), id, "65534", shell("id -u"), space.Streams{Stdout: &out})
		assert.NilError(t, err)
		assert.Equal(t, out.String(), "65534\n")
	})
	t.Run("no such command is 127", func(t *testing.T) {
		for _, name := range []string{"no-such-command", "/no/such"} {
			r := run(t, c, id, space.Command{Argv: []string{name}}, space.Streams{})
			assert.Equal(t, code(r), 127)
			assert.Equal(t, r.out, "")
			assert.Assert(t, cmp.Contains(r.errs, name))
		}
	})
	t.Run("not executable is 126", func(t *testing.T) {
		r := run(t, c, id, space.Command{Argv: []string{"/etc/passwd"}}, space.Streams{})
		assert.Equal(t, code(r), 126)
	})
	t.Run("a missing folder is the caller's mistake", func(t *testing.T) {
		cmd := shell("true")
		cmd.Workdir = "/no/such/folder"
		r := run(t, c, id, cmd, space.Streams{})
		assert.Assert(t, errdefs.IsInvalidArgument(r.err), "%v", r)
	})
	t.Run("output that looks like the engine's own", func(t *testing.T) {
		r := run(t, c, id, shell("echo '"+runtimeFailed+": not really'; exit 4"), space.Streams{})
		assert.Equal(t, code(r), 4)
		assert.Equal(t, r.out, runtimeFailed+": not really\n")
	})
	t.Run("signal by name", func(t *testing.T) {
		out := &marker{want: "up", seen: make(chan struct{})}
		control := make(chan space.Control, 1)
		done := start(t, c, t.Context(), id, shell("trap 'exit 9' USR1; echo up; while :; do sleep 0.05; done"), space.Streams{Stdout: out, Control: control})
		<-out.seen
		control <- space.Control{Signal: "USR1"}
		assert.Equal(t, code(<-done), 9)
	})
	t.Run("kill ends what ignores TERM, children too", func(t *testing.T) {
		out := &marker{want: "up", seen: make(chan struct{})}
		control := make(chan space.Control, 1)
		done := start(t, c, t.Context(), id, shell("trap '' TERM; sh -c 'sleep 987' & echo up; sleep 987"), space.Streams{Stdout: out, Control: control})
		<-out.seen
		control <- space.Control{Kill: true}
		assert.Equal(t, code(<-done), 137)
		assert.Equal(t, sh(t, c, id, "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c 'sleep [9]87' || true"), "0")
	})
	t.Run("the caller going away closes the attach", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		out := &marker{want: "up", seen: make(chan struct{})}
		done := start(t, c, ctx, id, shell("echo up; sleep 30"), space.Streams{Stdout: out})
		<-out.seen
		cancel()
		assert.ErrorIs(t, (<-done).err, context.Canceled)
	})
}

func TestExecTerminal(t *testing.T) {
	c := real(t, nil)
	id := createAndStart(t, c, testSpec("tty"))
	in, keys := io.Pipe()
	defer keys.Close()
	control := make(chan space.Control, 1)
	out := &marker{want: "40 100", seen: make(chan struct{})}
	cmd := shell("until [ \"$(stty size)\" = '40 100' ]; do sleep 0.02; done; stty size; read line; echo got-$line; exit 5")
	cmd.TTY, cmd.Interactive, cmd.Cols, cmd.Rows = true, true, 80, 24
	done := start(t, c, t.Context(), id, cmd, space.Streams{Stdin: in, Stdout: out, Control: control})
	control <- space.Control{Cols: 100, Rows: 40}
	<-out.seen
	_, err := keys.Write([]byte("typed\n"))
	assert.NilError(t, err)
	r := <-done
	assert.NilError(t, r.err)
	assert.Equal(t, *r.exit.Code, 5)
	assert.Assert(t, cmp.Contains(out.String(), "got-typed"))
}

func TestExecUnderADestroy(t *testing.T) {
	c := real(t, nil)
	for name, end := range map[string]func(string) error{
		"removed": func(id string) error { return c.Remove(t.Context(), id) },
		"stopped": func(id string) error { return c.Stop(t.Context(), id, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			id := createAndStart(t, c, testSpec(name))
			out := &marker{want: "up", seen: make(chan struct{})}
			done := start(t, c, t.Context(), id, shell("echo up; sleep 60"), space.Streams{Stdout: out})
			<-out.seen
			assert.NilError(t, end(id))
			r := <-done
			assert.NilError(t, r.err)
			assert.Assert(t, r.exit.Gone, "%+v", r.exit)
			assert.Assert(t, r.exit.Code == nil || *r.exit.Code != 0)
		})
	}
}

func TestExecInAContainerThatDoesNotRun(t *testing.T) {
	c := real(t, nil)
	id := create(t, c, testSpec("still"))
	r := run(t, c, id, shell("true"), space.Streams{})
	assert.Assert(t, errdefs.IsConflict(r.err), "%v", r.err)
	assert.NilError(t, c.Start(t.Context(), id))
	assert.NilError(t, c.Pause(t.Context(), id))
	r = run(t, c, id, shell("true"), space.Streams{})
	assert.Assert(t, errdefs.IsConflict(r.err), "%v", r.err)
}

func TestDial(t *testing.T) {
	c := real(t, testGuest)
	id := createAndStart(t, c, testSpec("dial"))
	p, err := c.Dial(t.Context(), id, "", []string{"/.space/guest", "dial"})
	assert.NilError(t, err)
	defer p.Close()

	// What is there is given at once, however large the buffer.
	buf := make([]byte, 1<<20)
	for _, word := range []string{"a", "bc", strings.Repeat("d", 1000)} {
		_, err := p.Write([]byte(word))
		assert.NilError(t, err)
		n, err := io.ReadAtLeast(p, buf, len(word))
		assert.NilError(t, err)
		assert.Equal(t, string(buf[:n]), word)
	}

	data := make([]byte, 8<<20)
	_, err = rand.Read(data)
	assert.NilError(t, err)
	go func() {
		_, err := p.Write(data)
		assert.Check(t, err)
		assert.Check(t, p.(interface{ CloseWrite() error }).CloseWrite())
	}()
	back, err := io.ReadAll(p)
	assert.NilError(t, err, "the end after CloseWrite is a plain one")
	assert.Assert(t, bytes.Equal(back, data), "%d bytes came back", len(back))
}

func TestDialCloseEndsARead(t *testing.T) {
	c := real(t, nil)
	id := createAndStart(t, c, testSpec("close"))
	p, err := c.Dial(t.Context(), id, "", []string{"cat"})
	assert.NilError(t, err)
	ended := make(chan error, 1)
	go func() {
		_, err := p.Read(make([]byte, 10))
		ended <- err
	}()
	assert.NilError(t, p.Close())
	assert.Assert(t, <-ended != nil)
	poll.WaitOn(t, func(poll.LogT) poll.Result {
		if n := sh(t, c, id, "cat /proc/[0-9]*/comm | grep -cx cat"); n != "1" { // the one that looks
			return poll.Continue("%s cats run", n)
		}
		return poll.Success()
	}, poll.WithTimeout(10*time.Second))
}

func TestDialThatFailsSaysWhy(t *testing.T) {
	c := real(t, nil)
	id := createAndStart(t, c, testSpec("bad"))
	for want, argv := range map[string][]string{
		"no-such":   {"/.space/no-such"},
		"my reason": {"sh", "-c", "echo my reason >&2; exit 1"},
		"nothing":   {"true"},
	} {
		p, err := c.Dial(t.Context(), id, "", argv)
		assert.NilError(t, err)
		_, err = p.Read(make([]byte, 100))
		assert.ErrorContains(t, err, want)
		assert.Assert(t, errdefs.IsUnavailable(err))
		assert.NilError(t, p.Close())
	}
	assert.NilError(t, c.Stop(t.Context(), id, 0))
	_, err := c.Dial(t.Context(), id, "", []string{"true"})
	assert.Assert(t, errdefs.IsConflict(err), "%v", err)
}

// marker tells once its text holds want.
type marker struct {
	bytes.Buffer
	want string
	seen chan struct{}
	told bool
}

func (w *marker) Write(b []byte) (int, error) {
	n, err := w.Buffer.Write(b)
	if !w.told && strings.Contains(w.String(), w.want) {
		w.told = true
		close(w.seen)
	}
	return n, err
}
