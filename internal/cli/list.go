package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command/formatter"
	"github.com/docker/cli/cli/flags"
	"github.com/docker/cli/opts"
	"github.com/spf13/cobra"
)

type listOptions struct {
	all     bool
	quiet   bool
	noTrunc bool
	format  string
	filters []string
}

func newListCommand(a *app) *cobra.Command {
	var o listOptions
	cmd := &cobra.Command{
		Use:               "ls [OPTIONS]",
		Aliases:           []string{"list", "ps"},
		Short:             "List spaces",
		Args:              cli.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runList(cmd.Context(), a, o)
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&o.all, "all", "a", false, "Show kept workspaces too (volumes without their space)")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "Only display names")
	f.BoolVar(&o.noTrunc, "no-trunc", false, "Don't truncate output")
	f.StringVar(&o.format, "format", "", flags.FormatHelp)
	f.VarP(opts.NewListOptsRef(&o.filters, nil), "filter", "f", filterHelp)
	complete(cmd, "format", "table", "json")
	complete(cmd, "filter", "name=", "status=", "image=", "label=", "network=")
	return cmd
}

func runList(ctx context.Context, a *app, o listOptions) error {
	fit, err := parseFilters(o.filters)
	if err != nil {
		return err
	}
	c, err := a.finder.Connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	spaces, err := c.List(ctx, o.all)
	if err != nil {
		return err
	}
	spaces = slices.DeleteFunc(spaces, func(s api.Space) bool { return !fit(s) })
	slices.SortFunc(spaces, func(x, y api.Space) int { return strings.Compare(x.Name, y.Name) })
	out := formatter.Context{Output: a.docker.Out(), Format: listFormat(o), Trunc: !o.noTrunc}
	return writeSpaces(out, spaces, time.Now())
}

const (
	namesFormat = "{{.Name}}"
	tableFormat = "table {{.Name}}\t{{.Status}}\t{{.Image}}\t{{.Memory}}\t{{.CPUs}}\t{{.LastActivity}}\t{{.Workspace}}"
)

func listFormat(o listOptions) formatter.Format {
	switch {
	case o.quiet:
		return namesFormat
	case o.format == "" || o.format == formatter.TableFormatKey:
		return tableFormat
	}
	return formatter.Format(o.format)
}
