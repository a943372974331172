package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/cli/attach"
	"github.com/docker-space/docker-space/internal/client"
	"github.com/docker/cli/cli"
	"github.com/moby/term"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// exitDaemon is the exit code for a failure that is not the command's own, as
// docker has it.
const exitDaemon = 125

type execOptions struct {
	interactive bool
	tty         bool
	detach      bool
	env         environment
	workdir     string
	user        string
	detachKeys  string
	timeout     time.Duration
}

func newExecCommand(a *app) *cobra.Command {
	var o execOptions
	cmd := &cobra.Command{
		Use:   "exec [OPTIONS] NAME COMMAND [ARG...]",
		Short: "Run a command in a space; a sleeping one is woken",
		Long: "Run a command in a space; a sleeping one is woken.\n\n" +
			"Where standard input and output are a terminal and neither -i nor -t is given,\n" +
			"the command gets a terminal as if -it were given. Piped input needs -i.\n\n" +
			"The exit code is the command's: 126 where it cannot be run, 127 where it does not\n" +
			"exist, 128+N where signal N ended it; 124 after --timeout; 125 where spaced failed\n" +
			"or the exit code is not known. SIGINT, SIGTERM, SIGHUP, SIGQUIT and SIGUSR1/2 are\n" +
			"passed on to the command; a third SIGINT or SIGTERM ends the client.",
		Example: "  docker space exec dev -- bash\n" +
			"  docker space exec dev python3 --version\n" +
			"  echo hi | docker space exec -i dev -- cat",
		Args:              cli.RequiresMinArgs(2),
		ValidArgsFunction: a.completeNames(1, anySpace),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.guessTTY(a, cmd.Flags())
			return runExec(cmd.Context(), a, args[0], dropDashes(args[1:]), o)
		},
	}
	f := cmd.Flags()
	f.SetInterspersed(false)
	o.installTerminal(f)
	o.env.install(cmd, f)
	f.StringVarP(&o.workdir, "workdir", "w", "", "Working directory inside the space")
	f.StringVarP(&o.user, "user", "u", "", `Username or UID (format: "<name|uid>[:<group|gid>]")`)
	f.DurationVar(&o.timeout, "timeout", 0, "End the command and all it started after this long (30s, 5m)")
	return cmd
}

// installTerminal adds the flags that exec and run share.
func (o *execOptions) installTerminal(f *pflag.FlagSet) {
	f.BoolVarP(&o.interactive, "interactive", "i", false, "Keep STDIN open")
	f.BoolVarP(&o.tty, "tty", "t", false, "Allocate a pseudo-TTY")
	f.StringVar(&o.detachKeys, "detach-keys", "", "Override the key sequence for leaving the command (default ctrl-p,ctrl-q)")
	f.BoolVarP(&o.detach, "detach", "d", false, "Run the command in the background")
	_ = f.MarkHidden("detach")
}

// guessTTY acts as -it on a terminal where neither was given.
func (o *execOptions) guessTTY(a *app, f *pflag.FlagSet) {
	if f.Changed("interactive") || f.Changed("tty") || o.detach {
		return
	}
	terminal := a.docker.In().IsTerminal() && a.docker.Out().IsTerminal()
	o.interactive, o.tty = terminal, terminal
}

// dropDashes drops the one leading `--` that parsing without interspersed flags
// leaves in front of the command.
func dropDashes(args []string) []string {
	if len(args) > 0 && args[0] == "--" {
		return args[1:]
	}
	return args
}

// runExec runs argv in a space and passes its exit code on.
func runExec(ctx context.Context, a *app, name string, argv []string, o execOptions) error {
	req, s, err := o.prepare(a, argv)
	if err != nil {
		return err
	}
	c, err := a.finder.Connect(ctx)
	if err != nil {
		return status(exitDaemon, err)
	}
	defer c.Close()
	return execIn(ctx, a, c, name, req, s)
}

// prepare decides everything about the terminal and the request before
// anything is contacted.
func (o *execOptions) prepare(a *app, argv []string) (api.ExecRequest, attach.Streams, error) {
	s := attach.Streams{In: a.docker.In(), Out: a.docker.Out(), Err: a.docker.Err(), Interactive: o.interactive, TTY: o.tty}
	switch {
	case o.detach:
		return api.ExecRequest{}, s, notYet("-d (detach)", "start the command in the background inside the space, or leave the client running")
	case len(argv) == 0 || argv[0] == "":
		return api.ExecRequest{}, s, errors.New("the command is empty: name the program to run after the space")
	case o.timeout < 0:
		return api.ExecRequest{}, s, fmt.Errorf("--timeout %s is negative", o.timeout)
	case o.interactive && o.tty && !a.docker.In().IsTerminal():
		return api.ExecRequest{}, s, errors.New("the input device is not a TTY; leave out -t to pipe input in")
	}
	var err error
	if s.DetachKeys, err = o.keys(a); err != nil {
		return api.ExecRequest{}, s, err
	}
	env, err := o.env.read()
	if err != nil {
		return api.ExecRequest{}, s, err
	}
	return api.ExecRequest{
		Command: api.Command{Argv: argv}, Env: env, Workdir: o.workdir, User: o.user,
		TimeoutMs: o.timeout.Milliseconds(), Interactive: o.interactive, TTY: o.tty,
	}, s, nil
}

// keys are those of the flag, else of docker's configuration, else ctrl-p,ctrl-q.
func (o *execOptions) keys(a *app) ([]byte, error) {
	spec := o.detachKeys
	if spec == "" {
		spec = a.docker.ConfigFile().DetachKeys
	}
	if spec == "" {
		spec = "ctrl-p,ctrl-q"
	}
	keys, err := term.ToBytes(spec)
	if err != nil {
		return nil, fmt.Errorf("invalid detach keys %q: %w", spec, err)
	}
	return keys, nil
}

func execIn(ctx context.Context, a *app, c *client.Client, name string, req api.ExecRequest, s attach.Streams) error {
	exit, err := attach.Run(ctx, s, func(ctx context.Context, cols, rows int, stdout, stderr io.Writer) (*client.Stream, error) {
		req.Cols, req.Rows = cols, rows
		return c.ExecStream(ctx, name, req, stdout, stderr)
	})
	return execResult(a, name, req, exit, err)
}
