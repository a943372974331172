package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/docker-space/docker-space/internal/api"
)

// The deadlines of calls that a caller gave none. A change waits for the
// engine, a create for an image.
const (
	dialTimeout   = 5 * time.Second
	readTimeout   = 30 * time.Second
	changeTimeout = 3 * time.Minute
	createTimeout = time.Hour
)

// maxBody bounds a JSON answer: a buffered exec's two streams of 8 MiB, which
// base64 and escapes make larger.
const maxBody = 128 << 20

// Target says where a daemon is: Socket is a path, else URL is http(s). Key is
// sent only to a URL, because a socket knows its peer.
type Target struct {
	Socket string
	URL    string
	Key    string
}

// String names the target in messages; it never shows the key.
func (t Target) String() string {
	if t.Socket != "" {
		return t.Socket
	}
	return t.URL
}

// Client talks to one daemon. It is safe for concurrent use.
type Client struct {
	target Target
	base   *url.URL
	http   *http.Client
	dial   func(ctx context.Context, network, addr string) (net.Conn, error)
}

// New makes a client; it contacts nothing.
func New(t Target) (*Client, error) {
	base := &url.URL{Scheme: "http", Host: "localhost"}
	if t.Socket == "" {
		var err error
		if base, err = parseURL(t.URL); err != nil {
			return nil, err
		}
	}
	d := &net.Dialer{Timeout: dialTimeout}
	dial := d.DialContext
	if t.Socket != "" {
		dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return d.DialContext(ctx, "unix", t.Socket)
		}
	}
	transport := &http.Transport{DialContext: dial, TLSHandshakeTimeout: dialTimeout, IdleConnTimeout: readTimeout}
	if t.Socket == "" {
		transport.Proxy = http.ProxyFromEnvironment
	}
	// A redirect would carry the key to whoever was named.
	refuse := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{target: t, base: base, dial: dial, http: &http.Client{Transport: transport, CheckRedirect: refuse}}, nil
}

func parseURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, fmt.Errorf("the daemon's URL %q is not valid: %w", s, err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("the daemon's URL %q is not valid: give http://HOST:PORT or https://HOST:PORT", s)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/")}, nil
}

// Target gives where the client connects to.
func (c *Client) Target() Target { return c.target }

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// call sends one JSON request and decodes the answer into out, if it is set.
func (c *Client) call(ctx context.Context, limit time.Duration, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return c.roundTrip(ctx, method, path, in, out)
}

func (c *Client) roundTrip(ctx context.Context, method, path string, in, out any) error {
	resp, err := c.send(ctx, method, path, in, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxBody)).Decode(out); err != nil {
		return fmt.Errorf("the answer of spaced at %s to %s %s is not what was expected: %w", c.target, method, path, err)
	}
	return nil
}

// send gives a 2xx answer, whose body the caller closes, or an error.
func (c *Client) send(ctx context.Context, method, path string, in any, header http.Header) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("encode the request: %w", err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base.String()+path, body)
	if err != nil {
		return nil, err
	}
	for k, v := range header {
		req.Header[k] = v
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	c.authorize(req.Header)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if resp.StatusCode/100 != 2 {
		defer resp.Body.Close()
		return nil, decodeError(resp)
	}
	return resp, nil
}

func (c *Client) authorize(h http.Header) {
	h.Set("User-Agent", "docker-space/"+api.Version)
	if c.target.Key != "" && c.target.Socket == "" {
		h.Set("Authorization", "Bearer "+c.target.Key)
	}
}

// unreachable words a transport error. Cancellation stays recognisable.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled) {
		return context.Canceled
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if ctx.Err() != nil {
		return fmt.Errorf("spaced at %s did not answer in time: %w", c.target, ctx.Err())
	}
	return fmt.Errorf("cannot reach spaced at %s: %w", c.target, err)
}
