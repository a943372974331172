package link

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"math"
	"slices"

	"github.com/docker-space/docker-space/internal/guest/wire"
	"github.com/docker-space/docker-space/internal/space"
)

var _ space.Guest = (*Pool)(nil)

// Exec runs a command through the space's guest and waits for its end. When
// ctx ends, the command's whole process group is killed and its end waited for
// up to 5 s; the error is then ctx's cause unless the end became known.
//
// Stdin is read by a goroutine that Exec does not wait for: it ends when that
// read returns, so the caller must close Stdin. A Stdout or Stderr that fails
// kills the command.
//
// Errors: *api.Error for a command that cannot be run, and kind Unavailable
// with an Exit without code where the channel broke.
func (p *Pool) Exec(ctx context.Context, container string, c space.Command, s space.Streams) (space.Exit, error) {
	request, err := encode(c)
	if err != nil {
		return space.Exit{}, err
	}
	stream, err := p.stream(ctx, container)
	if err != nil {
		return space.Exit{}, err
	}
	return run(ctx, stream, append([]byte(upgrade), request...), readUpgrade, c, s)
}

// ExecAs runs it as another user, in a guest process of its own. The rest is as
// with Exec.
func (p *Pool) ExecAs(ctx context.Context, container, user string, c space.Command, s space.Streams) (space.Exit, error) {
	request, err := encode(c)
	if err != nil {
		return space.Exit{}, err
	}
	dial, cancel := context.WithTimeoutCause(ctx, dialTimeout, errSlow)
	defer cancel()
	rw, err := p.dialer.Dial(dial, container, user, []string{wire.Path, "run"})
	if err != nil {
		return space.Exit{}, err
	}
	return run(ctx, rw, request, readPlain, c, s)
}

// stream opens one on the container's session. A session that turns out broken
// before anything was sent is replaced once.
func (p *Pool) stream(ctx context.Context, container string) (io.ReadWriteCloser, error) {
	var last error
	for range 2 {
		ch, err := p.channel(ctx, container)
		if err != nil {
			return nil, err
		}
		stream, err := ch.session.OpenStream()
		if err == nil {
			return stream, nil
		}
		last = err
		ch.close()
	}
	return nil, lost(last)
}

// encode makes the frame that asks for c.
func encode(c space.Command) ([]byte, error) {
	req := wire.Exec{
		Argv: c.Argv, Dir: c.Workdir, TTY: c.TTY, Interactive: c.Interactive,
		Cols: clamp(c.Cols), Rows: clamp(c.Rows),
	}
	for _, name := range slices.Sorted(maps.Keys(c.Env)) {
		req.Env = append(req.Env, name+"="+c.Env[name])
	}
	b, err := json.Marshal(req)
	if err != nil {
		return nil, err
	}
	if len(b) > wire.MaxFrame {
		return nil, errTooLarge(len(b))
	}
	return wire.Append(nil, wire.Request, b), nil
}

// clamp makes a terminal's size fit; 0 stays "not known".
func clamp(n int) uint16 { return uint16(min(max(n, 0), math.MaxUint16)) }
