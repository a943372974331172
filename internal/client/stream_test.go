package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/gorilla/websocket"
	"gotest.tools/v3/assert"
)

// execDaemon answers exec streams with h, which gets the request.
func execDaemon(t *testing.T, h func(*websocket.Conn, api.ExecRequest)) *Client {
	return daemon(t, func(w http.ResponseWriter, r *http.Request) {
		up := websocket.Upgrader{}
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		var req api.ExecRequest
		if conn.ReadJSON(&req) == nil {
			h(conn, req)
		}
	})
}

func send(c *websocket.Conn, id api.StreamID, data string) {
	_ = c.WriteMessage(websocket.BinaryMessage, api.AppendFrame(nil, id, []byte(data)))
}

func exitWith(c *websocket.Conn, code int) {
	_ = c.WriteJSON(api.Control{Type: api.FrameExit, ExitCode: &code})
}

func TestStreamKeepsOutputsApartAndGivesTheExit(t *testing.T) {
	c := execDaemon(t, func(conn *websocket.Conn, req api.ExecRequest) {
		_ = conn.WriteJSON(api.Control{Type: api.FrameStarted})
		_ = conn.WriteJSON(api.Control{Type: "of a later version"})
		send(conn, api.StreamStdout, "out "+req.Command.Argv[0])
		send(conn, api.StreamStderr, "err\xff")
		exitWith(conn, 3)
	})
	var stdout, stderr bytes.Buffer
	s, err := c.ExecStream(t.Context(), "a", api.ExecRequest{Command: api.Command{Argv: []string{"x"}}}, &stdout, &stderr)
	assert.NilError(t, err)
	defer s.Close()
	exit, err := s.Wait()
	assert.NilError(t, err)
	<-s.Started()
	assert.Equal(t, *exit.Code, 3)
	assert.Equal(t, stdout.String(), "out x")
	assert.Equal(t, stderr.String(), "err\xff")
}

func TestStreamSendsInputAndControls(t *testing.T) {
	input := strings.Repeat("\x00\xff\n", 100_000)
	var got bytes.Buffer
	var controls []api.Control
	c := execDaemon(t, func(conn *websocket.Conn, _ api.ExecRequest) {
		for {
			kind, frame, err := conn.ReadMessage()
			if err != nil {
				return
			}
			if kind == websocket.BinaryMessage {
				got.Write(frame[1:])
				continue
			}
			var ctl api.Control
			_ = json.Unmarshal(frame, &ctl)
			controls = append(controls, ctl)
			if ctl.Type == api.FrameEOF {
				exitWith(conn, 0)
				return
			}
		}
	})
	s, err := c.ExecStream(t.Context(), "a", api.ExecRequest{Interactive: true}, io.Discard, io.Discard)
	assert.NilError(t, err)
	defer s.Close()
	n, err := s.Write([]byte(input))
	assert.NilError(t, err)
	assert.Equal(t, n, len(input))
	assert.NilError(t, s.Resize(80, 24))
	assert.NilError(t, s.Signal("INT"))
	assert.NilError(t, s.CloseStdin())
	_, err = s.Wait()
	assert.NilError(t, err)
	assert.Assert(t, got.String() == input, "the input arrived changed")
	assert.DeepEqual(t, controls, []api.Control{
		{Type: api.FrameResize, Cols: 80, Rows: 24}, {Type: api.FrameSignal, Signal: "INT"}, {Type: api.FrameEOF},
	})
}

func TestStreamEndsWithoutAnExitCode(t *testing.T) {
	for name, tc := range map[string]struct {
		act  func(*websocket.Conn)
		want string
	}{
		"refused": {func(c *websocket.Conn) {
			_ = c.WriteJSON(api.Control{Type: api.FrameError, Message: "busy", Code: api.CodeTooMany})
		}, "busy"},
		"dropped":       {func(c *websocket.Conn) {}, "exit status is not known"},
		"bad frame":     {func(c *websocket.Conn) { _ = c.WriteMessage(websocket.BinaryMessage, []byte{9}) }, "not output"},
		"bad control":   {func(c *websocket.Conn) { _ = c.WriteMessage(websocket.TextMessage, []byte("}")) }, "not JSON"},
		"too long":      {func(c *websocket.Conn) { send(c, api.StreamStdout, strings.Repeat("x", api.MaxFrame+1)) }, "limit exceeded"},
		"stdout closed": {func(c *websocket.Conn) { send(c, api.StreamStderr, "x") }, "cannot write the command's output"},
	} {
		t.Run(name, func(t *testing.T) {
			c := execDaemon(t, func(conn *websocket.Conn, _ api.ExecRequest) { tc.act(conn) })
			s, err := c.ExecStream(t.Context(), "a", api.ExecRequest{}, io.Discard, brokenWriter{})
			assert.NilError(t, err)
			_, err = s.Wait()
			assert.ErrorContains(t, err, tc.want)
		})
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("pipe is broken") }

func TestStreamRefusedBeforeTheUpgradeIsAnOrdinaryError(t *testing.T) {
	c := daemon(t, answer(404, "application/json", `{"error":"no space nix","code":"space_not_found"}`))
	_, err := c.ExecStream(t.Context(), "nix", api.ExecRequest{}, io.Discard, io.Discard)
	var e *api.Error
	assert.Assert(t, errors.As(err, &e))
	assert.Equal(t, e.Status, 404)
	assert.Equal(t, e.Message, "no space nix")
}

func TestCloseEndsARunningStream(t *testing.T) {
	c := execDaemon(t, func(conn *websocket.Conn, _ api.ExecRequest) { _, _, _ = conn.ReadMessage() })
	s, err := c.ExecStream(t.Context(), "a", api.ExecRequest{}, io.Discard, io.Discard)
	assert.NilError(t, err)
	s.Close()
	_, err = s.Wait()
	assert.ErrorContains(t, err, "connection")
}
