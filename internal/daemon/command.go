package daemon

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/server"
)

// Main runs the command line of spaced and gives the exit code.
func Main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	signal.Ignore(syscall.SIGHUP)
	cmd := newCommand()
	cmd.SetArgs(args)
	if err := cmd.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "spaced:", err)
		return 1
	}
	return 0
}

// source is where the configuration comes from.
type source struct{ cmd *cobra.Command }

func newCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "spaced",
		Short:         "The daemon of docker space",
		Long:          "spaced runs isolated execution environments (spaces) on this machine's Docker engine.\nWithout a command it serves until it is told to stop.",
		Args:          cobra.NoArgs,
		SilenceErrors: true, SilenceUsage: true,
	}
	src := source{cmd}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := src.load()
		if err != nil {
			return err
		}
		return Run(cmd.Context(), cfg, logger(cfg, os.Stderr))
	}
	flags := cmd.PersistentFlags()
	flags.String("config", "", "configuration file (default "+DefaultConfigFile+")")
	for _, s := range settings {
		if s.flag != "" {
			flags.String(s.flag, "", s.usage)
		}
	}
	cmd.AddCommand(newVersionCommand(), newOpenAPICommand(), newKeyCommand(src))
	return cmd
}

func (s source) load() (Config, error) {
	flags := s.cmd.PersistentFlags()
	path, _ := flags.GetString("config")
	if path == "" {
		path = os.Getenv("SPACED_CONFIG")
	}
	asked := path != ""
	if !asked {
		path = DefaultConfigFile
	}
	given := map[string]string{}
	for _, set := range settings {
		if set.flag != "" && flags.Changed(set.flag) {
			given[set.key], _ = flags.GetString(set.flag)
		}
	}
	return Load(path, asked, os.Getenv, given)
}

func logger(cfg Config, w io.Writer) *slog.Logger {
	opts := &slog.HandlerOptions{Level: cfg.LogLevel}
	if cfg.LogJSON {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			fmt.Fprintf(cmd.OutOrStdout(), "spaced %s %s (protocol %d)\n", api.Version, api.Commit, api.Protocol)
		},
	}
}

func newOpenAPICommand() *cobra.Command {
	return &cobra.Command{
		Use: "openapi", Short: "Print the API's OpenAPI 3.1 description", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := server.New(server.Config{
				// Nothing is asked of the rules to describe the routes.
				Spaces: leasing{}, Logger: slog.New(slog.DiscardHandler), SessionSecret: make([]byte, 32),
			})
			if err != nil {
				return err
			}
			b, err := s.OpenAPI()
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(b)
			return err
		},
	}
}
