package cli

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/docker/cli/cli"
	"github.com/spf13/cobra"
)

type runOptions struct {
	create createOptions
	exec   execOptions
	remove bool
}

func newRunCommand(a *app) *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run [OPTIONS] NAME [COMMAND] [ARG...]",
		Short: "Create a space and run a command in it",
		Long: "Create a space and run a command in it; without a command, a login shell on the\n" +
			"terminal. The space stays, like one made by create, unless --rm is given: then it\n" +
			"and its workspace, with all files, are removed when the command ends; a workspace\n" +
			"that was kept from an earlier space of that name is not taken over then.\n\n" +
			"Terminal, signals and exit codes are as for exec.",
		Example: "  docker space run dev\n  docker space run --rm --image python:3.13 tmp -- python3 -c 'print(1)'",
		Args:    cli.RequiresMinArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.exec.guessTTY(a, cmd.Flags())
			return runRun(cmd.Context(), a, args[0], dropDashes(args[1:]), o)
		},
	}
	f := cmd.Flags()
	f.SetInterspersed(false)
	o.create.install(cmd, f)
	o.exec.installTerminal(f)
	f.DurationVar(&o.exec.timeout, "timeout", 0, "End the command and all it started after this long (30s, 5m)")
	f.BoolVar(&o.remove, "rm", false, "Remove the space and its workspace when the command ends")
	return cmd
}

func runRun(ctx context.Context, a *app, name string, argv []string, o runOptions) error {
	req, err := o.create.request(name)
	if err != nil {
		return err
	}
	p, err := newProgress(a.docker.Err(), o.create.progress, o.create.quiet)
	if err != nil {
		return err
	}
	if argv, err = o.command(name, argv); err != nil {
		return err
	}
	execReq, streams, err := o.exec.prepare(a, argv)
	if err != nil {
		return err
	}
	c, err := a.finder.Connect(ctx)
	if err != nil {
		return status(exitDaemon, err)
	}
	defer c.Close()
	if o.remove {
		return runAndRemove(ctx, a, c, req, p, execReq, streams)
	}
	s, err := create(ctx, a, c, req, rand.Text(), p)
	if err != nil {
		return status(exitDaemon, err)
	}
	return execIn(ctx, a, c, s.Name, execReq, streams)
}

// command is the one given, else a login shell where someone can type into it.
func (o *runOptions) command(name string, argv []string) ([]string, error) {
	switch {
	case len(argv) > 0:
		return argv, nil
	case o.exec.interactive || o.exec.detach:
		return loginShell, nil
	}
	return nil, errors.New("give a command to run: standard input is not a terminal (to only create the space, use: docker space create " + name + ")")
}
