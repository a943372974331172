package e2e

import (
	"errors"
	"io"
	"os/exec"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/poll"

	"github.com/docker-space/docker-space/internal/api"
)

// Every route of a space must answer 404 for one that is not there.
func TestAnUnknownSpaceIs404OnEveryRoute(t *testing.T) {
	c := needRoad(t).api(t)
	for what, call := range map[string]func() error{
		"get":     func() error { _, err := c.Get(t.Context(), "nobody"); return err },
		"start":   func() error { _, err := c.Start(t.Context(), "nobody"); return err },
		"stop":    func() error { _, err := c.Stop(t.Context(), "nobody"); return err },
		"restart": func() error { _, err := c.Restart(t.Context(), "nobody"); return err },
		"patch":   func() error { _, err := c.Patch(t.Context(), "nobody", api.PatchRequest{CPUs: "1"}); return err },
		"delete":  func() error { _, err := c.Delete(t.Context(), "nobody", true); return err },
		"exec":    func() error { _, err := c.Exec(t.Context(), "nobody", sh("true")); return err },
		"stream": func() error {
			_, err := c.ExecStream(t.Context(), "nobody", sh("true"), io.Discard, io.Discard)
			return err
		},
	} {
		t.Run(what, func(t *testing.T) { refused(t, call(), 404, api.CodeSpaceNotFound, "nobody") })
	}
}

func TestRepeatedLifecycleCallsChangeNothing(t *testing.T) {
	in := needRoad(t)
	c := in.api(t)
	in.make(t, api.CreateRequest{Name: "twice"})
	started := func() string {
		s, err := c.Get(t.Context(), "twice")
		assert.NilError(t, err)
		return string(s.Status) + " since " + s.Started
	}
	before := started()
	_, err := c.Start(t.Context(), "twice")
	assert.NilError(t, err)
	assert.Equal(t, started(), before)
	for range 2 {
		_, err = c.Stop(t.Context(), "twice")
		assert.NilError(t, err)
		s, err := c.Get(t.Context(), "twice")
		assert.NilError(t, err)
		assert.Equal(t, s.Status, api.StatusPaused)
	}
	_, err = c.Start(t.Context(), "twice")
	assert.NilError(t, err)
	assert.Equal(t, started(), before, "waking is not a restart")
	_, err = c.Delete(t.Context(), "twice", true)
	assert.NilError(t, err)
	_, err = c.Delete(t.Context(), "twice", true)
	refused(t, err, 404, api.CodeSpaceNotFound, "twice")
}

// A space destroyed under a command must say so, in both forms of exec.
func TestDestroyDuringAnExecEndsItSpaceGone(t *testing.T) {
	in := needRoad(t)
	c := in.api(t)
	in.make(t, api.CreateRequest{Name: "doomed"})
	stream, err := c.ExecStream(t.Context(), "doomed", sh("echo up; exec sleep 654"), io.Discard, io.Discard)
	assert.NilError(t, err)
	defer stream.Close()
	<-stream.Started()
	buffered := make(chan error, 1)
	go func() {
		_, err := c.Exec(t.Context(), "doomed", sh("exec sleep 653"))
		buffered <- err
	}()
	in.runs(t, "doomed", "sleep 653", true, pollLimit)
	_, err = c.Delete(t.Context(), "doomed", false)
	assert.NilError(t, err)

	exit, err := stream.Wait()
	assert.NilError(t, err)
	assert.Equal(t, exit.Reason, api.ReasonSpaceGone)
	assert.Assert(t, exit.Code == nil, "the end of a destroyed command is not known: %+v", exit)
	refused(t, <-buffered, 502, api.CodeExitUnknown, "space_gone")
}

// A container removed without us leaves its workspace, which a new space of
// the name takes over.
func TestAContainerRemovedBehindOurBack(t *testing.T) {
	in := needRoad(t)
	c := in.api(t)
	first := in.make(t, api.CreateRequest{Name: "bereft"})
	_, err := c.Exec(t.Context(), "bereft", sh("echo precious > /workspace/file"))
	assert.NilError(t, err)
	out, err := exec.Command("docker", "rm", "-f", in.engineName("bereft")).CombinedOutput()
	assert.NilError(t, err, "%s", out)

	poll.WaitOn(t, func(poll.LogT) poll.Result {
		_, err := c.Exec(t.Context(), "bereft", sh("true"))
		var e *api.Error
		if errors.As(err, &e) && e.Status == 404 && e.Code == api.CodeSpaceNotFound {
			return poll.Success()
		}
		return poll.Continue("exec gives %v", err)
	}, poll.WithTimeout(pollLimit))
	list := func(all bool) (status api.Status) {
		spaces, err := c.List(t.Context(), all)
		assert.NilError(t, err)
		for _, s := range spaces {
			if s.Name == "bereft" {
				return s.Status
			}
		}
		return ""
	}
	assert.Check(t, is.Equal(list(true), api.StatusMissing))
	assert.Check(t, is.Equal(list(false), api.Status("")))
	assert.Equal(t, engineSays("volume", "inspect", "--format", "present", in.engineName("bereft")), "present")

	again, err := c.Create(t.Context(), api.CreateRequest{Name: "bereft"}, "", nil)
	assert.NilError(t, err)
	assert.Assert(t, again.ID != first.ID)
	res, err := c.Exec(t.Context(), "bereft", sh("cat /workspace/file"))
	assert.NilError(t, err)
	assert.Equal(t, res.Stdout, "precious\n")
}

// A command that comes while the space falls asleep must wake it or come
// before, and never be refused. One that was frozen goes on when it wakes.
func TestAnExecThatMeetsAPauseRuns(t *testing.T) {
	c := needRoad(t).api(t)
	road.make(t, api.CreateRequest{Name: "drowsy"})
	for range 20 {
		slept := make(chan error, 1)
		go func() { _, err := c.Stop(t.Context(), "drowsy"); slept <- err }()
		ran := make(chan error, 1)
		go func() {
			res, err := c.Exec(t.Context(), "drowsy", sh("exit 7"))
			if err == nil && res.ExitCode != 7 {
				err = errors.New("the command did not end with 7")
			}
			ran <- err
		}()
		assert.NilError(t, <-slept)
		_, err := c.Start(t.Context(), "drowsy")
		assert.NilError(t, err)
		assert.NilError(t, <-ran)
	}
}
