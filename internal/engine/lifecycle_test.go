package engine

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	"gotest.tools/v3/assert"
	"gotest.tools/v3/poll"

	"github.com/docker-space/docker-space/internal/space"
	"github.com/docker-space/docker-space/internal/spec"
)

func stateOf(t *testing.T, c *Client, id string) space.State {
	t.Helper()
	got, err := c.Container(t.Context(), id)
	assert.NilError(t, err)
	return got.State
}

func TestLifecycle(t *testing.T) {
	c := real(t, nil)
	ctx := t.Context()
	id := createAndStart(t, c, testSpec("life"))
	assert.NilError(t, c.Start(ctx, id), "start twice")
	assert.NilError(t, c.Pause(ctx, id))
	assert.Equal(t, stateOf(t, c, id), space.Paused)
	assert.Assert(t, errdefs.IsConflict(c.Pause(ctx, id)))
	assert.NilError(t, c.Unpause(ctx, id))
	assert.Assert(t, errdefs.IsConflict(c.Unpause(ctx, id)))
	assert.Equal(t, stateOf(t, c, id), space.Running)

	begin := time.Now()
	assert.NilError(t, c.Stop(ctx, id, 20*time.Second))
	assert.Assert(t, time.Since(begin) < 10*time.Second, "the sleeper must end when asked")
	assert.NilError(t, c.Stop(ctx, id, time.Second), "stop twice")
	assert.Assert(t, errdefs.IsConflict(c.Pause(ctx, id)))
	assert.NilError(t, c.Start(ctx, id), "start after stop")
	assert.NilError(t, c.Remove(ctx, id))
	assert.Assert(t, errdefs.IsNotFound(c.Remove(ctx, id)))
	_, err := c.Volume(ctx, "life")
	assert.NilError(t, err, "the workspace outlives its container")
}

func TestPausedContainerCanBeStoppedAndRemoved(t *testing.T) {
	c := real(t, nil)
	id := createAndStart(t, c, testSpec("frozen"))
	assert.NilError(t, c.Pause(t.Context(), id))
	assert.NilError(t, c.Stop(t.Context(), id, time.Second))
	assert.Equal(t, stateOf(t, c, id), space.Stopped)
	assert.NilError(t, c.Start(t.Context(), id))
	assert.NilError(t, c.Pause(t.Context(), id))
	assert.NilError(t, c.Remove(t.Context(), id))
}

func TestUpdateShowsInTheSpec(t *testing.T) {
	c := real(t, nil)
	id := createAndStart(t, c, testSpec("up"))
	_, err := c.Containers(t.Context())
	assert.NilError(t, err)
	assert.NilError(t, c.Update(t.Context(), id, 96<<20, 0))
	assert.NilError(t, c.Update(t.Context(), id, 0, 0.25))
	list, err := c.Containers(t.Context())
	assert.NilError(t, err)
	assert.Equal(t, list[0].Spec.Memory, int64(96<<20))
	assert.Equal(t, list[0].Spec.CPUs, 0.25)
	h := inspected(t, c, id).HostConfig
	assert.Equal(t, h.MemorySwap, int64(96<<20))
}

func TestContainersFollowsChanges(t *testing.T) {
	c := real(t, nil)
	a := createAndStart(t, c, testSpec("a"))
	b := create(t, c, testSpec("b"))
	states := func() map[string]space.State {
		list, err := c.Containers(t.Context())
		assert.NilError(t, err)
		out := map[string]space.State{}
		for _, e := range list {
			out[e.Spec.Name] = e.State
		}
		return out
	}
	assert.DeepEqual(t, states(), map[string]space.State{"a": space.Running, "b": space.Stopped})
	// Behind our back, so that no act of ours tells the cache.
	_, err := c.api.ContainerPause(t.Context(), a, client.ContainerPauseOptions{})
	assert.NilError(t, err)
	_, err = c.api.ContainerRemove(t.Context(), b, client.ContainerRemoveOptions{})
	assert.NilError(t, err)
	assert.DeepEqual(t, states(), map[string]space.State{"a": space.Paused})

	before, err := c.Containers(t.Context())
	assert.NilError(t, err)
	_, err = c.api.ContainerRestart(t.Context(), a, client.ContainerRestartOptions{})
	assert.NilError(t, err)
	after, err := c.Containers(t.Context())
	assert.NilError(t, err)
	assert.Assert(t, after[0].Started.After(before[0].Started), "a restart shows though the state is the same")
}

func TestStartBringsBackARemovedNetwork(t *testing.T) {
	c := real(t, nil)
	s := testSpec("net")
	s.Network = spec.NetworkLAN
	id := create(t, c, s)
	_, err := c.api.NetworkRemove(t.Context(), c.names.network(), client.NetworkRemoveOptions{})
	assert.NilError(t, err)
	assert.NilError(t, c.Start(t.Context(), id))
	assert.Equal(t, stateOf(t, c, id), space.Running)
}

func TestNetworkIsMadeOnceByMany(t *testing.T) {
	c := real(t, nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { assert.Check(t, c.ensureNetwork(t.Context())) })
	}
	wg.Wait()
	nets, err := c.api.NetworkList(t.Context(), client.NetworkListOptions{Filters: client.Filters{}.Add("name", c.names.network())})
	assert.NilError(t, err)
	assert.Equal(t, len(nets.Items), 1)
}

func TestForeignNetworkIsAConflict(t *testing.T) {
	c := real(t, nil)
	n, err := c.api.NetworkCreate(t.Context(), c.names.network(), client.NetworkCreateOptions{Driver: "bridge"})
	assert.NilError(t, err)
	t.Cleanup(func() {
		_, err := c.api.NetworkRemove(context.Background(), n.ID, client.NetworkRemoveOptions{})
		assert.Check(t, err)
	})
	assert.Assert(t, errdefs.IsConflict(c.ensureNetwork(t.Context())))
}

func TestWatch(t *testing.T) {
	c := real(t, nil)
	id := create(t, c, testSpec("watched"))
	ctx, cancel := context.WithCancel(t.Context())
	ready := make(chan struct{})
	seen := make(chan space.Event, 100)
	ended := make(chan error, 1)
	go func() {
		ended <- c.Watch(ctx, func() { close(ready) }, func(e space.Event) { seen <- e })
	}()
	<-ready
	assert.NilError(t, c.Start(t.Context(), id))
	sh(t, c, id, "true")
	assert.NilError(t, c.Pause(t.Context(), id))
	assert.NilError(t, c.Remove(t.Context(), id))
	var actions []string
	poll.WaitOn(t, func(poll.LogT) poll.Result {
		for {
			select {
			case e := <-seen:
				assert.Equal(t, e.Space, "watched")
				assert.Equal(t, e.Container, id)
				actions = append(actions, e.Action)
			default:
				if len(actions) > 0 && actions[len(actions)-1] == "destroy" {
					return poll.Success()
				}
				return poll.Continue("have %v", actions)
			}
		}
	}, poll.WithTimeout(20*time.Second))
	assert.DeepEqual(t, actions[:2], []string{"start", "pause"})
	for _, a := range actions {
		assert.Assert(t, a != "exec_start" && a != "exec_create" && a != "exec_die", a)
	}
	cancel()
	assert.ErrorIs(t, <-ended, context.Canceled)
}
