package link

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
)

// Do asks the container's guest by HTTP and gives its answer, whose Body the
// caller closes. Only the path, query, headers and body of r count. When ctx
// ends the stream is closed, whatever it was doing. Bodies flow in both
// directions without being gathered; what the guest answers is untrusted, so
// the caller bounds what it reads.
//
// Errors are of kind Unavailable where the channel broke, else ctx's cause.
func (p *Pool) Do(ctx context.Context, container string, r *http.Request) (*http.Response, error) {
	stream, err := p.stream(ctx, container)
	if err != nil {
		return nil, err
	}
	a := &asked{stream: stream, ctx: ctx}
	a.unwatch = context.AfterFunc(ctx, a.cut)
	// Its own goroutine: the guest may answer before it has read the body, and
	// a frozen one reads nothing. It ends with the stream.
	go a.send(r)
	resp, rest, err := readHead(stream)
	if err != nil {
		a.end()
		return nil, a.reason(err)
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		a.r = rest
		resp.Body = a
		return resp, nil
	}
	a.r, a.body = resp.Body, resp.Body
	resp.Body = a
	return resp, nil
}

// asked is one request's stream, and the answer's body on it. After a 101 it
// is the raw stream in both directions.
type asked struct {
	stream  io.ReadWriteCloser
	ctx     context.Context
	unwatch func() bool
	r       io.Reader
	body    io.Closer
	once    sync.Once
}

func (a *asked) send(r *http.Request) {
	out := r.Clone(a.ctx)
	out.Host, out.URL.Scheme, out.URL.Host = "guest", "http", "guest"
	if out.Header.Get("Upgrade") == "" {
		out.Close = true
	}
	if err := out.Write(a.stream); err != nil {
		a.cut() // a half request has no answer worth waiting for
	}
}

// Read gives the answer's body.
func (a *asked) Read(b []byte) (int, error) {
	n, err := a.r.Read(b)
	if err != nil && err != io.EOF { //nolint:errorlint // io.Reader gives io.EOF itself
		err = a.reason(err)
	}
	return n, err
}

// Write sends to the guest after an upgrade.
func (a *asked) Write(b []byte) (int, error) {
	n, err := a.stream.Write(b)
	if err != nil {
		err = a.reason(err)
	}
	return n, err
}

// Close lets go of the stream, read to its end or not.
func (a *asked) Close() error {
	a.end()
	return nil
}

func (a *asked) end() {
	a.once.Do(func() {
		a.unwatch()
		a.cut()
	})
}

// cut ends reads and writes in progress: closing alone ends neither, and does
// not return while the guest is frozen.
func (a *asked) cut() {
	if s, ok := a.stream.(*yamux.Stream); ok {
		_ = s.SetDeadline(time.Unix(1, 0))
	}
	go a.stream.Close()
}

func (a *asked) reason(err error) error {
	if a.ctx.Err() != nil {
		return context.Cause(a.ctx)
	}
	return lost(fmt.Errorf("the answer was cut short: %w", err))
}
