package engine

import (
	"context"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"gotest.tools/v3/assert"

	"github.com/docker-space/docker-space/internal/space"
)

// A pause that meets the start of a command must not wedge the container,
// which then could not even be removed.
func TestAPauseAndTheStartOfACommandKeepApart(t *testing.T) {
	c := real(t, nil)
	id := createAndStart(t, c, testSpec("apart"))
	for range 15 {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		done := start(t, c, ctx, id, shell("exit 3"), space.Streams{})
		assert.NilError(t, c.Pause(ctx, id))
		assert.NilError(t, c.Unpause(ctx, id))
		r := <-done
		// Either the command came first, or the engine refused it.
		if !errdefs.IsConflict(r.err) {
			assert.NilError(t, r.err)
			assert.Equal(t, *r.exit.Code, 3)
		}
		cancel()
	}
	assert.Equal(t, len(c.starts.byID), 0)
}
