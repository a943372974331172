package e2e

import (
	"errors"
	"io"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/poll"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/testkit"
)

// With the engine away every route that needs it must say so, the daemon must
// live on, and all must be as before once the engine is back.
func TestTheEngineGoesAwayAndComesBack(t *testing.T) {
	needRoad(t)
	line := testkit.NewEngineLine(t, engineSocket())
	in := ownInstance(t, "away", func(in *instance) { in.extra = []string{"DOCKER_HOST=unix://" + line.Socket} })
	c, name := in.api(t), "dev"
	// Its engine is reached without the line, so no clean-up by API is needed.
	_, err := c.Create(t.Context(), api.CreateRequest{Name: name}, "", nil)
	assert.NilError(t, err)
	stream, err := c.ExecStream(t.Context(), name, sh("sleep 600"), io.Discard, io.Discard)
	assert.NilError(t, err)
	defer stream.Close()
	<-stream.Started()

	line.Cut()
	exit, err := stream.Wait()
	assert.Assert(t, err != nil || exit.Code == nil, "an end that nobody saw is not known: %+v", exit)
	unavailable := func(err error) bool {
		var e *api.Error
		return errors.As(err, &e) && e.Status == 503 && e.Code == api.CodeEngineUnavailable
	}
	poll.WaitOn(t, func(poll.LogT) poll.Result {
		if _, err := c.List(t.Context(), false); unavailable(err) {
			return poll.Success()
		} else {
			return poll.Continue("listing gives %v", err)
		}
	}, poll.WithTimeout(pollLimit))
	for what, call := range map[string]func() error{
		"get":     func() error { _, err := c.Get(t.Context(), name); return err },
		"stop":    func() error { _, err := c.Stop(t.Context(), name); return err },
		"destroy": func() error { _, err := c.Delete(t.Context(), name, false); return err },
		"exec":    func() error { _, err := c.Exec(clientDeadline(t), name, sh("true")); return err },
		"system":  func() error { _, err := c.System(t.Context()); return err },
	} {
		err := call()
		assert.Check(t, unavailable(err), "%s: %v", what, err)
	}
	got := ask(t, in.onSocket(t), "POST", "http://spaced/api/spaces", `{"name":"other"}`, nil)
	assert.Check(t, is.Equal(got.status, 503), got.body)
	_, err = c.Health(t.Context())
	assert.NilError(t, err)

	line.Mend()
	poll.WaitOn(t, func(poll.LogT) poll.Result {
		res, err := c.Exec(t.Context(), name, sh("echo back"))
		if err == nil && res.Stdout == "back\n" {
			return poll.Success()
		}
		return poll.Continue("exec gives %+v, %v", res, err)
	}, poll.WithTimeout(pollLimit))
	poll.WaitOn(t, func(poll.LogT) poll.Result {
		all, err := c.List(t.Context(), true)
		if err == nil && len(all) == 1 && all[0].Status == api.StatusRunning {
			return poll.Success()
		}
		return poll.Continue("the list is %+v, %v", all, err)
	}, poll.WithTimeout(pollLimit))
}
