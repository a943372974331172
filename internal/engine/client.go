package engine

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/docker-space/docker-space/internal/space"
)

// answerIn bounds a call of the engine where the caller set no deadline.
const answerIn = 60 * time.Second

// Config says which engine, and as whom.
type Config struct {
	// Host of the engine ("unix:///var/run/docker.sock"); empty is DOCKER_HOST
	// or the platform's default.
	Host string
	// Instance that the spaces belong to; empty is DefaultInstance.
	Instance string
	// GuestBinary gives the static guest for a GOARCH. Nil, or an error, means
	// spaces without a guest; the error's text becomes their NoGuest.
	GuestBinary func(arch string) ([]byte, error)
	// Logger is optional.
	Logger *slog.Logger
}

// Client is a space.Engine on a Docker engine. It is safe for concurrent use.
type Client struct {
	api      *client.Client
	names    names
	binary   func(arch string) ([]byte, error)
	log      *slog.Logger
	cache    cache
	starts   starts
	network  lock
	measure  lock
	guest    lock
	guestFor string // architecture whose guest is known to be in place; under guest
	swept    bool   // left-over helpers are gone; under guest
	leaving  atomic.Bool
}

var _ space.Engine = (*Client)(nil)

// New makes a client. The engine need not answer yet: calls made while it is
// away fail with errdefs.ErrUnavailable, and later ones work.
func New(ctx context.Context, cfg Config) (*Client, error) {
	if strings.HasPrefix(cfg.Host, "ssh://") {
		return nil, errdefs.ErrInvalidArgument.WithMessage(
			fmt.Sprintf("engine host %q: ssh is not supported; forward the socket (ssh -L) and give a unix:// or tcp:// address", cfg.Host))
	}
	opts := []client.Opt{client.FromEnv, client.WithHTTPResponseHook(answered)}
	if cfg.Host != "" {
		opts = append(opts, client.WithHost(cfg.Host))
	}
	api, err := client.New(opts...)
	if err != nil {
		return nil, errdefs.ErrInvalidArgument.WithMessage(fmt.Sprintf("engine host %q: %v", cfg.Host, err))
	}
	c := &Client{
		api: api, names: newNames(cfg.Instance), binary: cfg.GuestBinary, log: cfg.Logger,
		network: newLock(), measure: newLock(), guest: newLock(),
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.greet(ctx)
	return c, nil
}

// greet settles the API version, and says early when the engine is away.
func (c *Client) greet(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if _, err := c.api.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		c.log.WarnContext(ctx, "the engine does not answer yet", "host", c.api.DaemonHost(), "err", err)
	}
}

// Close lets go of idle connections.
func (c *Client) Close() error { return c.api.Close() }

// LetGo makes commands outlive their callers from now on: the daemon ends.
func (c *Client) LetGo() { c.leaving.Store(true) }

// call makes one engine call: under a deadline, and with its error explained.
func call[T any](ctx context.Context, c *Client, what string, do func(context.Context) (T, error)) (T, error) {
	return callIn(ctx, c, answerIn, what, do)
}

func callIn[T any](ctx context.Context, c *Client, in time.Duration, what string, do func(context.Context) (T, error)) (T, error) {
	inner, cancel := bounded(ctx, in)
	defer cancel()
	v, err := do(inner)
	return v, c.explain(ctx, what, err)
}

// bounded adds a deadline where the caller has none.
func bounded(ctx context.Context, in time.Duration) (context.Context, context.CancelFunc) {
	if _, has := ctx.Deadline(); has {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, in)
}

// answerKey holds a func(*http.Response) that is told when an answer's head is
// in: how Watch knows that its stream stands.
type answerKey struct{}

func answered(r *http.Response) {
	if r == nil || r.Request == nil {
		return
	}
	if told, ok := r.Request.Context().Value(answerKey{}).(func(*http.Response)); ok {
		told(r)
	}
}

// lock is a mutex whose waiters give up with their context.
type lock chan struct{}

func newLock() lock { return make(lock, 1) }

func (l lock) acquire(ctx context.Context) error {
	select {
	case l <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l lock) release() { <-l }
