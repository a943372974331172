package space_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"go.uber.org/goleak"
	"gotest.tools/v3/assert"
	"gotest.tools/v3/poll"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/space"
	"github.com/docker-space/docker-space/internal/spec"
	"github.com/docker-space/docker-space/internal/testkit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type bench struct {
	*space.Service
	engine  *testkit.Engine
	guest   *testkit.Guest
	journal *testkit.Journal
	hook    atomic.Pointer[func(call string)]
}

// before makes f run before each of the engine's calls from now on.
func (b *bench) before(f func(call string)) {
	if f == nil {
		f = func(string) {}
	}
	b.hook.Store(&f)
}

// newBench gives a service whose table is in step with a fake engine.
func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{engine: testkit.NewEngine(), guest: &testkit.Guest{}, journal: &testkit.Journal{}}
	b.before(nil)
	b.engine.Before = func(call string) { (*b.hook.Load())(call) }
	b.Service = space.New(space.Config{
		Engine: b.engine, Guest: b.guest, Journal: b.journal, Activity: b.journal,
		Logger: slog.New(slog.DiscardHandler), Node: "n", Instance: "default",
		Defaults: spec.Limits{DefaultMemory: 2 << 30, DefaultCPUs: 1, DefaultImage: testkit.Image},
	})
	b.run(t)
	return b
}

func (b *bench) run(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	t.Cleanup(func() { cancel(); assert.NilError(t, <-done) })
	b.eventually(t, func() bool { _, err := b.List(ctx, true); return err == nil })
}

func (b *bench) eventually(t *testing.T, ok func() bool) {
	t.Helper()
	poll.WaitOn(t, func(poll.LogT) poll.Result {
		if ok() {
			return poll.Success()
		}
		return poll.Continue("not yet")
	}, poll.WithDelay(5*time.Millisecond), poll.WithTimeout(5*time.Second))
}

func (b *bench) create(t *testing.T, name string) api.Space {
	t.Helper()
	s, err := b.Create(t.Context(), api.CreateRequest{Name: name}, space.CreateOptions{})
	assert.NilError(t, err)
	return s
}

func (b *bench) status(t *testing.T, name string) api.Status {
	t.Helper()
	s, err := b.Get(t.Context(), name)
	assert.NilError(t, err)
	return s.Status
}

func code(err error) api.Code {
	var e *api.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestCreateGivesARunningSpace(t *testing.T) {
	b := newBench(t)
	s := b.create(t, "dev")
	assert.Equal(t, s.Status, api.StatusRunning)
	assert.Equal(t, s.Memory, int64(2<<30))
	assert.Equal(t, len(s.ID), 12)
	assert.Equal(t, s.Volume.Name, "space-dev")
	got, err := b.Get(t.Context(), "dev")
	assert.NilError(t, err)
	assert.Equal(t, got.Detail.NetworkEnforced, false)
	assert.Assert(t, got.Detail.NetworkNote != "")
}

func TestCreateOfATakenNameConflicts(t *testing.T) {
	b := newBench(t)
	b.create(t, "dev")
	_, err := b.Create(t.Context(), api.CreateRequest{Name: "dev"}, space.CreateOptions{})
	assert.Equal(t, code(err), api.CodeSpaceExists)
	_, err = b.Create(t.Context(), api.CreateRequest{Name: "DEV"}, space.CreateOptions{})
	assert.Equal(t, code(err), api.CodeInvalid)
}

func TestAHundredCreatorsOfOneNameMakeOneSpace(t *testing.T) {
	b := newBench(t)
	var made, refused atomic.Int32
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			_, err := b.Create(t.Context(), api.CreateRequest{Name: "dev"}, space.CreateOptions{})
			switch {
			case err == nil:
				made.Add(1)
			case code(err) == api.CodeSpaceExists:
				refused.Add(1)
			default:
				t.Errorf("unexpected error %v", err)
			}
		})
	}
	wg.Wait()
	assert.Equal(t, made.Load(), int32(1))
	assert.Equal(t, refused.Load(), int32(99))
	containers, volumes := b.engine.Leftovers()
	assert.Equal(t, containers, 1)
	assert.Equal(t, volumes, 1)
}

