package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker/cli/cli"
	"github.com/spf13/cobra"
)

func newSystemCommand(a *app) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:               "system [OPTIONS]",
		Aliases:           []string{"info"},
		Short:             "Show the node, its engine and its resources",
		Args:              cli.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runSystem(cmd.Context(), a, format)
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "", inspectFormatHelp)
	return cmd
}

func runSystem(ctx context.Context, a *app, format string) error {
	c, err := a.finder.Connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	s, err := c.System(ctx)
	if err != nil {
		return err
	}
	if format != "" {
		return writeFormatted(a.docker.Out(), format, s)
	}
	writeFields(a.docker.Out(), "", systemFields(s))
	return nil
}

func systemFields(s api.System) [][2]string {
	disk, gpu := "", "none"
	if s.Disk != nil {
		disk = fmt.Sprintf("%s of %s used (%s)", s.Disk.Used, s.Disk.Total, s.Disk.Percentage)
	}
	if s.Capabilities.GPU {
		gpu = strings.TrimSpace(s.Capabilities.GPUName + " " + s.Capabilities.GPUMemory)
	}
	d := s.Docker
	return [][2]string{
		{"Node", s.Hostname + " (" + s.NodeID + ")"},
		{"Platform", fmt.Sprintf("%s/%s, %d CPUs", s.Platform, s.Arch, s.CPUs)},
		{"Load", fmt.Sprintf("%.2f %.2f %.2f", s.LoadAverage[0], s.LoadAverage[1], s.LoadAverage[2])},
		{"Memory", fmt.Sprintf("%s of %s used (%s)", s.Memory.Used, s.Memory.Total, s.Memory.Percentage)},
		{"Disk", disk},
		{"GPU", gpu},
		{"Uptime", s.Uptime},
		{"Docker", fmt.Sprintf("%s (API %s), runtimes: %s", d.Version, d.APIVersion, strings.Join(d.Runtimes, ", "))},
		{"Containers", fmt.Sprintf("%d (%d running, %d paused)", d.Containers, d.ContainersRunning, d.ContainersPaused)},
		{"Images", fmt.Sprint(d.Images)},
		{"spaced", s.Version},
		{"Instance", s.Instance},
		{"State", s.StateDir},
	}
}
