package e2e

import (
	"context"
	"encoding/base64"
	"io"
	"strings"
	"testing"
	"time"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/docker-space/docker-space/internal/api"
)

func TestAnExecRefusesWhatCannotRun(t *testing.T) {
	in := needRoad(t)
	in.make(t, api.CreateRequest{Name: "refuses"})
	mistakes(t, in, "refuses")
}

// mistakes checks what a space answers to commands that cannot run.
func mistakes(t *testing.T, in *instance, space string) {
	t.Helper()
	c := in.api(t)
	_, err := c.Exec(t.Context(), space, api.ExecRequest{Command: api.Command{Argv: []string{}}})
	refused(t, err, 400, api.CodeInvalid, "command")
	_, err = c.Exec(t.Context(), space, api.ExecRequest{Command: api.Command{Argv: []string{""}}})
	refused(t, err, 400, api.CodeInvalid, "command")
	missing := sh("true")
	missing.Workdir = "/no/such/folder"
	_, err = c.Exec(t.Context(), space, missing)
	refused(t, err, 400, api.CodeInvalid, "/no/such/folder")
	for program, want := range map[string]int{"no-such-program": 127, "/etc/passwd": 126} {
		res, err := c.Exec(t.Context(), space, api.ExecRequest{Command: api.Command{Argv: []string{program}}})
		assert.NilError(t, err)
		assert.Check(t, is.Equal(res.ExitCode, want), program)
		assert.Check(t, is.Contains(res.Stderr, program))
	}
}

// A timeout must end all that the command started, also what it left running
// in the background of its group.
func TestATimeoutKillsTheWholeGroup(t *testing.T) {
	in := needRoad(t)
	in.make(t, api.CreateRequest{Name: "late"})
	times(t, in, "late")
}

func times(t *testing.T, in *instance, space string) {
	t.Helper()
	req := sh("sh -c 'sleep 765 & sleep 765' & sleep 765")
	req.TimeoutMs = 1000
	began := time.Now()
	res, err := in.api(t).Exec(clientDeadline(t), space, req)
	assert.NilError(t, err)
	assert.Assert(t, res.TimedOut)
	assert.Assert(t, res.ExitCode != 0)
	assert.Assert(t, time.Since(began) < 15*time.Second)
	in.runs(t, space, "sleep 765", false, goneLimit)
}

// A client that goes away takes its command with it within five seconds.
func TestAGoneClientsCommandIsGone(t *testing.T) {
	in := needRoad(t)
	in.make(t, api.CreateRequest{Name: "left"})
	goes(t, in, "left")
}

func goes(t *testing.T, in *instance, space string) {
	t.Helper()
	c := in.api(t)
	stream, err := c.ExecStream(t.Context(), space, sh("sleep 876 & exec sleep 876"), io.Discard, io.Discard)
	assert.NilError(t, err)
	in.runs(t, space, "sleep 876", true, pollLimit)
	stream.Close()
	in.runs(t, space, "sleep 876", false, goneLimit)

	ctx, leave := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { _, err := c.Exec(ctx, space, sh("sleep 877 & exec sleep 877")); ended <- err }()
	in.runs(t, space, "sleep 877", true, pollLimit)
	leave()
	assert.ErrorIs(t, <-ended, context.Canceled)
	in.runs(t, space, "sleep 877", false, goneLimit)
}

func TestOutputIsByteExact(t *testing.T) {
	in := needRoad(t)
	in.make(t, api.CreateRequest{Name: "bytes"})
	exact(t, in, "bytes")
}

// exact checks bytes that are no text, and text whose letters come in halves.
func exact(t *testing.T, in *instance, space string) {
	t.Helper()
	c := in.api(t)
	res, err := c.Exec(t.Context(), space, sh(`printf '\377\000\376 \n\n'; printf 'a\200b' >&2`))
	assert.NilError(t, err)
	for name, tc := range map[string]struct{ text, exact, want string }{
		"stdout": {res.Stdout, res.StdoutBase64, "\xff\x00\xfe \n\n"},
		"stderr": {res.Stderr, res.StderrBase64, "a\x80b"},
	} {
		b, err := base64.StdEncoding.DecodeString(tc.exact)
		assert.NilError(t, err, name)
		assert.Check(t, is.Equal(string(b), tc.want), name)
		assert.Check(t, strings.Contains(tc.text, "\uFFFD"), name)
	}
	// € is three bytes, written and flushed one by one.
	halves := `import sys,time
for b in "€".encode()*50:
    sys.stdout.buffer.write(bytes([b])); sys.stdout.flush(); time.sleep(0.002)`
	res, err = c.Exec(t.Context(), space, api.ExecRequest{Command: api.Command{Argv: []string{"python3", "-c", halves}}})
	assert.NilError(t, err)
	assert.Equal(t, res.Stdout, strings.Repeat("€", 50))
	assert.Equal(t, res.StdoutBase64, "")
}

// A command that the kernel kills for want of memory must be told apart from
// one that somebody killed, and never look like a success.
func TestAKillForWantOfMemoryIsFlagged(t *testing.T) {
	in := needRoad(t)
	in.make(t, api.CreateRequest{Name: "hungry", Memory: "64m"})
	c := in.api(t)
	eater := api.ExecRequest{Command: api.Command{Argv: []string{"python3", "-c", "x = bytearray(512 << 20)"}}}
	res, err := c.Exec(clientDeadline(t), "hungry", eater)
	assert.NilError(t, err)
	assert.Assert(t, res.OOMKilled, "%+v", res)
	assert.Equal(t, res.ExitCode, 137)
	res, err = c.Exec(t.Context(), "hungry", sh("kill -KILL $$"))
	assert.NilError(t, err)
	assert.Equal(t, res.ExitCode, 137)
	assert.Assert(t, !res.OOMKilled, "the space lives on, and an ordinary kill is none for want of memory")
}
