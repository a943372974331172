package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/docker-space/docker-space/internal/client"
	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"
)

// Finder finds the daemon: Connect starts one where none answers, Find does
// not.
type Finder interface {
	Find(ctx context.Context) (*client.Client, error)
	Connect(ctx context.Context) (*client.Client, error)
}

// app is what the commands share.
type app struct {
	docker command.Cli
	finder Finder
}

// New makes the `space` command with all its subcommands.
func New(docker command.Cli, finder Finder) *cobra.Command {
	a := &app{docker: docker, finder: finder}
	cmd := &cobra.Command{
		Use:   "space",
		Short: "Isolated spaces to run anything in, on machines you own",
		Long: "A space is one hardened container with a persistent volume at /workspace.\n" +
			"A sleeping space wakes at the next command.",
		Args:          cli.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	cmd.SetFlagErrorFunc(cli.FlagErrorFunc)
	cmd.AddCommand(
		newCreateCommand(a), newRunCommand(a), newListCommand(a), newExecCommand(a), newShellCommand(a),
		newStartCommand(a), newStopCommand(a), newRestartCommand(a), newRemoveCommand(a),
		newInspectCommand(a), newSystemCommand(a), newVersionCommand(a), newDashboardCommand(a),
	)
	for _, sub := range cmd.Commands() {
		sub.DisableFlagsInUseLine = true
	}
	return cmd
}

// status gives err the exit code, unless it was cancelled or has one.
func status(code int, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.As(err, new(cli.StatusError)) {
		return err
	}
	return cli.StatusError{StatusCode: code, Cause: err, Status: err.Error()}
}

// notYet answers for a flag whose capability comes in a later release.
func notYet(what, instead string) error {
	return fmt.Errorf("%s is not available yet; %s", what, instead)
}
