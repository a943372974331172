package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"time"

	"github.com/docker-space/docker-space/internal/client"
	"github.com/docker/cli/cli"
	"github.com/spf13/cobra"
)

const browserTimeout = 10 * time.Second

func newDashboardCommand(a *app) *cobra.Command {
	var noOpen bool
	cmd := &cobra.Command{
		Use:               "dashboard [OPTIONS]",
		Short:             "Print the dashboard's address and open it in a browser",
		Args:              cli.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDashboard(cmd.Context(), a, noOpen)
		},
	}
	cmd.Flags().BoolVar(&noOpen, "no-open", false, "Only print the address")
	return cmd
}

func runDashboard(ctx context.Context, a *app, noOpen bool) error {
	c, err := a.finder.Connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	address, err := dashboardURL(ctx, c)
	if err != nil {
		return err
	}
	fmt.Fprintln(a.docker.Out(), address)
	if noOpen || !hasDisplay(os.Getenv) {
		return nil
	}
	if err := openBrowser(ctx, address); err != nil {
		fmt.Fprintln(a.docker.Err(), "No browser was opened:", err)
	}
	return nil
}

// dashboardURL is the address that the daemon was reached at, or the one that
// it listens on.
func dashboardURL(ctx context.Context, c *client.Client) (string, error) {
	if url := c.Target().URL; url != "" {
		return url, nil
	}
	system, err := c.System(ctx)
	if err != nil {
		return "", err
	}
	if system.URL == "" {
		return "", errors.New("this spaced listens on its socket only; start it with --listen ADDRESS:PORT and open that address")
	}
	return system.URL, nil
}

func hasDisplay(getenv func(string) string) bool {
	return runtime.GOOS == "darwin" || getenv("DISPLAY") != "" || getenv("WAYLAND_DISPLAY") != ""
}

func openBrowser(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, browserTimeout)
	defer cancel()
	program := "xdg-open"
	if runtime.GOOS == "darwin" {
		program = "open"
	}
	return exec.CommandContext(ctx, program, url).Run()
}
