package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/docker-space/docker-space/internal/client"
	"github.com/docker/cli/cli"
	"github.com/docker/go-units"
	"github.com/spf13/cobra"
)

type removeOptions struct {
	force   bool
	volumes bool
}

func newRemoveCommand(a *app) *cobra.Command {
	var o removeOptions
	cmd := &cobra.Command{
		Use:     "rm [OPTIONS] NAME [NAME...]",
		Aliases: []string{"destroy", "remove"},
		Short:   "Destroy one or more spaces; their workspaces are kept unless told otherwise",
		Long: "Destroy one or more spaces. The workspace (volume) of a space is kept, and a new\n" +
			"space of the same name takes it over; --volumes deletes it too, for good.\n\n" +
			"On a terminal you are asked first, unless -f is given; where standard input is\n" +
			"not a terminal, -f is required.",
		Args:              cli.RequiresMinArgs(1),
		ValidArgsFunction: a.completeNames(0, anySpace),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runRemove(cmd.Context(), a, args, o)
		},
	}
	cmd.Flags().BoolVarP(&o.force, "force", "f", false, "Do not ask")
	cmd.Flags().BoolVarP(&o.volumes, "volumes", "v", false, "Delete the workspaces too")
	return cmd
}

func runRemove(ctx context.Context, a *app, names []string, o removeOptions) error {
	if !o.force {
		if err := confirmRemove(ctx, a, names, o.volumes); err != nil {
			return err
		}
	}
	c, err := a.finder.Connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return eachSpace(ctx, a, names, func(name string) error {
		return removeOne(ctx, a, c, name, o.volumes)
	})
}

func removeOne(ctx context.Context, a *app, c *client.Client, name string, volume bool) error {
	m, err := c.Delete(ctx, name, volume)
	if err != nil {
		return err
	}
	if m.FreedBytes != nil {
		fmt.Fprintf(a.docker.Err(), "Deleted the workspace of %s: %s (%d bytes)\n",
			name, units.HumanSize(float64(*m.FreedBytes)), *m.FreedBytes)
	}
	return nil
}

func confirmRemove(ctx context.Context, a *app, names []string, volumes bool) error {
	list := strings.Join(names, ", ")
	if !a.docker.In().IsTerminal() {
		return fmt.Errorf("will not destroy %s unasked: standard input is not a terminal; use -f to do it", list)
	}
	question := "Destroy " + list + "? The workspace is kept."
	if volumes {
		question = "Destroy " + list + " and DELETE its workspace with all files?"
	}
	fmt.Fprint(a.docker.Err(), question+" [y/N] ")
	yes, err := answer(ctx, a)
	if err != nil {
		fmt.Fprintln(a.docker.Err())
		return err
	}
	if !yes {
		return errors.New("nothing was destroyed")
	}
	return nil
}

// answer reads a line from the terminal. The reading goroutine ends with the
// line, or with the process that Ctrl-C is about to end.
func answer(ctx context.Context, a *app) (bool, error) {
	line := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(a.docker.In()).ReadString('\n')
		line <- strings.ToLower(strings.TrimSpace(text))
	}()
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case text := <-line:
		return text == "y" || text == "yes", nil
	}
}
