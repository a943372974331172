package engine

import (
	"context"
	"sync"
	"time"

	"github.com/moby/moby/client"

	"github.com/docker-space/docker-space/internal/space"
)

// markName is the environment variable by which the processes of one exec are
// found again. They run as the user that the signal is sent as.
const markName = "SPACE_EXEC_ID"

// signalScript sends a signal ($2) to every process that has the mark ($1).
const signalScript = `for p in /proc/[0-9]*; do case "$(cat "$p/environ" 2>/dev/null)" in *"$1"*) kill -s "$2" "${p#/proc/}" 2>/dev/null;; esac; done; :`

// termGrace is how long a killed command has to end by itself.
const termGrace = 2 * time.Second

// steered is a running exec.
type steered struct{ container, user, exec, mark string }

// steering passes controls on until it is stopped.
type steering struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
}

func (s *steering) stop() {
	s.cancel()
	s.done.Wait()
}

func (c *Client) steer(ctx context.Context, e steered, cmd space.Command, control <-chan space.Control) *steering {
	ctx, cancel := context.WithCancel(ctx)
	s := &steering{cancel: cancel}
	s.done.Go(func() {
		if cmd.TTY && cmd.Cols > 0 && cmd.Rows > 0 {
			c.resize(ctx, e, cmd.Cols, cmd.Rows)
		}
		for {
			select {
			case <-ctx.Done():
				return
			case ctl, open := <-control:
				if !open {
					return
				}
				c.pass(ctx, e, ctl)
			}
		}
	})
	return s
}

func (c *Client) pass(ctx context.Context, e steered, ctl space.Control) {
	switch {
	case ctl.Kill:
		c.signal(ctx, e, "TERM")
		if pause(ctx, termGrace) == nil {
			c.signal(ctx, e, "KILL")
		}
	case ctl.Signal != "":
		c.signal(ctx, e, ctl.Signal)
	case ctl.Cols > 0 && ctl.Rows > 0:
		c.resize(ctx, e, ctl.Cols, ctl.Rows)
	}
}

// resize tries for a while: the engine refuses until the process runs.
func (c *Client) resize(ctx context.Context, e steered, cols, rows int) {
	var err error
	for wait := 5 * time.Millisecond; wait < time.Second; wait *= 2 {
		_, err = call(ctx, c, "resize the terminal", func(ctx context.Context) (client.ExecResizeResult, error) {
			return c.api.ExecResize(ctx, e.exec, client.ExecResizeOptions{Height: uint(rows), Width: uint(cols)})
		})
		if err == nil || pause(ctx, wait) != nil {
			return
		}
	}
	c.log.DebugContext(ctx, "the terminal was not resized", "container", short(e.container), "err", err)
}

func (c *Client) signal(ctx context.Context, e steered, name string) {
	_, h, err := c.attach(ctx, e.container, client.ExecCreateOptions{
		User: e.user, Cmd: []string{"/bin/sh", "-c", signalScript, "sh", markName + "=" + e.mark, name}, AttachStdout: true,
	})
	if err != nil {
		c.log.WarnContext(ctx, "a signal was not delivered", "container", short(e.container), "signal", name, "err", err)
		return
	}
	defer h.Close()
	defer context.AfterFunc(ctx, h.Close)()
	// Its end is the script's.
	_ = (&output{}).copy(h.Reader, false)
}
