package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/cli/attach"
	"github.com/docker-space/docker-space/internal/client"
	"github.com/docker/cli/cli"
)

// cleanupTimeout bounds the removal after `run --rm`, which goes on after
// Ctrl-C.
const cleanupTimeout = time.Minute

// runAndRemove is `run --rm`: whatever happens after the create, the space and
// its workspace are removed, and nothing that was there before it.
func runAndRemove(ctx context.Context, a *app, c *client.Client, req api.CreateRequest, p progress, execReq api.ExecRequest, s attach.Streams) error {
	if err := refuseKept(ctx, c, req.Name); err != nil {
		return status(exitDaemon, err)
	}
	key := rand.Text()
	made, err := create(ctx, a, c, req, key, p)
	if errors.Is(err, context.Canceled) {
		return errors.Join(err, undoCreate(ctx, c, req, key))
	}
	if err != nil {
		return status(exitDaemon, err)
	}
	err = execIn(ctx, a, c, made.Name, execReq, s)
	if failed := cleanup(ctx, c, made.Name); failed != nil {
		fmt.Fprintln(a.docker.Err(), failed)
		if err == nil {
			err = cli.StatusError{StatusCode: exitDaemon}
		}
	}
	return err
}

// refuseKept protects files that someone kept: --rm would delete them.
func refuseKept(ctx context.Context, c *client.Client, name string) error {
	all, err := c.List(ctx, true)
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.Status == api.StatusMissing && strings.EqualFold(s.Name, name) {
			return fmt.Errorf("the workspace of an earlier space %s was kept, and --rm would delete it; use another name, or leave out --rm", s.Name)
		}
	}
	return nil
}

// undoCreate removes what a create made that was cancelled here but goes on in
// the daemon: the same key gets its result, and never another's space.
func undoCreate(ctx context.Context, c *client.Client, req api.CreateRequest, key string) error {
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	s, err := c.Create(wait, req, key, nil)
	var answered *api.Error
	if errors.As(err, &answered) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("--rm could not remove %s: %w", req.Name, err)
	}
	return cleanup(ctx, c, s.Name)
}

func cleanup(ctx context.Context, c *client.Client, name string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	if _, err := c.Delete(ctx, name, true); err != nil {
		return fmt.Errorf("--rm could not remove %s: %w", name, err)
	}
	return nil
}
