package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/cli/attach"
	"github.com/docker-space/docker-space/internal/client"
	"github.com/docker/cli/cli"
	"golang.org/x/sys/unix"
)

const (
	// exitTimeout is what timeout(1) gives.
	exitTimeout = 124
	exitNoFile  = 127
	exitSignal  = 128
	exitKilled  = exitSignal + 9
)

// execResult turns the end of a command into the error that carries its exit
// code; nil only for a command that is known to have exited 0.
func execResult(a *app, name string, req api.ExecRequest, exit client.Exit, err error) error {
	switch {
	case errors.Is(err, attach.ErrDetached):
		return cli.StatusError{StatusCode: 1, Status: err.Error() + ": left " + name + "; the command was ended (it cannot run detached yet)"}
	case errors.Is(err, attach.ErrForced):
		return cli.StatusError{StatusCode: exitCancelled, Status: err.Error()}
	case err != nil:
		return status(exitDaemon, err)
	case exit.TimedOut:
		return cli.StatusError{StatusCode: exitTimeout, Status: fmt.Sprintf("the command was ended: it ran longer than --timeout %dms", req.TimeoutMs)}
	case exit.OOMKilled:
		return cli.StatusError{StatusCode: code(exit, exitKilled), Status: "the command was killed: " + name + " is out of memory; give it more with a larger --memory"}
	case exit.Reason == api.ReasonSpaceGone:
		return cli.StatusError{StatusCode: exitDaemon, Status: name + " was stopped or destroyed while the command ran"}
	}
	n := code(exit, -1)
	switch {
	case n == 0:
		return nil
	case n < 0:
		return cli.StatusError{StatusCode: exitDaemon, Status: "the command's exit status is not known" + because(exit.Reason)}
	case n == exitNoFile:
		hint(a, name, req.Command.Argv)
	}
	return cli.StatusError{StatusCode: n}
}

// code is the exit code, 128+n for signal n, or unknown where neither is told.
// An OOM kill or a signal never counts as 0.
func code(exit client.Exit, unknown int) int {
	if exit.Code != nil && (*exit.Code != 0 || exit.Signal == "" && !exit.OOMKilled) {
		return *exit.Code
	}
	if n := unix.SignalNum("SIG" + strings.TrimPrefix(exit.Signal, "SIG")); n != 0 {
		return exitSignal + int(n)
	}
	return unknown
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}

// hint helps who gave a whole command line as one argument.
func hint(a *app, name string, argv []string) {
	if len(argv) != 1 || !strings.Contains(strings.TrimSpace(argv[0]), " ") {
		return
	}
	line := "'" + strings.ReplaceAll(argv[0], "'", `'\''`) + "'"
	fmt.Fprintf(a.docker.Err(), "Hint: %q was taken as the name of one program; did you mean:\n    docker space exec %s -- sh -c %s\n", argv[0], name, line)
}
