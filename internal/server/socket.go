package server

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/docker-space/docker-space/internal/api"
)

// pace is the timing of sockets.
type pace struct {
	first  time.Duration // until the request frame must have come
	tick   time.Duration // between looks at the connection
	ping   time.Duration
	silent time.Duration // without a sign of life, a TCP peer is taken for gone
	stall  time.Duration // how long a reader may take nothing of its output
	linger time.Duration // for the closing handshake
}

// A pager may keep its reader waiting for long; a dead peer is found by the
// other means well before that.
var defaultPace = pace{
	first: 10 * time.Second, tick: time.Second, ping: 15 * time.Second,
	silent: 40 * time.Second, stall: 10 * time.Minute, linger: 5 * time.Second,
}

// controlTime bounds the writing of a ping, pong or close frame.
const controlTime = 5 * time.Second

// dropTime bounds the close frame of a socket that must close within a second.
const dropTime = 300 * time.Millisecond

// outputChunk is the most output bytes in one frame.
const outputChunk = 64 << 10

// socket is one WebSocket of a command. Its mutex makes it one writer; its one
// reader is readFrames.
type socket struct {
	conn  *websocket.Conn
	keyID string
	local bool // a unix socket: its peer cannot vanish unnoticed
	pace  pace

	ctx    context.Context //nolint:containedctx // the socket's life, ended by drop
	cancel context.CancelFunc

	mu    sync.Mutex
	frame []byte

	seen    atomic.Int64 // when the peer last gave a sign of life
	writing atomic.Bool  // output waits for the peer to read
	feeding atomic.Bool  // input waits for the command to read
}

func newSocket(ctx context.Context, conn *websocket.Conn, p pace) *socket {
	c := &socket{conn: conn, pace: p, keyID: callerFrom(ctx).keyID, local: peerFrom(ctx) != nil}
	c.ctx, c.cancel = context.WithCancel(ctx)
	c.alive()
	conn.SetReadLimit(api.MaxFrame)
	conn.SetPongHandler(func(string) error { c.alive(); return nil })
	conn.SetPingHandler(func(data string) error {
		c.alive()
		_ = conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(controlTime))
		return nil
	})
	detectDeadPeer(conn.NetConn())
	return c
}

func (c *socket) alive() { c.seen.Store(time.Now().UnixNano()) }

// drop ends the socket and with it its command, without making the caller wait
// for a stalled writer.
func (c *socket) drop(code int, reason string) {
	go func() {
		_ = c.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(dropTime))
		c.cancel()
		_ = c.conn.Close()
	}()
}

func (c *socket) sendControl(v api.Control) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // a Control always marshals
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.write(websocket.TextMessage, b)
}

// write sends one frame; the mutex is held. A failed write ends the socket.
func (c *socket) write(kind int, frame []byte) error {
	c.writing.Store(true)
	defer func() { c.alive(); c.writing.Store(false) }()
	_ = c.conn.SetWriteDeadline(time.Now().Add(c.pace.stall))
	err := c.conn.WriteMessage(kind, frame)
	if err != nil {
		c.cancel()
	}
	return err
}

// output is the io.Writer of one of the command's streams.
type output struct {
	c  *socket
	id api.StreamID
}

func (o output) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		part := p[n:min(n+outputChunk, len(p))]
		if err = o.send(part); err == nil {
			n += len(part)
		}
	}
	return n, err
}

func (o output) send(p []byte) error {
	o.c.mu.Lock()
	defer o.c.mu.Unlock()
	o.c.frame = api.AppendFrame(o.c.frame[:0], o.id, p)
	return o.c.write(websocket.BinaryMessage, o.c.frame)
}

// watch pings the peer and ends the socket when it is gone. Where a frame is
// stuck in either direction the peer need not answer pings: then the kernel's
// own means decide.
func (c *socket) watch() {
	tick := time.NewTicker(c.pace.tick)
	defer tick.Stop()
	pinged := time.Now()
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-tick.C:
		}
		if hungUp(c.conn.NetConn()) || c.silentTooLong() {
			c.cancel()
			_ = c.conn.Close()
			return
		}
		if time.Since(pinged) >= c.pace.ping {
			pinged = time.Now()
			// Not waiting: a stalled writer holds the frame lock for long.
			_ = c.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(c.pace.tick))
		}
	}
}

func (c *socket) silentTooLong() bool {
	if c.local || c.writing.Load() || c.feeding.Load() {
		return false
	}
	return time.Since(time.Unix(0, c.seen.Load())) > c.pace.silent
}
