package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/space"
)

func (b *bench) dial(t *testing.T, key string) *websocket.Conn {
	t.Helper()
	return b.dialWith(t, websocket.Dialer{}, key)
}

func (b *bench) dialWith(t *testing.T, d websocket.Dialer, key string) *websocket.Conn {
	t.Helper()
	h := http.Header{}
	if key != "" {
		h.Set("Authorization", "Bearer "+key)
	}
	conn, resp, err := d.DialContext(t.Context(), "ws://"+b.addr+"/api/spaces/dev/exec/stream", h)
	assert.NilError(t, err)
	_ = resp.Body.Close()
	t.Cleanup(func() { _ = conn.Close() })
	assert.NilError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
	return conn
}

func sendText(t *testing.T, conn *websocket.Conn, text string) {
	t.Helper()
	assert.NilError(t, conn.WriteMessage(websocket.TextMessage, []byte(text)))
}

func sendStdin(t *testing.T, conn *websocket.Conn, data string) {
	t.Helper()
	assert.NilError(t, conn.WriteMessage(websocket.BinaryMessage, api.AppendFrame(nil, api.StreamStdin, []byte(data))))
}

// collect reads to the close frame: output by stream, controls, close code.
func collect(t *testing.T, conn *websocket.Conn) (out map[api.StreamID]string, controls []api.Control, code int) {
	t.Helper()
	out = map[api.StreamID]string{}
	for {
		kind, frame, err := conn.ReadMessage()
		var closed *websocket.CloseError
		if errors.As(err, &closed) {
			return out, controls, closed.Code
		}
		assert.NilError(t, err)
		if kind == websocket.BinaryMessage {
			id, data, err := api.DecodeFrame(frame)
			assert.NilError(t, err)
			out[id] += string(data)
			continue
		}
		var c api.Control
		assert.NilError(t, json.Unmarshal(frame, &c))
		controls = append(controls, c)
	}
}

// echo copies stdin to stdout and exits with 7.
func echo(_ context.Context, _ api.ExecRequest, s space.Streams) (space.Exit, error) {
	s.Started()
	if s.Stdin != nil {
		_, _ = io.Copy(s.Stdout, s.Stdin)
	}
	_, _ = s.Stderr.Write([]byte("err"))
	return space.Exit{Code: intp(7)}, nil
}

// untilGone waits for its caller to go away, and tells.
func untilGone(gone chan<- struct{}) func(context.Context, api.ExecRequest, space.Streams) (space.Exit, error) {
	return func(ctx context.Context, _ api.ExecRequest, s space.Streams) (space.Exit, error) {
		s.Started()
		<-ctx.Done()
		close(gone)
		return space.Exit{}, ctx.Err()
	}
}

func wait(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(15 * time.Second):
		t.Fatal("not within 15 s: " + what)
	}
}

func TestStreamCarriesBytesBothWays(t *testing.T) {
	b := newBench(t)
	got := make(chan api.ExecRequest, 1)
	b.spaces.onExec(func(ctx context.Context, req api.ExecRequest, s space.Streams) (space.Exit, error) {
		got <- req
		return echo(ctx, req, s)
	})
	conn := b.dial(t, "key-exec")
	sendText(t, conn, `{"command":["cat"],"interactive":true,"cols":-5,"rows":99999}`)
	blob := strings.Repeat("\x00\xff\n", 100_000)
	sendStdin(t, conn, blob)
	sendText(t, conn, `{"type":"eof"}`)
	out, controls, code := collect(t, conn)
	assert.Assert(t, out[api.StreamStdout] == blob, "%d bytes", len(out[api.StreamStdout]))
	assert.Equal(t, out[api.StreamStderr], "err")
	assert.DeepEqual(t, controls, []api.Control{{Type: api.FrameStarted}, {Type: api.FrameExit, ExitCode: intp(7)}})
	assert.Equal(t, code, websocket.CloseNormalClosure)
	assert.DeepEqual(t, <-got, api.ExecRequest{Command: api.Command{Argv: []string{"cat"}}, Interactive: true, Cols: 0, Rows: 65535})
	assert.Equal(t, b.spaces.releases() > 0, true)
}

