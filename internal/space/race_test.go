package space_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/errdefs"
	"gotest.tools/v3/assert"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/space"
)

// A wake that fails must give its place back: an engine that was away for a
// while would else leave the space refusing commands.
func TestFailedWakesUseUpNoRoom(t *testing.T) {
	b := newBench(t)
	b.create(t, "dev")
	assert.NilError(t, b.Stop(t.Context(), "dev"))
	b.engine.Fail("Container", fmt.Errorf("away: %w", errdefs.ErrUnavailable))
	for range space.MaxExecs + 1 {
		_, err := b.Acquire(t.Context(), "dev")
		assert.Assert(t, errdefs.IsUnavailable(err), "%v", err)
	}
	b.engine.Fail("Container", nil)
	l, err := b.Acquire(t.Context(), "dev")
	assert.NilError(t, err)
	l.Release()
}

// What a killed daemon left of a create must not become a new space's
// workspace: it would be deleted under it.
func TestANameIsClearedOfAnInterruptedCreateFirst(t *testing.T) {
	b := newBench(t)
	assert.NilError(t, b.journal.BeginCreate(t.Context(), space.PendingCreate{Token: "old", Space: "dev"}))
	_, err := b.engine.CreateVolume(t.Context(), "dev", "old")
	assert.NilError(t, err)
	b.create(t, "dev")
	assert.Equal(t, b.engine.Calls("OwnWorkspace"), 1, "the volume is a fresh one")
	assert.NilError(t, b.Sync(t.Context()))
	containers, volumes := b.engine.Leftovers()
	assert.Equal(t, containers, 1)
	assert.Equal(t, volumes, 1)
}

func TestAnInterruptedCreateThatStaysDoesNotHideTheSpaces(t *testing.T) {
	b := newBench(t)
	b.create(t, "dev")
	assert.NilError(t, b.journal.BeginCreate(t.Context(), space.PendingCreate{Token: "old", Space: "half"}))
	_, err := b.engine.CreateVolume(t.Context(), "half", "old")
	assert.NilError(t, err)
	b.engine.Fail("RemoveVolume", fmt.Errorf("volume is in use: %w", errdefs.ErrConflict))
	assert.NilError(t, b.Sync(t.Context()))
	b.engine.Fail("RemoveVolume", nil)
	assert.NilError(t, b.Sync(t.Context()))
	_, volumes := b.engine.Leftovers()
	assert.Equal(t, volumes, 1)
}

func TestAnExecDuringAPauseWaitsAndWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.create(t, "dev")
		pausing, proceed := make(chan struct{}), make(chan struct{})
		b.before(func(call string) {
			if call == "Pause" {
				close(pausing)
				<-proceed
			}
		})
		var wg sync.WaitGroup
		wg.Go(func() { assert.Check(t, b.Stop(context.Background(), "dev")) })
		<-pausing
		var acquired atomic.Bool
		wg.Go(func() {
			l, err := b.Acquire(context.Background(), "dev")
			if assert.Check(t, err) {
				acquired.Store(true)
				l.Release()
			}
		})
		synctest.Wait()
		assert.Assert(t, !acquired.Load(), "a command would freeze with the space")
		close(proceed)
		wg.Wait()
		assert.Equal(t, b.status(t, "dev"), api.StatusRunning)
	})
}

