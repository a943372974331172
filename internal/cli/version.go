package cli

import (
	"context"
	"fmt"
	"runtime"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker/cli/cli"
	"github.com/spf13/cobra"
)

// versions is what --format of the version command gets. Server is nil where no
// daemon answers.
type versions struct {
	Client clientVersion
	Server *serverVersion
}

type clientVersion struct {
	Version, Commit, GoVersion, Os, Arch string
	Protocol                             int
}

type serverVersion struct {
	Version, Node, Address string
	Protocol               int
}

func newVersionCommand(a *app) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:               "version [OPTIONS]",
		Short:             "Show the versions of the client and the daemon",
		Long:              "Show the versions of the client and the daemon. It starts no daemon; where none\nanswers, it shows the client's version and fails.",
		Args:              cli.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runVersion(cmd.Context(), a, format)
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "", inspectFormatHelp)
	return cmd
}

func runVersion(ctx context.Context, a *app, format string) error {
	v := versions{Client: clientVersion{
		Version: api.Version, Commit: api.Commit, GoVersion: runtime.Version(),
		Os: runtime.GOOS, Arch: runtime.GOARCH, Protocol: api.Protocol,
	}}
	server, failed := askVersion(ctx, a)
	if failed == nil {
		v.Server = &server
	}
	if format != "" {
		if err := writeFormatted(a.docker.Out(), format, v); err != nil {
			return err
		}
		return failed
	}
	printVersions(a, v)
	return failed
}

func askVersion(ctx context.Context, a *app) (serverVersion, error) {
	c, err := a.finder.Find(ctx)
	if err != nil {
		return serverVersion{}, err
	}
	defer c.Close()
	h, err := c.Health(ctx)
	return serverVersion{Version: h.Version, Node: h.Name, Address: c.Target().String(), Protocol: h.Protocol}, err
}

func printVersions(a *app, v versions) {
	out := a.docker.Out()
	fmt.Fprintln(out, "Client:")
	writeFields(out, " ", [][2]string{
		{"Version", v.Client.Version},
		{"Commit", v.Client.Commit},
		{"Protocol", fmt.Sprint(v.Client.Protocol)},
		{"Go version", v.Client.GoVersion},
		{"OS/Arch", v.Client.Os + "/" + v.Client.Arch},
	})
	if v.Server == nil {
		return
	}
	fmt.Fprintln(out, "\nServer:")
	writeFields(out, " ", [][2]string{
		{"Version", v.Server.Version},
		{"Protocol", fmt.Sprint(v.Server.Protocol)},
		{"Node", v.Server.Node},
		{"Address", v.Server.Address},
	})
}
