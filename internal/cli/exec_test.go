package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker/cli/cli/command"
	"github.com/gorilla/websocket"
	"gotest.tools/v3/assert"
)

func exits(c *websocket.Conn, code int) {
	_ = c.WriteJSON(api.Control{Type: api.FrameExit, ExitCode: &code})
}

// next gives the next control frame, and drops input. It gives up after a time
// that no test comes near unless it fails.
func next(c *websocket.Conn) (api.Control, bool) {
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		kind, frame, err := c.ReadMessage()
		if err != nil {
			return api.Control{}, false
		}
		if kind == websocket.TextMessage {
			var ctl api.Control
			err := json.Unmarshal(frame, &ctl)
			return ctl, err == nil
		}
	}
}

// await gives the next control frame of a type.
func await(c *websocket.Conn, kind string) (api.Control, bool) {
	for {
		ctl, ok := next(c)
		if !ok || ctl.Type == kind {
			return ctl, ok
		}
	}
}

func running(t *testing.T, exec func(*websocket.Conn, api.ExecRequest)) *fake {
	f := newFake(t, aSpace("dev", api.StatusRunning))
	f.exec = exec
	return f
}

func TestExecPassesTheCommandOnUntouched(t *testing.T) {
	var got api.ExecRequest
	f := running(t, func(c *websocket.Conn, req api.ExecRequest) {
		got = req
		exits(c, 0)
	})
	r := run(t.Context(), t, f, "", "exec", "-e", "A=1", "-w", "/x", "-u", "2", "--timeout", "1500ms", "dev", "--", "ls", "-la", "--", "-i")
	assert.DeepEqual(t, r, result{}, allowUnexported)
	assert.DeepEqual(t, got, api.ExecRequest{
		Command: api.Command{Argv: []string{"ls", "-la", "--", "-i"}}, Env: map[string]string{"A": "1"}, Workdir: "/x", User: "2", TimeoutMs: 1500,
	})
	run(t.Context(), t, f, "", "exec", "dev", "ls", "-t")
	assert.DeepEqual(t, got.Command.Argv, []string{"ls", "-t"})
}

func TestExecGivesTheCommandsExitCode(t *testing.T) {
	code := func(n int) *int { return &n }
	for name, tc := range map[string]struct {
		exit api.Control
		code int
		text string
	}{
		"success":       {api.Control{ExitCode: code(0)}, 0, ""},
		"failure":       {api.Control{ExitCode: code(3)}, 3, ""},
		"not runnable":  {api.Control{ExitCode: code(126)}, 126, ""},
		"not found":     {api.Control{ExitCode: code(127)}, 127, ""},
		"signal":        {api.Control{ExitCode: code(143), Signal: "TERM"}, 143, ""},
		"only a signal": {api.Control{Signal: "KILL"}, 137, ""},
		"signal and 0":  {api.Control{ExitCode: code(0), Signal: "INT"}, 130, ""},
		"unknown":       {api.Control{}, 125, "exit status is not known"},
		"lost":          {api.Control{Reason: api.ReasonLost}, 125, "(lost)"},
		"space gone":    {api.Control{Reason: api.ReasonSpaceGone}, 125, "dev was stopped or destroyed"},
		"timeout":       {api.Control{ExitCode: code(137), TimedOut: true}, 124, "longer than --timeout"},
		"out of memory": {api.Control{ExitCode: code(0), OOMKilled: true}, 137, "out of memory"},
	} {
		t.Run(name, func(t *testing.T) {
			f := running(t, func(c *websocket.Conn, _ api.ExecRequest) {
				tc.exit.Type = api.FrameExit
				_ = c.WriteJSON(tc.exit)
			})
			r := run(t.Context(), t, f, "", "exec", "dev", "x")
			assert.Equal(t, r.code, tc.code)
			if tc.text == "" {
				assert.Equal(t, r.stderr, "", "no stray line")
			}
			assert.Assert(t, strings.Contains(r.stderr, tc.text), r.stderr)
		})
	}
}

func TestExecHintsAtAQuotedCommandLine(t *testing.T) {
	f := running(t, func(c *websocket.Conn, _ api.ExecRequest) { exits(c, 127) })
	r := run(t.Context(), t, f, "", "exec", "dev", "echo 'it'")
	assert.Equal(t, r.code, 127)
	assert.Equal(t, r.stderr, "Hint: \"echo 'it'\" was taken as the name of one program; did you mean:\n"+
		"    docker space exec dev -- sh -c 'echo '\\''it'\\'''\n")
	assert.Equal(t, run(t.Context(), t, f, "", "exec", "dev", "nix", "a b").stderr, "")
}

