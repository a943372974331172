package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/cli/connect"
	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli-plugins/metadata"
	"github.com/docker/cli/cli-plugins/plugin"
	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"
)

// exitCancelled is what a shell gives for a command that SIGINT ended.
const exitCancelled = 130

// Main runs the plugin, or the standalone program, and gives its exit code.
func Main() int {
	os.Args = pluginArgs(os.Args, os.Getenv(metadata.ReexecEnvvar) != "")
	docker, err := command.NewDockerCli()
	if err != nil {
		return exitCode(err, os.Stderr)
	}
	root := New(docker, finder(docker))
	root.PersistentPreRunE = func(cmd *cobra.Command, args []string) error {
		if err := plugin.PersistentPreRunE(cmd, args); err != nil {
			return err
		}
		cancelOnSignal(cmd)
		return nil
	}
	err = plugin.RunPlugin(docker, root, metadata.Metadata{
		SchemaVersion:    "0.1.0",
		Vendor:           "docker-space",
		Version:          api.Version,
		ShortDescription: root.Short,
		URL:              "https://github.com/docker-space/docker-space",
	})
	return exitCode(err, docker.Err())
}

// pluginArgs puts the word "space" in front of standalone arguments, as the
// docker CLI would have: `docker-space ls` is `docker space ls`.
func pluginArgs(args []string, byDocker bool) []string {
	if byDocker || len(args) > 1 && (args[1] == "space" || args[1] == metadata.MetadataSubcommandName) {
		return args
	}
	at := min(1, len(args))
	if len(args) > 1 && (args[1] == cobra.ShellCompRequestCmd || args[1] == cobra.ShellCompNoDescRequestCmd) {
		at = 2
	}
	return slices.Insert(slices.Clone(args), at, "space")
}

// cancelOnSignal ends the command's context at the first SIGINT or SIGTERM; at
// the second the signal has its own effect again.
func cancelOnSignal(cmd *cobra.Command) {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	cmd.SetContext(ctx)
}

// exitCode prints err, unless it has no text, and gives the exit code.
func exitCode(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	var st cli.StatusError
	switch {
	case errors.As(err, &st):
		if text := st.Error(); text != "" {
			fmt.Fprintln(stderr, text)
		}
		// An error never exits 0.
		return max(st.StatusCode, 1)
	case errors.Is(err, context.Canceled):
		return exitCancelled
	}
	fmt.Fprintln(stderr, err)
	return 1
}

func finder(docker *command.DockerCli) *connect.Finder {
	return &connect.Finder{
		Getenv:    os.Getenv,
		UID:       os.Getuid(),
		Err:       docker.Err(),
		System:    connect.SystemSocket,
		Dial:      connect.Dial,
		Program:   connect.Program,
		DockerEnv: func() []string { return engineEnv(docker) },
	}
}
