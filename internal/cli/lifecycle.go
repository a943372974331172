package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/client"
	"github.com/docker/cli/cli"
	"github.com/spf13/cobra"
)

// change is one lifecycle call of the API.
type change func(c *client.Client, ctx context.Context, name string) (api.Message, error)

func newStartCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:               "start NAME [NAME...]",
		Aliases:           []string{"unpause"},
		Short:             "Wake or start one or more spaces",
		Args:              cli.RequiresMinArgs(1),
		ValidArgsFunction: a.completeNames(0, asleep),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runLifecycle(cmd.Context(), a, args, (*client.Client).Start)
		},
	}
}

func newStopCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "stop NAME [NAME...]",
		Aliases: []string{"pause"},
		Short:   "Put one or more spaces to sleep",
		Long: "Put one or more spaces to sleep: what runs in them is frozen, their memory is\n" +
			"kept, and the next command wakes them.",
		Args:              cli.RequiresMinArgs(1),
		ValidArgsFunction: a.completeNames(0, awake),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runLifecycle(cmd.Context(), a, args, (*client.Client).Stop)
		},
	}
}

func newRestartCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:               "restart NAME [NAME...]",
		Short:             "Restart one or more spaces; what runs in them ends",
		Args:              cli.RequiresMinArgs(1),
		ValidArgsFunction: a.completeNames(0, anySpace),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runLifecycle(cmd.Context(), a, args, (*client.Client).Restart)
		},
	}
}

// runLifecycle does the change to each space in turn and prints the names of
// those it succeeded for. One failure does not stop the others.
func runLifecycle(ctx context.Context, a *app, names []string, do change) error {
	c, err := a.finder.Connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return eachSpace(ctx, a, names, func(name string) error {
		_, err := do(c, ctx, name)
		return err
	})
}

func eachSpace(ctx context.Context, a *app, names []string, do func(name string) error) error {
	var errs []error
	for _, name := range names {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := do(name); err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Fprintln(a.docker.Out(), name)
	}
	return errors.Join(errs...)
}