func TestExecRefusesBeforeContactingAnything(t *testing.T) {
	for want, args := range map[string][]string{
		"the input device is not a TTY":             {"exec", "-it", "dev", "sh"},
		"invalid detach keys":                       {"exec", "--detach-keys", "ctrl-?,nix", "dev", "sh"},
		"the command is empty":                      {"exec", "dev", "--"},
		"--timeout -1s is negative":                 {"exec", "--timeout", "-1s", "dev", "sh"},
		"requires at least 2 arguments":             {"exec", "dev"},
		"unknown flag: --nix":                       {"exec", "--nix", "dev", "sh"},
		"give a command to run":                     {"run", "dev"},
		"no such file":                              {"exec", "--env-file", "/nix/nix", "dev", "sh"},
		"invalid environment variable":              {"exec", "-e", "=x", "dev", "sh"},
		"'docker space shell' requires 1 argument":  {"shell", "dev", "x"},
		"'docker space create' requires 1 argument": {"create"},
		"unknown --progress \"nix\"":                {"run", "--progress", "nix", "dev", "sh"},
		"unknown shorthand flag: 'z'":               {"rm", "-z", "dev"},
	} {
		r := run(t.Context(), t, nowhere{}, "", args...)
		assert.Assert(t, r.code != 0, "%v", args)
		assert.Assert(t, strings.Contains(r.stderr, want), "%v: %s", args, r.stderr)
	}
}

func TestExecPipesBinaryInputAndOutput(t *testing.T) {
	input := make([]byte, 3<<20+17)
	src := rand.NewChaCha8([32]byte{1})
	_, _ = src.Read(input)
	f := running(t, func(c *websocket.Conn, _ api.ExecRequest) {
		for {
			kind, frame, err := c.ReadMessage()
			if err != nil {
				return
			}
			if kind == websocket.TextMessage {
				break
			}
			_ = c.WriteMessage(websocket.BinaryMessage, api.AppendFrame(nil, api.StreamStdout, frame[1:]))
		}
		exits(c, 0)
	})
	r := run(t.Context(), t, f, string(input), "exec", "-i", "dev", "cat")
	assert.Equal(t, r.code, 0, r.stderr)
	assert.Equal(t, sha256.Sum256([]byte(r.stdout)), sha256.Sum256(input))
}

func TestExecReadsNoInputUnlessAsked(t *testing.T) {
	f := running(t, func(c *websocket.Conn, req api.ExecRequest) {
		assert.Check(t, !req.Interactive)
		exits(c, 0)
		_, _, err := c.ReadMessage()
		assert.Check(t, websocket.IsUnexpectedCloseError(err), "something was sent: %v", err)
	})
	r := run(t.Context(), t, f, "precious", "exec", "dev", "true")
	assert.Equal(t, r.code, 0)
}

func TestExecForwardsSignalsAndOutlivesTheCancelledContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var got []string
	f := running(t, func(c *websocket.Conn, _ api.ExecRequest) {
		for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGUSR1, syscall.SIGHUP} {
			_ = syscall.Kill(syscall.Getpid(), sig)
			// The docker CLI cancels a plugin's context on Ctrl-C.
			cancel()
			ctl, _ := await(c, api.FrameSignal)
			got = append(got, ctl.Signal)
		}
		exits(c, 42)
	})
	r := run(ctx, t, f, "", "exec", "dev", "x")
	assert.Equal(t, r.code, 42)
	assert.DeepEqual(t, got, []string{"INT", "USR1", "HUP"})
}

func TestExecPassesACancellationWithoutASignalOnAsOne(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := running(t, func(c *websocket.Conn, _ api.ExecRequest) {
		cancel()
		ctl, _ := await(c, api.FrameSignal)
		assert.Check(t, ctl.Signal == "INT")
		exits(c, 130)
	})
	assert.Equal(t, run(ctx, t, f, "", "exec", "dev", "x").code, 130)
}

func TestExecEndsAtTheThirdInterrupt(t *testing.T) {
	f := running(t, func(c *websocket.Conn, _ api.ExecRequest) {
		for range 2 {
			_ = syscall.Kill(syscall.Getpid(), syscall.SIGINT)
			_, _ = await(c, api.FrameSignal)
		}
		_ = syscall.Kill(syscall.Getpid(), syscall.SIGTERM)
		_, ok := await(c, "nothing")
		assert.Check(t, !ok, "the connection stayed open")
	})
	r := run(t.Context(), t, f, "", "exec", "dev", "x")
	assert.Equal(t, r.code, 130)
	assert.Equal(t, r.stderr, "got 3 SIGTERM/SIGINTs, forcefully exiting\n")
}

