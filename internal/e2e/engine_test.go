package e2e

import (
	"errors"
	"os/exec"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// pollLimit bounds how long the engine may take to show what a script claims.
const pollLimit = 15 * time.Second

// absent stands for a thing that the engine does not have.
const absent = "absent"

// container NAME STATE polls the engine until a space's container is in a state
// (running, paused, exited, absent).
func (in *instance) container(ts *testscript.TestScript, args []string) {
	eventually(ts, args[1], "container "+in.engineName(args[0]), func() string {
		return engineSays("container", "inspect", "--format", "{{.State.Status}}", in.engineName(args[0]))
	})
}

// workspace NAME present|absent polls the engine for a space's volume.
func (in *instance) workspace(ts *testscript.TestScript, args []string) {
	eventually(ts, args[1], "volume "+in.engineName(args[0]), func() string {
		return engineSays("volume", "inspect", "--format", "present", in.engineName(args[0]))
	})
}

// no-trace-of NAME polls until the engine has neither container nor volume.
func (in *instance) noTraceOf(ts *testscript.TestScript, args []string) {
	in.container(ts, []string{args[0], absent})
	in.workspace(ts, []string{args[0], absent})
}

// engineSays gives the engine's answer; an error counts as absent only when it
// says so.
func engineSays(args ...string) string {
	out, err := exec.Command("docker", args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if strings.Contains(strings.ToLower(string(exit.Stderr)), "no such") {
			return absent
		}
		return strings.TrimSpace(string(exit.Stderr))
	}
	return strings.TrimSpace(string(out))
}

func eventually(ts *testscript.TestScript, want, what string, state func() string) {
	deadline := time.After(pollLimit)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		got := state()
		if got == want {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			ts.Fatalf("%s is %q after %s, not %q", what, got, pollLimit, want)
		}
	}
}
