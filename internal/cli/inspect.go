package cli

import (
	"context"
	"encoding/json"

	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command/inspect"
	"github.com/spf13/cobra"
)

func newInspectCommand(a *app) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:               "inspect [OPTIONS] NAME [NAME...]",
		Short:             "Show everything known about one or more spaces",
		Args:              cli.RequiresMinArgs(1),
		ValidArgsFunction: a.completeNames(0, anySpace),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runInspect(cmd.Context(), a, args, format)
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "", inspectFormatHelp)
	return cmd
}

const inspectFormatHelp = "Format the output by a Go template, or \"json\" for compact JSON"

func runInspect(ctx context.Context, a *app, names []string, format string) error {
	c, err := a.finder.Connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	err = inspect.Inspect(a.docker.Out(), names, format, func(name string) (any, []byte, error) {
		s, err := c.Get(ctx, name)
		if err != nil {
			return nil, nil, err
		}
		// The raw form lets templates use the JSON's own keys too.
		raw, err := json.Marshal(s)
		return s, raw, err
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
