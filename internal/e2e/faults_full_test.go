package e2e

import (
	"net/http"
	"strings"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/poll"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/testkit"
)

// An engine that runs out of something in the middle of a create must be told
// as what it is, with the remedy, and nothing of the create may stay.
func TestAnEngineThatRunsOutLeavesNothing(t *testing.T) {
	needRoad(t)
	proxy := testkit.NewEngineProxy(t, engineSocket())
	in := ownInstance(t, "full", func(in *instance) { in.extra = []string{"DOCKER_HOST=unix://" + proxy.Socket} })
	const diskFull = "write /var/lib/docker/x: no space left on device"
	for _, tc := range []struct {
		path, text string
		status     int
		code       api.Code
		remedy     string
	}{
		{"/networks/create", "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network", 503, api.CodeNetworkExhausted, "docker network prune"},
		{"/volumes/create", diskFull, 507, api.CodeNoSpace, "docker system df"},
		{"/containers/create", diskFull, 507, api.CodeNoSpace, "docker system df"},
		{"/start", diskFull, 507, api.CodeNoSpace, "docker system df"},
	} {
		proxy.Refuse(func(r *http.Request) string {
			if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, tc.path) {
				return tc.text
			}
			return ""
		})
		got, e := in.created(t, `{"name":"dev"}`, nil)
		assert.Check(t, is.Equal(got.status, tc.status), "%s: %s", tc.path, got.body)
		assert.Check(t, is.Equal(e.Code, tc.code), tc.path)
		assert.Check(t, is.Contains(e.Message, tc.remedy), tc.path)
		poll.WaitOn(t, nothingOf(in, "dev"), poll.WithTimeout(pollLimit))
	}
	proxy.Refuse(nil)
	in.make(t, api.CreateRequest{Name: "dev"})
}