// docker pause may come between a lease and its command.
func TestACommandThatHasNotStartedWakesItsSpace(t *testing.T) {
	b := newBench(t)
	s := b.create(t, "dev")
	b.guest.Run = func(ctx context.Context, container, _ string, _ space.Command, s space.Streams) (space.Exit, error) {
		assert.Check(t, b.engine.Pause(ctx, container)) // behind spaced's back
		for ctx.Err() == nil {
			if c, err := b.engine.Container(ctx, container); err == nil && c.State == space.Running {
				s.Started()
				n := 0
				return space.Exit{Code: &n}, nil
			}
		}
		return space.Exit{}, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	exit, err := b.exec(t, ctx, line("true"))
	assert.NilError(t, err, s.ID)
	assert.Equal(t, *exit.Code, 0)
}

func TestACommandThatTheEngineRefusesIsTriedAgainAwake(t *testing.T) {
	b := newBench(t)
	b.create(t, "dev")
	var tries atomic.Int32
	b.guest.Run = func(ctx context.Context, container, _ string, _ space.Command, _ space.Streams) (space.Exit, error) {
		if tries.Add(1) == 1 {
			assert.Check(t, b.engine.Stop(ctx, container, 0))
			return space.Exit{}, fmt.Errorf("container is not running: %w", errdefs.ErrConflict)
		}
		n := 0
		return space.Exit{Code: &n}, nil
	}
	_, err := b.exec(t, t.Context(), line("true"))
	assert.NilError(t, err)
	assert.Equal(t, tries.Load(), int32(2))
	assert.Equal(t, b.status(t, "dev"), api.StatusRunning)
}

// The listing of an old event must not cost a restarted space its new channel.
func TestALateDeathDropsNoNewChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.create(t, "dev")
		got, err := b.Get(t.Context(), "dev")
		assert.NilError(t, err)
		synctest.Wait()
		id := got.Detail.ContainerID
		var forgot atomic.Int32
		b.guest.OnForget = func(string) { forgot.Add(1) }
		release := make(chan struct{})
		b.before(func(call string) {
			if call == "Container" {
				<-release
			}
		})
		assert.NilError(t, b.engine.Stop(t.Context(), id, 0))
		assert.NilError(t, b.engine.Start(t.Context(), id))
		close(release)
		synctest.Wait()
		assert.Equal(t, forgot.Load(), int32(0))
		assert.NilError(t, b.engine.Stop(t.Context(), id, 0))
		synctest.Wait()
		assert.Assert(t, forgot.Load() > 0, "a stopped space's channel is dropped")
	})
}

func TestTheFirstCallersGoingAwayIsNoResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		opt := space.CreateOptions{IdempotencyKey: "k"}
		release := make(chan struct{})
		b.before(func(call string) {
			if call == "Info" {
				<-release
			}
		})
		var wg sync.WaitGroup
		first, leave := context.WithCancel(t.Context())
		wg.Go(func() {
			_, err := b.Create(first, api.CreateRequest{Name: "dev"}, opt)
			assert.Check(t, err != nil)
		})
		synctest.Wait()
		wg.Go(func() {
			_, err := b.Create(context.Background(), api.CreateRequest{Name: "dev"}, opt)
			assert.Check(t, err)
		})
		synctest.Wait()
		leave()
		close(release)
		wg.Wait()
	})
}

func TestAPanicLetsGoOfItsIdempotencyKey(t *testing.T) {
	b := newBench(t)
	b.before(func(call string) {
		if call == "Info" {
			panic("bug")
		}
	})
	opt := space.CreateOptions{IdempotencyKey: "k"}
	func() {
		defer func() { assert.Equal(t, recover(), any("bug")) }()
		_, _ = b.Create(t.Context(), api.CreateRequest{Name: "dev"}, opt)
	}()
	b.before(nil)
	_, err := b.Create(t.Context(), api.CreateRequest{Name: "dev"}, opt)
	assert.NilError(t, err)
}

// A frozen or hostile guest that takes nothing must not hold a command beyond
// its timeout.
func TestATimeoutEndsAlsoWhereTheChannelTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.create(t, "dev")
		b.guest.Run = func(ctx context.Context, _, _ string, _ space.Command, _ space.Streams) (space.Exit, error) {
			<-ctx.Done()
			return space.Exit{}, context.Cause(ctx)
		}
		req, began := line("true"), time.Now()
		req.TimeoutMs = 1000
		exit, err := b.exec(t, t.Context(), req)
		assert.Equal(t, code(err), api.CodeGuest, "%v", err)
		assert.Assert(t, exit.TimedOut)
		assert.Assert(t, time.Since(began) < 10*time.Second, "%s", time.Since(began))
	})
}

// A queue of commands that wait for a wake must not ask the engine one by one.
func TestWaitersOfAWakeAskTheEngineOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.create(t, "dev")
		assert.NilError(t, b.Stop(t.Context(), "dev"))
		synctest.Wait()
		release := make(chan struct{})
		b.before(func(call string) {
			if call == "Unpause" {
				<-release
			}
		})
		looks := b.engine.Calls("Container")
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				l, err := b.Acquire(context.Background(), "dev")
				if assert.Check(t, err) {
					l.Release()
				}
			})
		}
		synctest.Wait()
		close(release)
		wg.Wait()
		synctest.Wait()
		assert.Assert(t, b.engine.Calls("Container")-looks < 10, "%d looks", b.engine.Calls("Container")-looks)
	})
}
