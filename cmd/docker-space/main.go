// Command docker-space is the Docker CLI plugin behind `docker space`; it also
// runs on its own, as `docker-space ls`.
package main

import (
	"os"

	"github.com/docker-space/docker-space/internal/cli"
)

func main() { os.Exit(cli.Main()) }
