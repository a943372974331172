// Command spaced is the daemon of docker space.
package main

import (
	"os"

	"github.com/docker-space/docker-space/internal/daemon"
)

func main() { os.Exit(daemon.Main(os.Args[1:])) }