func TestWithoutInteractiveThereIsNoInput(t *testing.T) {
	b := newBench(t)
	b.spaces.onExec(func(_ context.Context, _ api.ExecRequest, s space.Streams) (space.Exit, error) {
		if s.Stdin != nil {
			return space.Exit{}, errors.New("stdin is there")
		}
		return space.Exit{Code: intp(0)}, nil
	})
	conn := b.dial(t, "key-exec")
	sendText(t, conn, `{"command":"x"}`)
	sendStdin(t, conn, "ignored")
	_, controls, _ := collect(t, conn)
	assert.DeepEqual(t, controls, []api.Control{{Type: api.FrameExit, ExitCode: intp(0)}})
}

func TestSteeringIsClampedAndTheUnknownIgnored(t *testing.T) {
	b := newBench(t)
	seen := make(chan space.Control, 16)
	stdin := make(chan string, 1)
	b.spaces.onExec(func(ctx context.Context, _ api.ExecRequest, s space.Streams) (space.Exit, error) {
		go func() {
			all, _ := io.ReadAll(s.Stdin)
			stdin <- string(all)
		}()
		for range 4 {
			select {
			case c := <-s.Control:
				seen <- c
			case <-ctx.Done():
			}
		}
		return space.Exit{Code: intp(0)}, nil
	})
	conn := b.dial(t, "key-exec")
	sendText(t, conn, `{"command":"x","interactive":true,"tty":true}`)
	for _, text := range []string{
		`{"type":"resize","cols":0,"rows":-1}`, `{"type":"later"}`, `not json`, `{"type":"signal"}`,
		`{"type":"resize","cols":4294967296,"rows":24}`, `{"type":"signal","signal":"INT"}`, `{"type":"resize","cols":80,"rows":24}`,
	} {
		sendText(t, conn, text)
	}
	_, _, code := collect(t, conn)
	assert.Equal(t, code, websocket.CloseNormalClosure)
	for _, want := range []space.Control{{Cols: 1, Rows: 1}, {Cols: 65535, Rows: 24}, {Signal: "INT"}, {Cols: 80, Rows: 24}} {
		assert.DeepEqual(t, <-seen, want)
	}
	assert.Equal(t, <-stdin, "", "no frame was typed into the command")
}

func TestPingIsAnswered(t *testing.T) {
	b := newBench(t)
	gone := make(chan struct{})
	b.spaces.onExec(untilGone(gone))
	conn := b.dial(t, "key-exec")
	sendText(t, conn, `{"command":"x"}`)
	sendText(t, conn, `{"type":"ping"}`)
	var types []string
	for len(types) < 2 {
		var c api.Control
		assert.NilError(t, conn.ReadJSON(&c))
		types = append(types, c.Type)
	}
	assert.Assert(t, is.Contains(types, api.FramePong))
	_ = conn.Close()
	wait(t, "the command's end", gone)
}

func TestEverythingIsResolvedBeforeTheUpgrade(t *testing.T) {
	b := newBench(t)
	for _, tc := range []struct {
		path, key string
		err       error
		status    int
		code      api.Code
	}{
		{"dev", "", nil, 401, api.CodeUnauthenticated},
		{"dev", "key-read", nil, 403, api.CodeForbidden},
		{"nope", "key-exec", nil, 404, api.CodeSpaceNotFound},
		{"dev", "key-exec", api.Errorf(api.CodeConflict, "busy"), 409, api.CodeConflict},
		{"dev", "key-exec", api.Errorf(api.CodeEngineUnavailable, "down"), 503, api.CodeEngineUnavailable},
	} {
		b.spaces.failWith(tc.err)
		h := http.Header{"Authorization": {"Bearer " + tc.key}}
		_, resp, err := websocket.DefaultDialer.DialContext(t.Context(), "ws://"+b.addr+"/api/spaces/"+tc.path+"/exec/stream", h)
		assert.ErrorIs(t, err, websocket.ErrBadHandshake)
		body, err := io.ReadAll(resp.Body)
		assert.NilError(t, err)
		assert.Equal(t, resp.StatusCode, tc.status)
		assert.Equal(t, decodeError(t, reply{resp.StatusCode, resp.Header, string(body)}).Code, tc.code)
		_ = resp.Body.Close()
	}
	h := http.Header{"Authorization": {"Bearer key-exec"}, "Origin": {"https://evil.example"}}
	_, resp, err := websocket.DefaultDialer.DialContext(t.Context(), "ws://"+b.addr+"/api/spaces/dev/exec/stream", h)
	assert.ErrorIs(t, err, websocket.ErrBadHandshake)
	assert.Equal(t, resp.StatusCode, 403)
	_ = resp.Body.Close()
}

