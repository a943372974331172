package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errhttp"
	"github.com/moby/moby/client"

	"github.com/docker-space/docker-space/internal/api"
)

// coded is an error that has a code for the API and a kind for the rules.
type coded struct {
	api  *api.Error
	kind error
}

func (e *coded) Error() string   { return e.api.Message }
func (e *coded) Unwrap() []error { return []error{e.api, e.kind} }

func codedf(kind error, code api.Code, format string, args ...any) error {
	return &coded{api: api.Errorf(code, format, args...), kind: kind}
}

// explain turns an engine call's error into what the caller can act on; the
// errdefs kind of an answer stays. ctx is the caller's own.
func (c *Client) explain(ctx context.Context, what string, err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", what, context.Cause(ctx))
	case errors.Is(err, context.DeadlineExceeded):
		return codedf(errdefs.ErrUnavailable, api.CodeEngineUnavailable,
			"%s: the Docker engine at %s did not answer in time: look at its log (journalctl -u docker)", what, c.api.DaemonHost())
	case isConnection(err):
		return c.unreachable(err)
	case strings.Contains(text, "no space left on device"), strings.Contains(text, "disk quota exceeded"):
		return codedf(errdefs.ErrResourceExhausted, api.CodeNoSpace,
			"%s: the engine's disk is full: free some (docker system df; docker image prune) and try again: %s", what, text)
	case isPools(text):
		return codedf(errdefs.ErrResourceExhausted, api.CodeNetworkExhausted,
			"%s: the engine has no network addresses left: remove unused networks (docker network prune) or widen default-address-pools in daemon.json: %s", what, text)
	}
	if kind := upgradeKind(text); kind != nil {
		return fmt.Errorf("%s: %w: %w", what, kind, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

func (c *Client) unreachable(err error) error {
	host := c.api.DaemonHost()
	if strings.Contains(err.Error(), "permission denied") {
		return codedf(errdefs.ErrUnavailable, api.CodeEngineUnavailable,
			"not allowed to use the Docker engine at %s: add the daemon's user to group docker (sudo usermod -aG docker USER, then log in again)", host)
	}
	return codedf(errdefs.ErrUnavailable, api.CodeEngineUnavailable,
		"cannot reach the Docker engine at %s: %v: is it running? (sudo service docker start)", host, root(err))
}

// isConnection tells a broken or missing connection from an answer.
func isConnection(err error) bool {
	var op *net.OpError
	return client.IsErrConnectionFailed(err) || errors.As(err, &op) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// isPools knows the engine's two ways of running out of addresses: no subnet
// for a new network, no address for a new container.
func isPools(text string) bool {
	for _, s := range []string{
		"non-overlapping IPv4 address pool",
		"predefined address pools have been fully subnetted",
		"no available IPv4 addresses",
	} {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}

var upgradeStatus = regexp.MustCompile(`unable to upgrade to \S+, received (\d{3})`)

// upgradeKind gives the kind of a refused stream, whose status the client only
// has in its text.
func upgradeKind(text string) error {
	m := upgradeStatus.FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	status, _ := strconv.Atoi(m[1])
	return errhttp.ToNative(status)
}

// root is the innermost error: the reason without the client's wording.
func root(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}
