// Command gendocs writes the command reference: go run ./internal/cli/gendocs
// docs/reference. Text outside the markers of a page is kept.
package main

import (
	"fmt"
	"io"
	"log"
	"os"

	"github.com/docker-space/docker-space/internal/cli"
	clidocs "github.com/docker/cli-docs-tool"
	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gendocs FOLDER")
		os.Exit(2)
	}
	if err := generate(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "gendocs:", err)
		os.Exit(1)
	}
}

func generate(dir string) error {
	log.SetOutput(io.Discard)
	docker, err := command.NewDockerCli()
	if err != nil {
		return err
	}
	root := &cobra.Command{Use: "docker"}
	root.AddCommand(cli.New(docker, nil))
	tool, err := clidocs.New(clidocs.Options{Root: root, SourceDir: dir, TargetDir: dir, Plugin: true})
	if err != nil {
		return err
	}
	return tool.GenMarkdownTree(root)
}