func TestABadRequestFrameIsAnErrorFrame(t *testing.T) {
	b := newBench(t)
	b.pace.first = 100 * time.Millisecond
	b.spaces.onExec(func(context.Context, api.ExecRequest, space.Streams) (space.Exit, error) {
		return space.Exit{}, api.Invalid("workdir", "no such folder")
	})
	for text, says := range map[string]string{
		`{"command":"x","colour":1}`:   "colour",
		`{"command":7}`:                "string or an array",
		`{"command":"x"} {}`:           "followed by more",
		`{"command":"x","stdin":"in"}`: "stdin frames",
		`{"command":"x"}`:              "no such folder",
		"":                             "within",
	} {
		conn := b.dial(t, "key-exec")
		if text != "" {
			sendText(t, conn, text)
		}
		_, controls, code := collect(t, conn)
		assert.Equal(t, len(controls), 1, text)
		assert.Equal(t, controls[0].Type, api.FrameError)
		assert.Equal(t, controls[0].Code, api.CodeInvalid)
		assert.Check(t, is.Contains(controls[0].Message, says))
		assert.Equal(t, code, websocket.CloseInternalServerErr)
	}
}

func TestExitFramesTellHowItEnded(t *testing.T) {
	b := newBench(t)
	for _, tc := range []struct {
		exit space.Exit
		want api.Control
	}{
		{space.Exit{Code: intp(130), Signal: "INT"}, api.Control{Type: api.FrameExit, ExitCode: intp(130), Signal: "INT"}},
		{space.Exit{Code: intp(137), TimedOut: true, OOMKilled: true}, api.Control{Type: api.FrameExit, ExitCode: intp(137), TimedOut: true, OOMKilled: true}},
		{space.Exit{Gone: true}, api.Control{Type: api.FrameExit, Reason: api.ReasonSpaceGone}},
		{space.Exit{}, api.Control{Type: api.FrameExit, Reason: api.ReasonLost}},
	} {
		b.spaces.onExec(func(context.Context, api.ExecRequest, space.Streams) (space.Exit, error) { return tc.exit, nil })
		conn := b.dial(t, "key-exec")
		sendText(t, conn, `{"command":"x"}`)
		_, controls, _ := collect(t, conn)
		assert.DeepEqual(t, controls, []api.Control{tc.want})
	}
}

func TestTheLastFrameArrivesWhileTheClientStillSends(t *testing.T) {
	b := newBench(t)
	b.spaces.onExec(func(_ context.Context, _ api.ExecRequest, s space.Streams) (space.Exit, error) {
		_, _ = io.ReadFull(s.Stdin, make([]byte, 10))
		return space.Exit{Code: intp(0)}, nil
	})
	for range 20 {
		conn := b.dial(t, "key-exec")
		sendText(t, conn, `{"command":"head","interactive":true}`)
		flood := api.AppendFrame(nil, api.StreamStdin, bytes.Repeat([]byte("x"), 64<<10))
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 64 {
				if conn.WriteMessage(websocket.BinaryMessage, flood) != nil {
					return
				}
			}
		}()
		_, controls, _ := collect(t, conn)
		assert.DeepEqual(t, controls, []api.Control{{Type: api.FrameExit, ExitCode: intp(0)}})
		<-done
	}
}

func TestAFrameOver1MiBCloses1009(t *testing.T) {
	b := newBench(t)
	gone := make(chan struct{})
	b.spaces.onExec(untilGone(gone))
	conn := b.dial(t, "key-exec")
	sendText(t, conn, `{"command":"x","interactive":true}`)
	big := api.AppendFrame(nil, api.StreamStdin, make([]byte, api.MaxFrame))
	assert.NilError(t, conn.WriteMessage(websocket.BinaryMessage, big))
	_, _, code := collect(t, conn)
	assert.Equal(t, code, websocket.CloseMessageTooBig)
	_ = conn.Close()
	wait(t, "the command's end", gone)
}

func TestAClientThatGoesTakesItsCommandWithIt(t *testing.T) {
	b := newBench(t)
	gone := make(chan struct{})
	b.spaces.onExec(untilGone(gone))
	conn := b.dial(t, "key-exec")
	sendText(t, conn, `{"command":"sleep"}`)
	_ = conn.NetConn().Close() // as a killed process does
	wait(t, "the command's end", gone)
}

