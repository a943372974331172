package agent

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"gotest.tools/v3/assert"
)

// fakePids makes a version 2 cgroup folder.
func fakePids(t *testing.T, current, limit string) string {
	t.Helper()
	root := t.TempDir()
	assert.NilError(t, os.WriteFile(filepath.Join(root, "pids.max"), []byte(limit+"\n"), 0o644))
	setPids(t, root, current)
	return root
}

func setPids(t *testing.T, root, current string) {
	t.Helper()
	assert.NilError(t, os.WriteFile(filepath.Join(root, "pids.current"), []byte(current+"\n"), 0o644))
}

func TestTheGateKnowsTheLimit(t *testing.T) {
	assert.Equal(t, newGate(findCgroup(t.TempDir())).max, unlimited)
	assert.Equal(t, newGate(findCgroup(fakePids(t, "1", "max"))).max, unlimited)
	assert.Equal(t, newGate(findCgroup(fakePids(t, "1", "512"))).max, 448)

	v1 := t.TempDir()
	assert.NilError(t, os.Mkdir(filepath.Join(v1, "pids"), 0o755))
	assert.NilError(t, os.WriteFile(filepath.Join(v1, "pids", "pids.max"), []byte("64\n"), 0o644))
	assert.Equal(t, newGate(findCgroup(v1)).max, 56)
}

func TestTheGateKeepsAReserveAndAdmitsInOrder(t *testing.T) {
	root := fakePids(t, "20", "512")
	synctest.Test(t, func(t *testing.T) {
		g := newGate(findCgroup(root))
		first, err := g.enter(t.Context())
		assert.NilError(t, err)
		setPids(t, root, "470")
		order := make(chan int, 2)
		for i := range 2 {
			go func() {
				ticket, err := g.enter(t.Context())
				if err == nil {
					order <- i
					ticket.leave()
				}
			}()
			synctest.Wait()
		}
		// Synthetic time: several looks at the count, and none at this instant.
		time.Sleep(time.Second + recheck/2)
		assert.Equal(t, len(order), 0)
		setPids(t, root, "461") // room for exactly one young command
		time.Sleep(recheck)
		synctest.Wait()
		assert.Equal(t, <-order, 0)
		time.Sleep(recheck)
		synctest.Wait()
		assert.Equal(t, <-order, 1)
		first.leave()
		assert.Equal(t, g.running, 0)
	})
}

func TestABurstDoesNotOutrunTheCount(t *testing.T) {
	root := fakePids(t, "20", "512")
	synctest.Test(t, func(t *testing.T) {
		g := newGate(findCgroup(root))
		burst := 0
		for g.room() {
			g.grant()
			burst++
		}
		assert.Assert(t, burst > 50 && burst*youngPids <= 512-20-reservePids, strconv.Itoa(burst))
		time.Sleep(young + 1)
		assert.Assert(t, g.room(), "grown commands are in the kernel's count")
	})
}

func TestASpaceThatStaysFullLetsOneCommandTry(t *testing.T) {
	root := fakePids(t, "512", "512")
	synctest.Test(t, func(t *testing.T) {
		g := newGate(findCgroup(root))
		begin := time.Now()
		ticket, err := g.enter(t.Context())
		assert.NilError(t, err)
		assert.Assert(t, time.Since(begin) >= rescue)
		_, err = g.enter(t.Context())
		assert.Assert(t, errors.Is(err, errWaited), "a second one waits in vain")
		ticket.leave()
	})
}

func TestWaitingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(cgroup{})
		g.max = 1
		held, err := g.enter(t.Context())
		assert.NilError(t, err)
		ends := make(chan error, maxQueue)
		for range maxQueue {
			go func() {
				_, err := g.enter(t.Context())
				ends <- err
			}()
		}
		synctest.Wait()
		_, err = g.enter(t.Context())
		assert.Assert(t, errors.Is(err, errQueueFull))
		for range maxQueue {
			assert.Assert(t, errors.Is(<-ends, errWaited))
		}
		assert.Equal(t, len(g.queue), 0)
		held.leave()
	})
}

func TestGivingUpGivesTheTurnBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(cgroup{})
		g.max = 1
		held, err := g.enter(t.Context())
		assert.NilError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		gaveUp := make(chan error, 1)
		go func() {
			_, err := g.enter(ctx)
			gaveUp <- err
		}()
		synctest.Wait()
		cancel()
		assert.Assert(t, errors.Is(<-gaveUp, context.Canceled))
		held.leave()
		next, err := g.enter(t.Context())
		assert.NilError(t, err)
		next.leave()
		assert.Equal(t, g.running, 0)
	})
}

func TestAClosedGateTurnsEveryoneAway(t *testing.T) {
	g := newGate(cgroup{})
	g.close()
	_, err := g.enter(t.Context())
	assert.Assert(t, errors.Is(err, errStopping))
}
