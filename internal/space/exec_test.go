package space_test

import (
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/containerd/errdefs"
	"gotest.tools/v3/assert"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/space"
)

func (b *bench) exec(t *testing.T, ctx context.Context, req api.ExecRequest) (space.Exit, error) {
	t.Helper()
	l, err := b.Acquire(ctx, "dev")
	assert.NilError(t, err)
	defer l.Release()
	return l.Exec(ctx, req, space.Streams{Stdout: io.Discard, Stderr: io.Discard})
}

func line(s string) api.ExecRequest { return api.ExecRequest{Command: api.Command{Shell: s}} }

func TestExecRefusesWhatCannotRun(t *testing.T) {
	b := newBench(t)
	b.create(t, "dev")
	for field, req := range map[string]api.ExecRequest{
		"command":   line("  "),
		"env":       {Command: api.Command{Shell: "x"}, Env: map[string]string{"A=B": "1"}},
		"workdir":   {Command: api.Command{Shell: "x"}, Workdir: "relative"},
		"user":      {Command: api.Command{Shell: "x"}, User: "a b"},
		"timeoutMs": {Command: api.Command{Shell: "x"}, TimeoutMs: -1},
	} {
		_, err := b.exec(t, t.Context(), req)
		var e *api.Error
		assert.Assert(t, code(err) == api.CodeInvalid, "%s: %v", field, err)
		assert.Assert(t, asError(err, &e) && e.Field == field, "%v", err)
	}
}

func TestATimeoutKillsAndSaysSo(t *testing.T) {
	b := newBench(t)
	b.create(t, "dev")
	b.guest.Run = func(ctx context.Context, _, _ string, _ space.Command, s space.Streams) (space.Exit, error) {
		select {
		case c := <-s.Control:
			assert.Check(t, c.Kill)
			n := 137
			return space.Exit{Code: &n, Signal: "KILL"}, nil
		case <-ctx.Done():
			return space.Exit{}, ctx.Err()
		}
	}
	req := line("sleep 100")
	req.TimeoutMs = 10
	exit, err := b.exec(t, t.Context(), req)
	assert.NilError(t, err)
	assert.Assert(t, exit.TimedOut)
	assert.Equal(t, *exit.Code, 137)
}

func TestDestroyDuringAnExecEndsItGone(t *testing.T) {
	b := newBench(t)
	b.create(t, "dev")
	running, broken := make(chan struct{}), make(chan struct{})
	b.guest.Run = func(context.Context, string, string, space.Command, space.Streams) (space.Exit, error) {
		close(running)
		<-broken
		return space.Exit{}, fmt.Errorf("lost: %w", errdefs.ErrUnavailable)
	}
	type result struct {
		exit space.Exit
		err  error
	}
	ended := make(chan result, 1)
	go func() {
		exit, err := b.exec(t, context.Background(), line("sleep 100"))
		ended <- result{exit, err}
	}()
	<-running
	_, err := b.Destroy(t.Context(), "dev", false)
	assert.NilError(t, err)
	close(broken)
	r := <-ended
	assert.NilError(t, r.err)
	assert.Assert(t, r.exit.Gone)
	assert.Assert(t, r.exit.Code == nil)
}

func TestABrokenChannelIsNeverSuccess(t *testing.T) {
	b := newBench(t)
	b.create(t, "dev")
	b.guest.Run = func(context.Context, string, string, space.Command, space.Streams) (space.Exit, error) {
		return space.Exit{}, fmt.Errorf("lost: %w", errdefs.ErrUnavailable)
	}
	_, err := b.exec(t, t.Context(), line("true"))
	assert.Equal(t, code(err), api.CodeGuest)
}

func TestAnotherUserGetsAGuestOfItsOwn(t *testing.T) {
	b := newBench(t)
	b.create(t, "dev")
	var as string
	b.guest.Run = func(_ context.Context, _, user string, _ space.Command, _ space.Streams) (space.Exit, error) {
		as = user
		n := 0
		return space.Exit{Code: &n}, nil
	}
	req := line("id")
	req.User = "1001:1001" // the space's own
	_, err := b.exec(t, t.Context(), req)
	assert.NilError(t, err)
	assert.Equal(t, as, "")
	req.User = "root"
	_, err = b.exec(t, t.Context(), req)
	assert.NilError(t, err)
	assert.Equal(t, as, "root")
}

func TestMoreCommandsThanTheLimitAreRefused(t *testing.T) {
	b := newBench(t)
	b.create(t, "dev")
	var leases []*space.Lease
	for range space.MaxExecs {
		l, err := b.Acquire(t.Context(), "dev")
		assert.NilError(t, err)
		leases = append(leases, l)
	}
	_, err := b.Acquire(t.Context(), "dev")
	assert.Equal(t, code(err), api.CodeTooMany)
	for _, l := range leases {
		l.Release()
		l.Release()
	}
	_, err = b.exec(t, t.Context(), line("true"))
	assert.NilError(t, err)
}