func TestRunCreatesAndRuns(t *testing.T) {
	var got api.ExecRequest
	f := newFake(t)
	f.exec = func(c *websocket.Conn, req api.ExecRequest) {
		got = req
		_ = c.WriteMessage(websocket.BinaryMessage, api.AppendFrame(nil, api.StreamStdout, []byte("hi\n")))
		exits(c, 3)
	}
	r := run(t.Context(), t, f, "", "run", "-q", "-m", "1g", "dev", "--", "x", "-y")
	assert.DeepEqual(t, r, result{stdout: "hi\n", code: 3}, allowUnexported)
	assert.Equal(t, f.created.Memory, api.Text("1g"))
	assert.DeepEqual(t, got.Command.Argv, []string{"x", "-y"})
	assert.Equal(t, f.log(), "create dev")
}

func TestRunRemovesWhateverTheCommandDid(t *testing.T) {
	for name, end := range map[string]func(*websocket.Conn){
		"exit":    func(c *websocket.Conn) { exits(c, 3) },
		"dropped": func(*websocket.Conn) {},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.exec = func(c *websocket.Conn, _ api.ExecRequest) { end(c) }
			r := run(t.Context(), t, f, "", "run", "-q", "--rm", "tmp", "x")
			assert.Equal(t, r.code, map[string]int{"exit": 3, "dropped": 125}[name])
			assert.Equal(t, f.log(), "create tmp; delete tmp?removeVolume=true")
		})
	}
}

func TestRunRemoveNeverDeletesWhatItDidNotMake(t *testing.T) {
	f := newFake(t, aSpace("kept", api.StatusMissing))
	r := run(t.Context(), t, f, "", "run", "-q", "--rm", "kept", "x")
	assert.Equal(t, r.code, 125)
	assert.Assert(t, strings.Contains(r.stderr, "--rm would delete it"), r.stderr)
	assert.Equal(t, f.log(), "")

	f = newFake(t)
	f.createAnswer = `{"failure":{"error":"dev exists","code":"space_exists"}}` + "\n"
	r = run(t.Context(), t, f, "", "run", "-q", "--rm", "dev", "x")
	assert.DeepEqual(t, r, result{stderr: "dev exists\n", code: 125}, allowUnexported)
	assert.Equal(t, f.log(), "create dev")
}

func TestRunRemoveCleansUpACreateThatWasInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := newFake(t)
	var keys []string
	f.creating = func(r *http.Request, key string) {
		keys = append(keys, key)
		if len(keys) == 1 {
			cancel()
			<-r.Context().Done()
		}
	}
	assert.Equal(t, run(ctx, t, f, "", "run", "-q", "--rm", "tmp", "x").code, 130)
	assert.Equal(t, f.log(), "create tmp; create tmp; delete tmp?removeVolume=true")
	assert.Assert(t, keys[0] != "" && keys[0] == keys[1], "the second request must not make a second space: %v", keys)
}

func TestShellTakesPipedCommands(t *testing.T) {
	var got api.ExecRequest
	var script bytes.Buffer
	f := running(t, func(c *websocket.Conn, req api.ExecRequest) {
		got = req
		for {
			kind, frame, err := c.ReadMessage()
			if err != nil || kind == websocket.TextMessage {
				break
			}
			script.Write(frame[1:])
		}
		exits(c, 0)
	})
	r := run(t.Context(), t, f, "echo hi\n", "shell", "dev")
	assert.Equal(t, r.code, 0, r.stderr)
	assert.Equal(t, script.String(), "echo hi\n")
	assert.Assert(t, got.Interactive && !got.TTY)
	assert.DeepEqual(t, got.Command.Argv, loginShell)
}

func TestExecGivesUpWhenItsOutputIsClosed(t *testing.T) {
	f := running(t, func(c *websocket.Conn, _ api.ExecRequest) {
		_ = c.WriteMessage(websocket.BinaryMessage, api.AppendFrame(nil, api.StreamStdout, []byte("x")))
		_, _ = await(c, "nothing")
	})
	r, w := io.Pipe()
	r.Close()
	var errs bytes.Buffer
	docker, err := command.NewDockerCli(command.WithInputStream(io.NopCloser(strings.NewReader(""))),
		command.WithOutputStream(w), command.WithErrorStream(&errs))
	assert.NilError(t, err)
	assert.Equal(t, execute(t.Context(), docker, f, "exec", "dev", "yes"), 125)
	assert.Assert(t, strings.Contains(errs.String(), "cannot write the command's output"), errs.String())
}
