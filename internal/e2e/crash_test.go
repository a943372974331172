package e2e

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"gotest.tools/v3/assert"
	"gotest.tools/v3/poll"
)

// A kill -9 of spaced in the middle of a create must leave, once it is back, a
// whole space or nothing. The moments are spread over a create's duration.
func TestKilledInACreateLeavesNothingHalfMade(t *testing.T) {
	needRoad(t)
	in, err := newInstance("crash")
	assert.NilError(t, err)
	t.Cleanup(in.remove)
	t.Cleanup(func() {
		if t.Failed() {
			in.keepLog()
		}
	})
	assert.NilError(t, in.start())
	begin := time.Now()
	runOK(t, in.command("docker-space", "create", "whole"))
	whole := time.Since(begin)

	const moments = 8
	for i := range moments {
		create := in.command("docker-space", "create", "half")
		assert.NilError(t, create.Start())
		<-time.After(whole * time.Duration(i) / moments) // the moment is what is tested
		assert.NilError(t, in.end(syscall.SIGKILL))
		_ = create.Wait()
		assert.NilError(t, in.start())
		poll.WaitOn(t, wholeOrNothing(in, "half"), poll.WithTimeout(pollLimit))
		runOK(t, in.command("docker-space", "exec", "whole", "true"))
		_ = in.command("docker-space", "rm", "-f", "--volumes", "half").Run()
	}
	assert.NilError(t, in.end(syscall.SIGTERM))
}

// wholeOrNothing tells whether a space runs commands, or the engine holds
// neither its container nor its volume.
func wholeOrNothing(in *instance, space string) poll.Check {
	filter := []string{"--filter", "label=io.github.docker-space.name=" + space}
	return func(poll.LogT) poll.Result {
		left := append(in.labelled(containers, filter...), in.labelled(volumes, filter...)...)
		if len(left) == 0 {
			return poll.Success()
		}
		out, err := in.command("docker-space", "exec", space, "true").CombinedOutput()
		if err == nil {
			return poll.Success()
		}
		return poll.Continue("%s is left and does not run: %s", strings.Join(left, ", "), out)
	}
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
