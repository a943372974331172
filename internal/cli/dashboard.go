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

// defaultURL is where a daemon listens on TCP unless told otherwise.
const defaultURL = "http://127.0.0.1:7777"

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
	address, err := dashboardURL(ctx, c, defaultURL)
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

// dashboardURL is the daemon's own URL, or else standard if it is the same
// daemon that listens there: a second one on this machine has only its socket.
func dashboardURL(ctx context.Context, c *client.Client, standard string) (string, error) {
	if url := c.Target().URL; url != "" {
		return url, nil
	}
	want, err := c.Health(ctx)
	if err != nil {
		return "", err
	}
	tcp, err := client.New(client.Target{URL: standard})
	if err != nil {
		return "", err
	}
	defer tcp.Close()
	got, err := tcp.Health(ctx)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil || got.NodeID != want.NodeID {
		return "", errors.New("this spaced does not listen on " + standard + "; start it with --listen ADDRESS:PORT and open that address")
	}
	return standard, nil
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