func TestAFailedCreateLeavesNothing(t *testing.T) {
	for _, step := range []string{"CreateVolume", "CreateContainer", "OwnWorkspace", "Start"} {
		t.Run(step, func(t *testing.T) {
			b := newBench(t)
			b.engine.Fail(step, fmt.Errorf("no space left: %w", errdefs.ErrResourceExhausted))
			_, err := b.Create(t.Context(), api.CreateRequest{Name: "dev"}, space.CreateOptions{})
			assert.Assert(t, errdefs.IsResourceExhausted(err), "%v", err)
			containers, volumes := b.engine.Leftovers()
			assert.Equal(t, containers+volumes, 0)
			pending, _ := b.journal.PendingCreates(t.Context())
			assert.Equal(t, len(pending), 0)
			b.engine.Fail(step, nil)
			b.create(t, "dev")
		})
	}
}

func TestAFailedCreateKeepsAnOldWorkspace(t *testing.T) {
	b := newBench(t)
	b.create(t, "dev")
	_, err := b.Destroy(t.Context(), "dev", false)
	assert.NilError(t, err)
	b.engine.Fail("Start", errors.New("broken"))
	_, err = b.Create(t.Context(), api.CreateRequest{Name: "dev"}, space.CreateOptions{})
	assert.ErrorContains(t, err, "broken")
	_, volumes := b.engine.Leftovers()
	assert.Equal(t, volumes, 1)
}

// A daemon killed between two steps leaves the note; the next one undoes it.
func TestInterruptedCreatesAreUndoneAtStart(t *testing.T) {
	for steps := range 3 {
		t.Run(fmt.Sprint(steps), func(t *testing.T) {
			e, j := testkit.NewEngine(), &testkit.Journal{}
			ctx := t.Context()
			assert.NilError(t, j.BeginCreate(ctx, space.PendingCreate{Token: "t", Space: "dev"}))
			if steps > 0 {
				_, err := e.CreateVolume(ctx, "dev", "t")
				assert.NilError(t, err)
			}
			if steps > 1 {
				_, err := e.CreateContainer(ctx, spec.Space{Name: "dev"}, space.Creation{Token: "t"})
				assert.NilError(t, err)
			}
			_, err := e.CreateVolume(ctx, "other", "u") // nobody's business
			assert.NilError(t, err)
			s := space.New(space.Config{Engine: e, Guest: &testkit.Guest{}, Journal: j, Activity: j, Logger: slog.New(slog.DiscardHandler)})
			assert.NilError(t, s.Sync(ctx))
			containers, volumes := e.Leftovers()
			assert.Equal(t, containers, 0)
			assert.Equal(t, volumes, 1)
		})
	}
}

func TestIdempotencyKeyGivesTheFirstResult(t *testing.T) {
	b := newBench(t)
	opt := space.CreateOptions{IdempotencyKey: "k"}
	first, err := b.Create(t.Context(), api.CreateRequest{Name: "dev"}, opt)
	assert.NilError(t, err)
	again, err := b.Create(t.Context(), api.CreateRequest{Name: "dev"}, opt)
	assert.NilError(t, err)
	assert.Equal(t, again.ID, first.ID)
	_, err = b.Create(t.Context(), api.CreateRequest{Name: "other"}, opt)
	assert.Equal(t, code(err), api.CodeConflict)
}

func TestAMissingImageIsPulledOnce(t *testing.T) {
	b := newBench(t)
	var lines []api.Progress
	opt := space.CreateOptions{Progress: func(p api.Progress) { lines = append(lines, p) }}
	_, err := b.Create(t.Context(), api.CreateRequest{Name: "dev", Image: "node:22"}, opt)
	assert.NilError(t, err)
	assert.Equal(t, lines[0].Status, "pulling node:22")
	assert.Equal(t, lines[1].ID, "abc")
	_, err = b.Create(t.Context(), api.CreateRequest{Name: "two", Image: "node:23", Pull: "never"}, space.CreateOptions{})
	assert.Equal(t, code(err), api.CodeImageNotFound)
	assert.Equal(t, b.engine.Calls("Pull"), 1)
}

func TestSleepAndWake(t *testing.T) {
	b := newBench(t)
	b.create(t, "dev")
	for range 2 { // twice: the second changes nothing
		assert.NilError(t, b.Stop(t.Context(), "dev"))
		assert.Equal(t, b.status(t, "dev"), api.StatusPaused)
	}
	assert.Equal(t, b.engine.Calls("Pause"), 1)
	for range 2 {
		assert.NilError(t, b.Start(t.Context(), "dev"))
		assert.Equal(t, b.status(t, "dev"), api.StatusRunning)
	}
	assert.Equal(t, b.engine.Calls("Unpause"), 1)
	assert.NilError(t, b.Restart(t.Context(), "dev"))
	assert.Equal(t, b.status(t, "dev"), api.StatusRunning)
}

