package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"gotest.tools/v3/assert"
	"gotest.tools/v3/poll"

	"github.com/docker-space/docker-space/internal/testkit"
)

// A kill -9 of spaced right before or right after any of the engine's steps of
// a create must leave nothing: no container, no volume, and the name is free.
func TestKilledBetweenAnyTwoStepsOfACreateLeavesNothing(t *testing.T) {
	needRoad(t)
	in, err := newInstance("crash")
	assert.NilError(t, err)
	t.Cleanup(in.remove)
	t.Cleanup(func() {
		if t.Failed() {
			in.keepLog()
		}
	})
	proxy := testkit.NewEngineProxy(t, engineSocket())
	// The guest's channel is opened when the create is over.
	proxy.Counts = func(r *http.Request) bool { return !strings.Contains(r.URL.Path, "/exec") }
	in.extra = []string{"DOCKER_HOST=unix://" + proxy.Socket}
	assert.NilError(t, in.start())
	// What every create of an instance shares is made before, by this one.
	runOK(t, in.command("docker-space", "create", "whole"))
	steps := 0
	for killedAt(t, in, proxy, steps+1, true) {
		steps++
		killedAt(t, in, proxy, steps, false)
	}
	// A volume, a container and its start are the least that a create is.
	assert.Assert(t, steps >= 3, "only %d steps were seen", steps)
	runOK(t, in.command("docker-space", "exec", "whole", "true"))
}

// killedAt kills spaced at the n-th step of a create and checks what is left
// once it is back. It is false when the create had no such step.
func killedAt(t *testing.T, in *instance, proxy *testkit.EngineProxy, n int, before bool) bool {
	t.Helper()
	daemon := in.cmd.Process
	proxy.Arm(n, before, func() {
		_ = daemon.Kill()
		<-in.ended // nothing of the daemon may go on behind the strike
	})
	create := in.command("docker-space", "create", "half")
	create.Env = append(create.Env, "SPACE_AUTOSTART=0")
	out, err := create.CombinedOutput()
	if proxy.Disarm() {
		assert.NilError(t, err, "%s", out)
		runOK(t, in.command("docker-space", "rm", "-f", "--volumes", "half"))
		return false
	}
	assert.Assert(t, err != nil, "the create answered though spaced was killed: %s", out)
	in.cmd = nil
	assert.NilError(t, in.start())
	poll.WaitOn(t, nothingOf(in, "half"), poll.WithTimeout(pollLimit))
	return true
}

// nothingOf tells whether the engine holds nothing of a space's name.
func nothingOf(in *instance, space string) poll.Check {
	filter := []string{"--filter", "label=io.github.docker-space.name=" + space}
	return func(poll.LogT) poll.Result {
		left := append(in.labelled(containers, filter...), in.labelled(volumes, filter...)...)
		if len(left) == 0 {
			return poll.Success()
		}
		return poll.Continue("%s is left", strings.Join(left, ", "))
	}
}

// engineSocket is where the tests' engine listens.
func engineSocket() string {
	if path, ok := strings.CutPrefix(os.Getenv("DOCKER_HOST"), "unix://"); ok {
		return path
	}
	return "/var/run/docker.sock"
}

// Spaces and their files must outlive the daemon, killed and its state deleted.
func TestSpacesOutliveTheDaemonAndItsState(t *testing.T) {
	needRoad(t)
	in, err := newInstance("outlive")
	assert.NilError(t, err)
	t.Cleanup(in.remove)
	assert.NilError(t, in.start())
	runOK(t, in.command("docker-space", "create", "kept", "--memory", "300m"))
	runOK(t, in.command("docker-space", "exec", "kept", "--", "sh", "-c", "echo here > /workspace/f"))
	assert.NilError(t, in.end(syscall.SIGKILL))
	in.forgetState()
	assert.NilError(t, in.start())
	assert.Equal(t, runOK(t, in.command("docker-space", "exec", "kept", "cat", "/workspace/f")), "here\n")
	out := runOK(t, in.command("docker-space", "inspect", "--format", "{{.Memory}}", "kept"))
	assert.Equal(t, out, "314572800\n")
}

func runOK(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	assert.NilError(t, err, "%s: %s", strings.Join(cmd.Args, " "), out)
	return string(out)
}
