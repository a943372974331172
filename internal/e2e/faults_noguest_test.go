package e2e

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/poll"

	"github.com/docker-space/docker-space/internal/api"
)

// Where the guest cannot run, the engine's own exec must do the same job.
func TestTheRoadWithoutAGuest(t *testing.T) {
	in := ownInstance(t, "bare", func(in *instance) { in.extra = []string{"SPACED_GUEST=off"} })
	c := in.api(t)
	in.make(t, api.CreateRequest{Name: "dev"})
	s, err := c.Get(t.Context(), "dev")
	assert.NilError(t, err)
	assert.Equal(t, s.Detail.Guest.Mode, "engine")
	assert.Assert(t, is.Contains(s.Detail.Guest.Reason, "switched off"))

	t.Run("exit codes and streams", func(t *testing.T) {
		res, err := c.Exec(t.Context(), "dev", sh("echo out; echo err >&2; id -u; exit 3"))
		assert.NilError(t, err)
		assert.DeepEqual(t, res, api.ExecResult{Stdout: "out\n1001\n", Stderr: "err\n", ExitCode: 3})
	})
	t.Run("another user", func(t *testing.T) {
		req := sh("id -u")
		req.User = "0"
		res, err := c.Exec(t.Context(), "dev", req)
		assert.NilError(t, err)
		assert.Equal(t, res.Stdout, "0\n")
	})
	t.Run("standard input", func(t *testing.T) {
		req := sh("cat; echo end")
		req.StdinBase64 = "AP8K" // 00 ff 0a
		res, err := c.Exec(t.Context(), "dev", req)
		assert.NilError(t, err)
		assert.Equal(t, res.StdoutBase64, "AP8KZW5kCg==")
	})
	t.Run("mistakes", func(t *testing.T) { mistakes(t, in, "dev") })
	t.Run("bytes", func(t *testing.T) { exact(t, in, "dev") })
	t.Run("timeout", func(t *testing.T) { times(t, in, "dev") })
	t.Run("gone client", func(t *testing.T) { goes(t, in, "dev") })
	t.Run("terminal", func(t *testing.T) { terminalWithoutGuest(t, in) })
	t.Run("sleep and wake", func(t *testing.T) {
		_, err := c.Stop(t.Context(), "dev")
		assert.NilError(t, err)
		res, err := c.Exec(t.Context(), "dev", sh("echo awake"))
		assert.NilError(t, err)
		assert.Equal(t, res.Stdout, "awake\n")
	})
	t.Run("destroy", func(t *testing.T) {
		stream, err := c.ExecStream(t.Context(), "dev", sh("exec sleep 765"), io.Discard, io.Discard)
		assert.NilError(t, err)
		defer stream.Close()
		in.runs(t, "dev", "sleep 765", true, pollLimit)
		_, err = c.Delete(t.Context(), "dev", true)
		assert.NilError(t, err)
		exit, err := stream.Wait()
		assert.NilError(t, err)
		assert.Equal(t, exit.Reason, api.ReasonSpaceGone, "%+v", exit)
	})
}

func terminalWithoutGuest(t *testing.T, in *instance) {
	t.Helper()
	req := sh("until [ \"$(stty size)\" = '40 100' ]; do sleep 0.05; done; stty size; read line; echo got-$line; exit 8")
	req.Interactive, req.TTY, req.Cols, req.Rows = true, true, 80, 24
	shown := &screen{}
	stream, err := in.api(t).ExecStream(t.Context(), "dev", req, shown, &bytes.Buffer{})
	assert.NilError(t, err)
	defer stream.Close()
	<-stream.Started()
	assert.NilError(t, stream.Resize(100, 40))
	poll.WaitOn(t, shown.contains("40 100"), poll.WithTimeout(pollLimit))
	_, err = stream.Write([]byte("typed\n"))
	assert.NilError(t, err)
	exit, err := stream.Wait()
	assert.NilError(t, err)
	assert.Equal(t, *exit.Code, 8)
	assert.Assert(t, strings.Contains(shown.String(), "got-typed"), shown.String())
}