func TestFiftyWaitersWakeASpaceOnce(t *testing.T) {
	b := newBench(t)
	b.create(t, "dev")
	assert.NilError(t, b.Stop(t.Context(), "dev"))
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			l, err := b.Acquire(t.Context(), "dev")
			if err != nil {
				t.Error(err)
				return
			}
			l.Release()
		})
	}
	wg.Wait()
	assert.Equal(t, b.engine.Calls("Unpause"), 1)
}

func TestDestroyKeepsTheWorkspaceUnlessAsked(t *testing.T) {
	b := newBench(t)
	b.create(t, "dev")
	freed, err := b.Destroy(t.Context(), "dev", false)
	assert.NilError(t, err)
	assert.Assert(t, freed == nil)
	_, err = b.Get(t.Context(), "dev")
	assert.Equal(t, code(err), api.CodeSpaceNotFound)
	_, err = b.Destroy(t.Context(), "dev", false)
	assert.Equal(t, code(err), api.CodeSpaceNotFound)

	all, err := b.List(t.Context(), true)
	assert.NilError(t, err)
	assert.Equal(t, all[0].Status, api.StatusMissing)
	some, err := b.List(t.Context(), false)
	assert.NilError(t, err)
	assert.Equal(t, len(some), 0)

	freed, err = b.Destroy(t.Context(), "dev", true)
	assert.NilError(t, err)
	assert.Equal(t, *freed, int64(4096))
	_, volumes := b.engine.Leftovers()
	assert.Equal(t, volumes, 0)
}

func TestCreateAndDestroyInARaceLeaveNothing(t *testing.T) {
	b := newBench(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 125 {
				_, _ = b.Create(t.Context(), api.CreateRequest{Name: "dev"}, space.CreateOptions{})
				_, _ = b.Destroy(t.Context(), "dev", true)
			}
		})
	}
	wg.Wait()
	_, _ = b.Destroy(t.Context(), "dev", true)
	containers, volumes := b.engine.Leftovers()
	assert.Equal(t, containers+volumes, 0)
}

func TestAContainerRemovedBehindOurBackLeavesItsWorkspace(t *testing.T) {
	b := newBench(t)
	s := b.create(t, "dev")
	full, err := b.Get(t.Context(), "dev")
	assert.NilError(t, err)
	assert.NilError(t, b.engine.Remove(t.Context(), full.Detail.ContainerID))
	b.eventually(t, func() bool {
		all, err := b.List(t.Context(), true)
		return err == nil && len(all) == 1 && all[0].Status == api.StatusMissing
	})
	_, err = b.Acquire(t.Context(), "dev")
	assert.Equal(t, code(err), api.CodeSpaceNotFound)
	again := b.create(t, "dev")
	assert.Assert(t, again.ID != s.ID)
	assert.Equal(t, b.engine.Calls("CreateVolume"), 1)
}

func TestTheEngineGoingAwayIsUnavailableAndMends(t *testing.T) {
	b := newBench(t)
	b.create(t, "dev")
	away := fmt.Errorf("connection refused: %w", errdefs.ErrUnavailable)
	for _, m := range []string{"Watch", "Containers", "Info", "Container"} {
		b.engine.Fail(m, away)
	}
	b.engine.Break()
	b.eventually(t, func() bool { _, err := b.List(t.Context(), false); return errdefs.IsUnavailable(err) })
	_, err := b.Create(t.Context(), api.CreateRequest{Name: "x"}, space.CreateOptions{})
	assert.Assert(t, errdefs.IsUnavailable(err))
	for _, m := range []string{"Watch", "Containers", "Info", "Container"} {
		b.engine.Fail(m, nil)
	}
	b.eventually(t, func() bool { _, err := b.List(t.Context(), false); return err == nil })
	assert.Equal(t, b.status(t, "dev"), api.StatusRunning)
}

func TestLastActivityOutlivesARestart(t *testing.T) {
	j := &testkit.Journal{}
	used := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	assert.NilError(t, j.SetLastActivity(t.Context(), map[string]time.Time{"dev": used}))
	b := &bench{engine: testkit.NewEngine(), guest: &testkit.Guest{}, journal: j}
	_, err := b.engine.CreateContainer(t.Context(), spec.Space{Name: "dev"}, space.Creation{})
	assert.NilError(t, err)
	b.Service = space.New(space.Config{Engine: b.engine, Guest: b.guest, Journal: j, Activity: j, Logger: slog.New(slog.DiscardHandler)})
	b.run(t)
	s, err := b.Get(t.Context(), "dev")
	assert.NilError(t, err)
	assert.Equal(t, s.LastActivity, used)
}

func asError(err error, target **api.Error) bool { return errors.As(err, target) }
