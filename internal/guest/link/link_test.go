package link

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"gotest.tools/v3/assert"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/space"
)

func TestACommandRuns(t *testing.T) {
	p := newPool(t, newGuest(t))
	var out, errs bytes.Buffer
	started := 0
	c := sh(`printf "%s" "$A"; printf err >&2; pwd; exit 3`)
	c.Env, c.Workdir = map[string]string{"A": "out"}, "/"
	exit, err := p.Exec(t.Context(), "c", c, space.Streams{Stdout: &out, Stderr: &errs, Started: func() { started++ }})
	assert.NilError(t, err)
	assert.Equal(t, *exit.Code, 3)
	assert.Equal(t, out.String(), "out/\n")
	assert.Equal(t, errs.String(), "err")
	assert.Equal(t, started, 1)
}

func TestWhatCannotRunIsTheCallersError(t *testing.T) {
	p := newPool(t, newGuest(t))
	for field, c := range map[string]space.Command{
		"command": {},
		"workdir": {Argv: []string{"true"}, Workdir: "/nowhere"},
	} {
		_, err := p.Exec(t.Context(), "c", c, space.Streams{})
		var e *api.Error
		assert.Assert(t, errors.As(err, &e), "%v", err)
		assert.Equal(t, e.Code, api.CodeInvalid)
		assert.Equal(t, e.Field, field)
	}
	exit, err := p.Exec(t.Context(), "c", space.Command{Argv: []string{"no-such-program"}}, space.Streams{})
	assert.NilError(t, err)
	assert.Equal(t, *exit.Code, 127)
	_, err = p.Exec(t.Context(), "c", space.Command{Argv: []string{"echo", strings.Repeat("x", 2<<20)}}, space.Streams{})
	var e *api.Error
	assert.Assert(t, errors.As(err, &e) && e.Code == api.CodeTooLarge, "%v", err)
}

func TestFiftyMegabytesBothWays(t *testing.T) {
	g := newGuest(t)
	p := newPool(t, g)
	data := make([]byte, 50<<20)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(data)
	for name, run := range map[string]func(c space.Command, s space.Streams) (space.Exit, error){
		"channel": func(c space.Command, s space.Streams) (space.Exit, error) { return p.Exec(t.Context(), "c", c, s) },
		"own": func(c space.Command, s space.Streams) (space.Exit, error) {
			return p.ExecAs(t.Context(), "c", "root", c, s)
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := sha256.New()
			exit, err := run(space.Command{Argv: []string{"cat"}, Interactive: true}, space.Streams{Stdin: bytes.NewReader(data), Stdout: got})
			assert.NilError(t, err)
			assert.Equal(t, *exit.Code, 0)
			want := sha256.Sum256(data)
			assert.Assert(t, bytes.Equal(got.Sum(nil), want[:]))
		})
	}
}

