package link

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"

	"github.com/containerd/errdefs"
	"github.com/hashicorp/yamux"

	"github.com/docker-space/docker-space/internal/guest/wire"
)

// Bounds of what a guest may answer before a command's frames, in bytes.
const (
	maxHead  = 16 << 10
	maxHello = 64 << 10
)

// channel is one session with a guest.
type channel struct{ session *yamux.Session }

// open dials and shakes hands before ctx ends.
func open(ctx context.Context, d Dialer, container string) (*channel, error) {
	conn, err := d.Dial(ctx, container, "", []string{wire.Path, "dial"})
	if err != nil {
		return nil, err
	}
	screened := &screen{ReadWriteCloser: conn}
	session, err := yamux.Client(screened, wire.Mux())
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	c := &channel{session}
	// A frozen or silent guest is let go by closing under the handshake.
	stop := context.AfterFunc(ctx, c.close)
	err = c.hello()
	if !stop() {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		c.close()
		if why, ok := screened.why.Load().(error); ok {
			err = why
		}
		return nil, fmt.Errorf("no answer from the space's guest (%w): %w", err, errdefs.ErrUnavailable)
	}
	return c, nil
}

func (c *channel) broken() <-chan struct{} { return c.session.CloseChan() }
func (c *channel) isBroken() bool          { return c.session.IsClosed() }
func (c *channel) close()                  { _ = c.session.Close() }

// hello checks that the guest speaks a protocol of ours, and tells it to open
// no streams of its own.
func (c *channel) hello() error {
	if err := c.session.GoAway(); err != nil {
		return err
	}
	stream, err := c.session.OpenStream()
	if err != nil {
		return err
	}
	defer stream.Close()
	if _, err := io.WriteString(stream, "GET "+wire.HelloPath+" HTTP/1.1\r\nHost: guest\r\nConnection: close\r\n\r\n"); err != nil {
		return err
	}
	resp, _, err := readHead(stream)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var h wire.Hello
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxHello)).Decode(&h); err != nil {
		return fmt.Errorf("cannot read the guest's hello: %w", err)
	}
	if resp.StatusCode != http.StatusOK || h.Protocol != wire.Protocol && h.Protocol != wire.Protocol-1 {
		return fmt.Errorf("the guest answers %d with protocol %d, this daemon speaks %d: restart the space to renew its guest", resp.StatusCode, h.Protocol, wire.Protocol)
	}
	return nil
}

// readHead reads an HTTP answer whose head is bounded. The reader goes on
// behind the head, without that bound.
func readHead(r io.Reader) (*http.Response, *bufio.Reader, error) {
	limit := &io.LimitedReader{R: r, N: maxHead}
	buffered := bufio.NewReader(limit)
	resp, err := http.ReadResponse(buffered, nil)
	if err != nil {
		return nil, nil, err
	}
	limit.N = math.MaxInt64
	return resp, buffered, nil
}

const upgrade = "POST " + wire.ExecPath + " HTTP/1.1\r\nHost: guest\r\nConnection: Upgrade\r\nUpgrade: " + wire.Upgrade + "\r\n\r\n"
