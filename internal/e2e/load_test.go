package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"gotest.tools/v3/assert"

	"github.com/docker-space/docker-space/internal/api"
)

// 500 at once must all finish: none lost, none hanging, and the guest lives on.
func TestFiveHundredCommandsAtOnceAllFinish(t *testing.T) {
	in := needRoad(t)
	s := space(t, "load")
	c, err := in.client()
	assert.NilError(t, err)
	t.Cleanup(c.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()

	var group errgroup.Group
	for i := range 500 {
		group.Go(func() error {
			want := fmt.Sprintf("number %d\n", i)
			got, err := c.Exec(ctx, s, api.ExecRequest{
				Command: api.Command{Argv: []string{"sh", "-c", fmt.Sprintf("echo number %d; exit %d", i, i%100)}},
			})
			if err != nil {
				return fmt.Errorf("command %d: %w", i, err)
			}
			if got.ExitCode != i%100 || got.Stdout != want {
				return fmt.Errorf("command %d ended with %d and printed %q", i, got.ExitCode, got.Stdout)
			}
			return nil
		})
	}
	assert.NilError(t, group.Wait())
	assert.Equal(t, inside(t, s, "echo alive"), "alive\n")
	// Nothing of them is left behind: the engine's init, the guest and this line.
	inside(t, s, `for i in $(seq 100); do [ "$(ls -d /proc/[0-9]* | wc -l)" -le 8 ] && exit 0; sleep 0.1; done; ls -d /proc/[0-9]*; exit 1`)
}
