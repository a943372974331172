package engine

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/docker-space/docker-space/internal/space"
)

// settleIn bounds asking for an exit status after the output ended.
const settleIn = 10 * time.Second

// Exec runs a command by the engine's own exec; an empty user is the
// container's own. When ctx ends, or the output is not taken, the command is killed.
// The engine cannot signal an exec: signals and kills go to all processes that
// carry its mark in their environment. Streams.Stdin may be read once more after Exec returned; its
// owner closes it.
func (c *Client) Exec(ctx context.Context, id, user string, cmd space.Command, s space.Streams) (space.Exit, error) {
	if err := c.mustOwn(ctx, id); err != nil {
		return space.Exit{}, err
	}
	mark := rand.Text()
	feed := cmd.Interactive && s.Stdin != nil
	execID, h, err := c.attach(ctx, id, client.ExecCreateOptions{
		User: user, Cmd: cmd.Argv, Env: append(envList(cmd.Env), markName+"="+mark), WorkingDir: cmd.Workdir,
		TTY: cmd.TTY, AttachStdin: feed, AttachStdout: true, AttachStderr: !cmd.TTY,
	})
	if err != nil {
		return space.Exit{}, err
	}
	defer h.Close()
	defer context.AfterFunc(ctx, h.Close)()
	if s.Started != nil {
		s.Started()
	}
	if feed {
		go feedStdin(h, s.Stdin)
	}
	e := steered{container: id, user: user, exec: execID, mark: mark}
	steering := c.steer(ctx, e, cmd, s.Control)
	defer steering.stop()

	out := &output{stdout: s.Stdout, stderr: s.Stderr}
	err = out.copy(h.Reader, cmd.TTY)
	if ctx.Err() != nil || out.refused {
		c.endAlone(ctx, e)
	}
	switch {
	case ctx.Err() != nil:
		return space.Exit{}, context.Cause(ctx)
	case out.refused:
		return space.Exit{}, fmt.Errorf("cannot pass on the command's output: %w", err)
	}
	return c.settle(ctx, id, execID, out, err)
}

// feedStdin ends with stdin, or with its first write to a closed connection.
func feedStdin(h client.HijackedResponse, stdin io.Reader) {
	_, _ = io.Copy(h.Conn, stdin)
	_ = h.CloseWrite()
}

// endAlone kills a command that nobody listens to any more, unless it is this
// daemon that goes away.
func (c *Client) endAlone(ctx context.Context, e steered) {
	if c.leaving.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleIn)
	defer cancel()
	c.pass(ctx, e, space.Control{Kill: true})
}

// settle tells how a command ended whose output did.
func (c *Client) settle(ctx context.Context, id, execID string, out *output, copyErr error) (space.Exit, error) {
	// The status is wanted also where the caller goes away just now.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleIn)
	defer cancel()
	r, err := c.awaitExit(ctx, execID)
	switch {
	case errdefs.IsNotFound(err), errdefs.IsConflict(err):
		return space.Exit{Gone: true}, out.flush()
	case err != nil:
		return space.Exit{}, err
	case r.Running && copyErr != nil:
		return space.Exit{}, c.explain(ctx, "read the command's output", copyErr)
	case r.Running:
		return space.Exit{Gone: c.gone(ctx, id)}, out.flush()
	case out.held() && r.PID == 0:
		return out.startFailure(r.ExitCode)
	}
	return space.Exit{Code: &r.ExitCode, Gone: r.ExitCode == killed && c.gone(ctx, id)}, out.flush()
}

// killed is the status of a command that ended by SIGKILL, as all do when their
// container ends.
const killed = 137

// awaitExit waits for the status, which can come a moment after the output's
// end.
func (c *Client) awaitExit(ctx context.Context, execID string) (client.ExecInspectResult, error) {
	wait := time.Millisecond
	for {
		r, err := call(ctx, c, "ask for the exit status", func(ctx context.Context) (client.ExecInspectResult, error) {
			return c.api.ExecInspect(ctx, execID, client.ExecInspectOptions{})
		})
		if err != nil || !r.Running || wait > 2*time.Second {
			return r, conflict(err)
		}
		if err := pause(ctx, wait); err != nil {
			return r, err
		}
		wait *= 2
	}
}

// goneWithin is how long a container's end may show after that of its commands.
const goneWithin = time.Second

// gone tells whether the container ended, which the engine notes a moment after
// its commands did.
func (c *Client) gone(ctx context.Context, id string) bool {
	ctx, cancel := context.WithTimeout(ctx, goneWithin)
	defer cancel()
	for {
		r, err := c.inspect(ctx, id)
		if errdefs.IsNotFound(err) || err == nil && !orZero(r.State).Running {
			return true
		}
		if pause(ctx, 20*time.Millisecond) != nil {
			return false
		}
	}
}
