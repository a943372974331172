package engine

import (
	"context"
	"errors"
	"testing"

	"gotest.tools/v3/assert"

	"github.com/docker-space/docker-space/internal/space"
)

// refuses is a caller that does not take its output.
type refuses struct{}

var errRefused = errors.New("nobody reads")

func (r refuses) Write([]byte) (int, error) { return 0, errRefused }

func TestAnExecWithoutACallerIsKilled(t *testing.T) {
	c := real(t, nil)
	id := createAndStart(t, c, testSpec("gone"))
	alive := func(mark string) string {
		return run(t, c, id, shell("cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c '[s]leep "+mark+"' ; :"), space.Streams{}).out
	}
	ctx, leave := context.WithCancel(t.Context())
	done := start(t, c, ctx, id, shell("sleep 1001 & sleep 1001"), space.Streams{Started: leave})
	assert.ErrorIs(t, (<-done).err, context.Canceled)
	assert.Equal(t, alive("1001"), "0\n")

	r := run(t, c, id, shell("echo x; sleep 1002"), space.Streams{Stdout: refuses{}})
	assert.ErrorIs(t, r.err, errRefused)
	assert.Equal(t, alive("1002"), "0\n")
}
