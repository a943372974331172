package space

import (
	"context"
	"errors"
	"time"

	"github.com/containerd/errdefs"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/spec"
)

// Exec runs one command in the leased space and waits for its end. When ctx
// ends, the caller is taken for gone: the command's process group is killed.
// Output goes to the streams as it comes. An Exit with Gone set means that the
// space was removed or stopped under the command.
func (l *Lease) Exec(ctx context.Context, req api.ExecRequest, streams Streams) (Exit, error) {
	c, err := command(req)
	if err != nil {
		return Exit{}, err
	}
	carry, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	d := steer(carry, giveUp, streams.Control, time.Duration(req.TimeoutMs)*time.Millisecond)
	streams.Control = d.control
	exit, err := l.runAwake(carry, req.User, c, streams)
	exit.TimedOut = d.end()
	if err != nil {
		return exit, l.explain(ctx, &exit, err)
	}
	return exit, nil
}

// run picks the road: the guest, a guest of its own for another user, or the
// engine where the space has no guest.
func (l *Lease) run(ctx context.Context, user string, c Command, streams Streams) (Exit, error) {
	id := l.container.ID
	switch {
	case l.container.NoGuest != "":
		return l.s.cfg.Engine.Exec(ctx, id, user, c, streams)
	case user != "" && user != l.container.RunsAs:
		return l.s.cfg.Guest.ExecAs(ctx, id, user, c, streams)
	}
	return l.s.cfg.Guest.Exec(ctx, id, c, streams)
}

// explain tells a space that went away from a guest that broke.
func (l *Lease) explain(ctx context.Context, exit *Exit, err error) error {
	var known *api.Error
	if errors.As(err, &known) || ctx.Err() != nil {
		return err
	}
	gone, lookErr := l.gone(ctx)
	switch {
	case gone:
		exit.Gone = true
		return nil
	case lookErr != nil:
		return lookErr
	case l.container.NoGuest != "":
		return err
	}
	l.s.log.WarnContext(ctx, "a command's channel broke", "space", l.name, "error", err)
	return api.Errorf(api.CodeGuest, "lost the channel into space %s, so the command's end is not known: try again; if it stays so: docker space restart %s", l.name, l.name)
}

// dying is how long a space may take to be seen as stopped whose processes end:
// its guest is gone some time before its container.
const dying = time.Second

// gone tells whether the space was removed, stopped or started anew since the
// lease.
func (l *Lease) gone(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	for began := time.Now(); ; {
		c, err := l.s.cfg.Engine.Container(ctx, l.container.ID)
		switch {
		case errdefs.IsNotFound(err):
			return true, nil
		case err != nil:
			return false, err
		case c.State == Stopped, c.Started.After(l.container.Started):
			return true, nil
		case c.State == Paused, time.Since(began) > dying, !pause(ctx, dying/10):
			return false, nil
		}
	}
}

// command checks a request and makes the command of it.
func command(req api.ExecRequest) (Command, error) {
	argv, err := req.Command.Args()
	if err != nil {
		return Command{}, api.Invalid("command", "%v", err)
	}
	for _, check := range []error{spec.CheckEnv(req.Env), spec.CheckWorkdir(req.Workdir), spec.CheckUser(req.User), checkTimeout(req.TimeoutMs)} {
		if check != nil {
			return Command{}, check
		}
	}
	return Command{
		Argv: argv, Env: req.Env, Workdir: req.Workdir, TTY: req.TTY,
		Cols: req.Cols, Rows: req.Rows, Interactive: req.Interactive,
	}, nil
}

// maxTimeout is what a time.Duration in milliseconds can express with room to
// spare: a year.
const maxTimeout = 365 * 24 * time.Hour

func checkTimeout(ms int64) error {
	if ms < 0 || ms > maxTimeout.Milliseconds() {
		return api.Invalid("timeoutMs", "invalid timeout of %d ms: give 0 for none, or up to a year", ms)
	}
	return nil
}

func isSpaceNotFound(err error) bool {
	var e *api.Error
	return errors.As(err, &e) && e.Code == api.CodeSpaceNotFound
}
