package cli

import (
	"github.com/docker/cli/cli"
	"github.com/spf13/cobra"
)

// loginShell is bash where the space has it, else sh.
var loginShell = []string{"sh", "-c", "if command -v bash >/dev/null 2>&1; then exec bash -l; else exec sh -l; fi"}

func newShellCommand(a *app) *cobra.Command {
	o := execOptions{interactive: true}
	cmd := &cobra.Command{
		Use:   "shell [OPTIONS] NAME",
		Short: "Open a login shell in a space: bash, or sh where there is none",
		Long: "Open a login shell in a space: bash, or sh where there is none. Where standard\n" +
			"input is not a terminal, the shell reads its commands from it.",
		Args:              cli.ExactArgs(1),
		ValidArgsFunction: a.completeNames(1, anySpace),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.tty = a.docker.In().IsTerminal() && a.docker.Out().IsTerminal()
			return runExec(cmd.Context(), a, args[0], loginShell, o)
		},
	}
	f := cmd.Flags()
	o.env.install(cmd, f)
	f.StringVarP(&o.workdir, "workdir", "w", "", "Working directory inside the space")
	f.StringVarP(&o.user, "user", "u", "", `Username or UID (format: "<name|uid>[:<group|gid>]")`)
	f.StringVar(&o.detachKeys, "detach-keys", "", "Override the key sequence for leaving the shell (default ctrl-p,ctrl-q)")
	return cmd
}