func TestFiveHundredAtOnce(t *testing.T) {
	g := newGuest(t)
	p := newPool(t, g)
	var wg sync.WaitGroup
	errs := make(chan error, 500)
	for i := range 500 {
		wg.Go(func() {
			var out bytes.Buffer
			exit, err := p.Exec(t.Context(), "c", sh(fmt.Sprintf("sleep 0.5; echo %d; exit 4", i)), space.Streams{Stdout: &out})
			switch {
			case err != nil:
				errs <- err
			case exit.Code == nil || *exit.Code != 4 || out.String() != fmt.Sprintf("%d\n", i):
				errs <- fmt.Errorf("%d: exit %v, output %q", i, exit, out.String())
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
	assert.Equal(t, g.dials.Load(), int32(1), "one dial for all")
	assert.Assert(t, g.threads() <= 40, "threads of the guest: %d", g.threads())
}

func TestControlsReachATerminal(t *testing.T) {
	p := newPool(t, newGuest(t))
	control := make(chan space.Control)
	out := &lines{}
	ended := make(chan space.Exit, 1)
	go func() {
		c := sh("stty size; trap 'stty size; exit 7' WINCH; echo ready; while :; do sleep 0.05; done")
		c.TTY, c.Interactive, c.Cols, c.Rows = true, true, 100, 30
		stdin, _ := io.Pipe()
		exit, err := p.Exec(t.Context(), "c", c, space.Streams{Stdin: neverEnds(t, stdin), Stdout: out, Control: control})
		assert.Check(t, err)
		ended <- exit
	}()
	out.waitFor(t, "ready")
	control <- space.Control{Cols: 120, Rows: 1 << 20}
	exit := <-ended
	assert.Equal(t, *exit.Code, 7)
	assert.Assert(t, strings.Contains(out.String(), "30 100") && strings.Contains(out.String(), "65535 120"), out.String())
}

// neverEnds gives a reader that blocks until the test ends.
func neverEnds(t *testing.T, r *io.PipeReader) io.Reader {
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func TestASignalAndAKill(t *testing.T) {
	p := newPool(t, newGuest(t))
	for want, c := range map[string]space.Control{"INT": {Signal: "INT"}, "TERM": {Kill: true}} {
		control := make(chan space.Control, 1)
		exit, err := p.Exec(t.Context(), "c", space.Command{Argv: []string{"sleep", "600"}}, space.Streams{
			Control: control, Started: func() { control <- c },
		})
		assert.NilError(t, err)
		assert.Equal(t, exit.Signal, want)
	}
}

func TestAGoneCallerEndsTheCommand(t *testing.T) {
	g := newGuest(t)
	p := newPool(t, g)
	for name, run := range map[string]func(ctx context.Context, s space.Streams) (space.Exit, error){
		"channel": func(ctx context.Context, s space.Streams) (space.Exit, error) {
			return p.Exec(ctx, "c", sh("sleep 600 & echo $!; wait"), s)
		},
		"own": func(ctx context.Context, s space.Streams) (space.Exit, error) {
			return p.ExecAs(ctx, "c", "root", sh("sleep 600 & echo $!; wait"), s)
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			out := &lines{}
			ended := make(chan space.Exit, 1)
			go func() {
				exit, err := run(ctx, space.Streams{Stdout: out})
				assert.Check(t, err)
				ended <- exit
			}()
			pid := out.pid(t)
			cancel()
			exit := <-ended
			assert.Equal(t, exit.Signal, "TERM")
			assert.Assert(t, !alive(pid))
		})
	}
}

func TestOutputThatNobodyTakesEndsTheCommand(t *testing.T) {
	p := newPool(t, newGuest(t))
	exit, err := p.Exec(t.Context(), "c", space.Command{Argv: []string{"yes"}}, space.Streams{Stdout: broken{}})
	assert.NilError(t, err)
	assert.Equal(t, exit.Signal, "TERM")
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestALostChannelIsToldAndTheCommandRunsOn(t *testing.T) {
	g := newGuest(t)
	p := newPool(t, g)
	out := &lines{}
	ended := make(chan error, 1)
	go func() {
		exit, err := p.Exec(t.Context(), "c", sh("echo $$; exec sleep 600"), space.Streams{Stdout: out})
		assert.Check(t, exit.Code == nil)
		ended <- err
	}()
	pid := out.pid(t)
	g.cut()
	assert.Assert(t, errdefs.IsUnavailable(<-ended))
	assert.Assert(t, alive(pid))

	exit, err := p.Exec(t.Context(), "c", sh(fmt.Sprintf("kill -9 %d", pid)), space.Streams{})
	assert.NilError(t, err, "the channel is dialled again")
	assert.Equal(t, *exit.Code, 0)
	assert.Equal(t, g.dials.Load(), int32(2))
	eventually(t, "the end of the command", func() bool { return !alive(pid) })
}

func TestClosingThePoolLeavesCommandsRunning(t *testing.T) {
	g := newGuest(t)
	p := newPool(t, g)
	out := &lines{}
	ended := make(chan error, 1)
	go func() {
		_, err := p.Exec(t.Context(), "c", sh("echo $$; exec sleep 600"), space.Streams{Stdout: out})
		ended <- err
	}()
	pid := out.pid(t)
	p.Close()
	assert.Assert(t, errdefs.IsUnavailable(<-ended))
	assert.Assert(t, alive(pid))
	_, err := p.Exec(t.Context(), "c", sh("true"), space.Streams{})
	assert.Assert(t, errdefs.IsUnavailable(err))
	g.stop()
	eventually(t, "the guest's stop to reach the command", func() bool { return !alive(pid) })
}

func TestARestartedGuestIsDialledAgain(t *testing.T) {
	g := newGuest(t)
	p := newPool(t, g)
	run := func() error {
		_, err := p.Exec(t.Context(), "c", space.Command{Argv: []string{"true"}}, space.Streams{})
		return err
	}
	assert.NilError(t, run())
	g.stop()
	g.start()
	// A request may meet the dying session before its end is seen.
	eventually(t, "a command on the new guest", func() bool { return run() == nil })
	p.Forget("c")
	assert.NilError(t, run())
	assert.Equal(t, g.dials.Load(), int32(3))
}

func TestWarmDials(t *testing.T) {
	g := newGuest(t)
	p := newPool(t, g)
	p.Warm("c")
	eventually(t, "the dial", func() bool { return g.dials.Load() == 1 })
	_, err := p.Exec(t.Context(), "c", sh("true"), space.Streams{})
	assert.NilError(t, err)
	assert.Equal(t, g.dials.Load(), int32(1))
}

func TestAFrozenGuestBreaksNothing(t *testing.T) {
	g := newGuest(t)
	p := newPool(t, g)
	out := &lines{}
	ended := make(chan error, 1)
	control := make(chan space.Control, 1)
	go func() {
		_, err := p.Exec(t.Context(), "c", sh("echo $$; exec sleep 600"), space.Streams{Stdout: out, Control: control})
		ended <- err
	}()
	out.pid(t)
	g.freeze(true)
	control <- space.Control{Signal: "INT"}
	// A caller that goes away while it is frozen is not held.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := p.Exec(ctx, "c", sh("true"), space.Streams{})
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	g.freeze(false)
	assert.NilError(t, <-ended)
	assert.Equal(t, g.dials.Load(), int32(1))
}

func TestADialThatFailsIsTold(t *testing.T) {
	p := newPool(t, refusing{})
	_, err := p.Exec(t.Context(), "c", sh("true"), space.Streams{})
	assert.Assert(t, errdefs.IsNotFound(err))
	_, err = p.ExecAs(t.Context(), "c", "root", sh("true"), space.Streams{})
	assert.Assert(t, errdefs.IsNotFound(err))
}

type refusing struct{}

func (refusing) Dial(context.Context, string, string, []string) (io.ReadWriteCloser, error) {
	return nil, fmt.Errorf("no such container: %w", errdefs.ErrNotFound)
}

func TestAGuestThatCannotAnswerSaysWhy(t *testing.T) {
	p := newPool(t, failing{})
	_, err := p.Exec(t.Context(), "c", sh("true"), space.Streams{})
	assert.Assert(t, errdefs.IsUnavailable(err))
	assert.ErrorContains(t, err, "exec format error")
}

// failing connects to a dialler that cannot run.
type failing struct{}

func (failing) Dial(context.Context, string, string, []string) (io.ReadWriteCloser, error) {
	r, w := io.Pipe()
	_ = w.CloseWithError(errors.New("/.space/guest: exec format error"))
	return hole{r, w}, nil
}

func TestForgettingEndsADialInProgress(t *testing.T) {
	d := silent{asked: make(chan struct{}, 1)}
	p := newPool(t, d)
	ended := make(chan error, 1)
	go func() {
		_, err := p.Exec(t.Context(), "c", sh("true"), space.Streams{})
		ended <- err
	}()
	<-d.asked
	p.Forget("c")
	select {
	case err := <-ended:
		assert.Assert(t, errdefs.IsUnavailable(err), "%v", err)
	case <-time.After(10 * time.Second):
		t.Fatal("still dialling")
	}
}

// silent connects to nothing that ever answers.
type silent struct{ asked chan struct{} }

func (d silent) Dial(context.Context, string, string, []string) (io.ReadWriteCloser, error) {
	r, w := io.Pipe()
	d.asked <- struct{}{}
	return hole{r, w}, nil
}

type hole struct {
	*io.PipeReader
	w *io.PipeWriter
}

func (hole) Write(b []byte) (int, error) { return len(b), nil }
func (h hole) Close() error              { return h.w.Close() }

func BenchmarkTrue(b *testing.B) {
	p := newPool(b, newGuest(b))
	for b.Loop() {
		exit, err := p.Exec(b.Context(), "c", space.Command{Argv: []string{"true"}}, space.Streams{})
		if err != nil || *exit.Code != 0 {
			b.Fatal(exit, err)
		}
	}
}
