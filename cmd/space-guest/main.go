// Command space-guest runs inside a space and starts commands there for the
// daemon. It is static and needs nothing of the space's image.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/guest/agent"
	"github.com/docker-space/docker-space/internal/guest/wire"
)

const usage = `usage: space-guest serve|dial|run|version

  serve    listen for the daemon and run its commands (the space's main process)
  dial     connect standard input and output to a serving guest
  run      run one command, framed over standard input and output
  version  print the version
`

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "space-guest:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	// A write to a broken standard output is an error, not this program's end.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	if len(args) != 1 {
		return fmt.Errorf("one subcommand is needed, got %q\n%s", args, usage)
	}
	switch args[0] {
	case "serve":
		return serve(ctx)
	case "dial":
		agent.Prepare()
		return agent.Dial(ctx, wire.Socket, agent.Stdio())
	case "run":
		agent.Prepare()
		a := agent.New(os.Environ())
		defer a.Close()
		a.RunStdio(ctx)
		return nil
	case "version":
		_, err := fmt.Fprintln(out, api.Version)
		return err
	}
	return fmt.Errorf("unknown subcommand %q\n%s", args[0], usage)
}

func serve(ctx context.Context) error {
	agent.Prepare()
	agent.ReserveThreads()
	ln, err := (&net.ListenConfig{}).Listen(ctx, "unix", wire.Socket)
	if err != nil {
		return fmt.Errorf("cannot listen on %s (is a guest serving already?): %w", wire.Socket, err)
	}
	a := agent.New(os.Environ())
	defer a.Close()
	return a.Serve(ctx, ln)
}