func TestAClientThatGoesIsSeenBehindUnreadInput(t *testing.T) {
	b := newBench(t)
	b.pace.tick = 10 * time.Millisecond
	gone := make(chan struct{})
	b.spaces.onExec(untilGone(gone)) // never reads its stdin
	conn := b.dial(t, "key-exec")
	sendText(t, conn, `{"command":"sleep","interactive":true}`)
	for range 8 {
		sendStdin(t, conn, strings.Repeat("x", 32<<10))
	}
	_ = conn.NetConn().Close()
	wait(t, "the command's end", gone)
}

func TestASilentPeerIsFreed(t *testing.T) {
	b := newBench(t)
	b.pace.tick, b.pace.ping, b.pace.silent = 10*time.Millisecond, 20*time.Millisecond, 200*time.Millisecond
	gone := make(chan struct{})
	b.spaces.onExec(untilGone(gone))
	conn := b.dial(t, "key-exec")
	sendText(t, conn, `{"command":"sleep"}`) // and nothing more: pings stay unanswered
	wait(t, "the command's end", gone)
}

func TestAPeerThatAnswersPingsStays(t *testing.T) {
	b := newBench(t)
	b.pace.tick, b.pace.ping, b.pace.silent = 10*time.Millisecond, 20*time.Millisecond, 300*time.Millisecond
	gone := make(chan struct{})
	b.spaces.onExec(untilGone(gone))
	conn := b.dial(t, "key-exec")
	var pings atomic.Int32
	pong := conn.PingHandler()
	conn.SetPingHandler(func(data string) error {
		pings.Add(1)
		return pong(data)
	})
	sendText(t, conn, `{"command":"sleep"}`)
	read := make(chan struct{})
	go func() { // a reader answers pings
		defer close(read)
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				return
			}
		}
	}()
	eventually(t, "pings over three times the silence", func() bool { return pings.Load() > 45 })
	select {
	case <-gone:
		t.Fatal("the command was ended under a live client")
	default:
	}
	_ = conn.Close()
	<-read
	wait(t, "the command's end", gone)
}

// small makes the kernel hold little, so that a stalled reader is felt soon.
func small(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err == nil {
		err = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	}
	return conn, err
}

func TestASlowReaderIsWaitedForWithoutMemoryAndThenDropped(t *testing.T) {
	b := newBench(t)
	b.pace.tick, b.pace.ping = 10*time.Millisecond, 20*time.Millisecond
	b.pace.silent, b.pace.stall = 50*time.Millisecond, time.Second
	var written atomic.Int64
	failed := make(chan error, 1)
	b.spaces.onExec(func(_ context.Context, _ api.ExecRequest, s space.Streams) (space.Exit, error) {
		chunk := make([]byte, 64<<10)
		for {
			n, err := s.Stdout.Write(chunk)
			written.Add(int64(n))
			if err != nil {
				failed <- err
				return space.Exit{}, err
			}
		}
	})
	conn := b.dialWith(t, websocket.Dialer{NetDialContext: small}, "key-exec")
	start := time.Now()
	sendText(t, conn, `{"command":"yes"}`) // and reads nothing
	select {
	case err := <-failed:
		assert.Assert(t, err != nil)
	case <-time.After(20 * time.Second):
		t.Fatal("the writer waits for ever")
	}
	assert.Assert(t, time.Since(start) >= time.Second, "a reader that stalls gets its time, pings or not")
	assert.Assert(t, written.Load() < 64<<20, "only what the kernel holds was taken: %d", written.Load())
}

func TestARevokedKeysSocketsCloseWithinASecond(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = b.Run(ctx) }()
	defer func() { cancel(); <-done }()
	gone := make(chan struct{})
	b.spaces.onExec(untilGone(gone))
	conn := b.dial(t, "key-exec")
	sendText(t, conn, `{"command":"sleep"}`)
	b.keys.revoke("id-exec")
	start := time.Now()
	_, _, code := collect(t, conn)
	assert.Equal(t, code, websocket.ClosePolicyViolation)
	assert.Assert(t, time.Since(start) < time.Second)
	wait(t, "the command's end", gone)
}

func TestClosingTheServerClosesItsSockets(t *testing.T) {
	b := newBench(t)
	gone := make(chan struct{})
	b.spaces.onExec(untilGone(gone))
	conn := b.dial(t, "key-exec")
	sendText(t, conn, `{"command":"sleep"}`)
	var c api.Control
	assert.NilError(t, conn.ReadJSON(&c)) // started
	assert.NilError(t, b.CloseSockets(t.Context()))
	wait(t, "the command's end", gone)
	_, _, code := collect(t, conn)
	assert.Equal(t, code, websocket.CloseGoingAway)
}
