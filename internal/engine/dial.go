package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// runtimeFailed begins what the engine writes to standard output when a
// command could not be started at all.
const runtimeFailed = "OCI runtime exec failed"

// Dial runs argv in a container, as user where given, and connects to its
// standard input and output. A command that fails at once shows in the first
// Read, with what it said on standard error. ctx bounds the dialling only. The
// result also has CloseWrite; Close ends the command's input and output.
func (c *Client) Dial(ctx context.Context, containerID, user string, argv []string) (io.ReadWriteCloser, error) {
	if err := c.mustOwn(ctx, containerID); err != nil {
		return nil, err
	}
	_, h, err := c.attach(ctx, containerID, client.ExecCreateOptions{
		User: user, Cmd: argv, AttachStdin: true, AttachStdout: true, AttachStderr: true,
	})
	if err != nil {
		return nil, err
	}
	return &pipe{h: h, in: demux{r: h.Reader}, what: strings.Join(argv, " ") + " in container " + short(containerID)}, nil
}

// attach starts a command and gives its hijacked connection.
func (c *Client) attach(ctx context.Context, id string, o client.ExecCreateOptions) (string, client.HijackedResponse, error) {
	what := "run a command in container " + short(id)
	started, err := c.starts.one(ctx, id)
	if err != nil {
		return "", client.HijackedResponse{}, c.explain(ctx, what, err)
	}
	defer started()
	created, err := call(ctx, c, what, func(ctx context.Context) (client.ExecCreateResult, error) {
		r, err := c.api.ExecCreate(ctx, id, o)
		return r, conflict(err)
	})
	if err != nil {
		return "", client.HijackedResponse{}, err
	}
	r, err := call(ctx, c, what, func(ctx context.Context) (client.ExecAttachResult, error) {
		return c.api.ExecAttach(ctx, created.ID, client.ExecAttachOptions{TTY: o.TTY})
	})
	return created.ID, r.HijackedResponse, err
}

// pipe is the standard input and output of a command.
type pipe struct {
	h      client.HijackedResponse
	in     demux
	what   string
	begun  bool
	failed error

	mu     sync.Mutex
	notice bytes.Buffer // the beginning of standard error
}

// Read gives standard output as it comes.
func (p *pipe) Read(b []byte) (int, error) {
	if p.failed != nil || len(b) == 0 {
		return 0, p.failed
	}
	for {
		stream, err := p.in.next()
		if err != nil {
			return 0, p.end(err)
		}
		if stream == streamStdout && (p.begun || !p.startFailed()) {
			p.begun = true
			n, err := p.in.read(b)
			if err != nil {
				err = p.end(err)
			}
			return n, err
		}
		if err := p.note(); err != nil {
			return 0, p.end(err)
		}
	}
}

func (p *pipe) startFailed() bool {
	return bytes.HasPrefix(p.in.peek(len(runtimeFailed)), []byte(runtimeFailed))
}

// note keeps the beginning of standard error and drops the rest.
func (p *pipe) note() error {
	var b [512]byte
	n, err := p.in.read(b[:])
	p.mu.Lock()
	defer p.mu.Unlock()
	p.notice.Write(b[:min(n, maxNotice-p.notice.Len())])
	return err
}

// end explains an end before any output; later ends are the command's own.
func (p *pipe) end(err error) error {
	p.failed = err
	if said := p.Stderr(); !p.begun && errors.Is(err, io.EOF) {
		if said == "" {
			said = "it said nothing"
		}
		p.failed = fmt.Errorf("%s ended at once: %s: %w", p.what, said, errdefs.ErrUnavailable)
	}
	return p.failed
}

// Stderr is the beginning of what the command said on standard error so far.
func (p *pipe) Stderr() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.TrimSpace(p.notice.String())
}

// Write sends to standard input.
func (p *pipe) Write(b []byte) (int, error) { return p.h.Conn.Write(b) }

// CloseWrite ends standard input.
func (p *pipe) CloseWrite() error { return p.h.CloseWrite() }

// Close ends both directions; a Read in progress returns.
func (p *pipe) Close() error { return p.h.Conn.Close() }
