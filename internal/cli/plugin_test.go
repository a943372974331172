package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"github.com/docker-space/docker-space/internal/api"
	"github.com/gorilla/websocket"
	"gotest.tools/v3/assert"
)

// installed builds the program, puts it where the docker CLI looks, and gives a
// maker of commands that talk to f. Arguments begin with "docker" or with
// "docker-space" for the program alone.
func installed(t *testing.T, f *fake) func(args ...string) *exec.Cmd {
	docker, err := exec.LookPath("docker")
	if err != nil {
		t.Skip("needs the docker CLI: ", err)
	}
	config := t.TempDir()
	program := filepath.Join(config, "cli-plugins", "docker-space")
	build, err := exec.Command("go", "build", "-o", program, "../../cmd/docker-space").CombinedOutput()
	assert.NilError(t, err, string(build))
	return func(args ...string) *exec.Cmd {
		path := map[string]string{"docker": docker, "docker-space": program}[args[0]]
		cmd := exec.CommandContext(t.Context(), path, args[1:]...)
		cmd.Env = append(os.Environ(), "DOCKER_CONFIG="+config, "SPACED_URL="+f.url, "SPACED_SOCKET=")
		return cmd
	}
}

func exitStatus(t *testing.T, err error) int {
	var exit *exec.ExitError
	if err == nil {
		return 0
	}
	assert.Assert(t, errors.As(err, &exit), "%v", err)
	return exit.ExitCode()
}

func TestUnderTheDockerCLI(t *testing.T) {
	f := running(t, nil)
	cmd := installed(t, f)

	t.Run("exit codes leave no stray line", func(t *testing.T) {
		f.plays(func(c *websocket.Conn, _ api.ExecRequest) { exits(c, 3) })
		for _, args := range [][]string{{"docker", "space", "exec", "dev", "x"}, {"docker-space", "exec", "dev", "--", "x"}} {
			out, err := cmd(args...).CombinedOutput()
			assert.Equal(t, exitStatus(t, err), 3)
			assert.Equal(t, string(out), "", "%v", args)
		}
	})
	t.Run("standalone and plugin list the same", func(t *testing.T) {
		for _, args := range [][]string{{"docker", "space", "ls", "-q"}, {"docker-space", "ls", "-q"}, {"docker-space", "space", "ls", "-q"}} {
			out, err := cmd(args...).Output()
			assert.NilError(t, err)
			assert.Equal(t, string(out), "dev\n")
		}
	})
	t.Run("the docker CLI knows the plugin", func(t *testing.T) {
		out, err := cmd("docker-space", "docker-cli-plugin-metadata").Output()
		assert.NilError(t, err)
		var meta struct{ SchemaVersion, ShortDescription string }
		assert.NilError(t, json.Unmarshal(out, &meta))
		assert.Equal(t, meta.SchemaVersion, "0.1.0")
		assert.Assert(t, meta.ShortDescription != "")
	})
	t.Run("names are completed", func(t *testing.T) {
		for _, args := range [][]string{{"docker", "__complete", "space", "exec", ""}, {"docker-space", "__complete", "exec", ""}} {
			out, err := cmd(args...).Output()
			assert.NilError(t, err)
			assert.Assert(t, strings.HasPrefix(string(out), "dev\n"), "%v: %s", args, out)
		}
	})
	t.Run("an unknown subcommand fails", func(t *testing.T) {
		assert.Equal(t, exitStatus(t, cmd("docker", "space", "nix").Run()), 1)
	})
}

func TestCtrlCInterruptsOnlyTheInnerProgram(t *testing.T) {
	f := running(t, nil)
	cmd := installed(t, f)
	for name, piped := range map[string]bool{"output on the terminal": false, "output in a pipe": true} {
		t.Run(name, func(t *testing.T) {
			c := cmd("docker", "space", "exec", "-i=false", "dev", "x")
			var out bytes.Buffer
			if piped {
				c.Stdout = &out
			}
			// The pty is the session's controlling terminal, as in a shell.
			x, tty, err := pty.Open()
			assert.NilError(t, err)
			defer x.Close()
			f.plays(func(conn *websocket.Conn, _ api.ExecRequest) {
				_, _ = x.WriteString("\x03")
				ctl, _ := await(conn, api.FrameSignal)
				assert.Check(t, ctl.Signal == "INT")
				_ = conn.WriteMessage(websocket.BinaryMessage, api.AppendFrame(nil, api.StreamStdout, []byte("cleaned up")))
				exits(conn, 42)
			})
			code, text := onTerminal(t, c, x, tty)
			assert.Equal(t, code, 42)
			assert.Assert(t, strings.Contains(text+out.String(), "cleaned up"))
		})
	}
}

func TestAWindowIsResizedUnderTheDockerCLI(t *testing.T) {
	f := running(t, nil)
	c := installed(t, f)("docker", "space", "exec", "dev", "--", "bash")
	x, tty, err := pty.Open()
	assert.NilError(t, err)
	defer x.Close()
	assert.NilError(t, pty.Setsize(x, &pty.Winsize{Rows: 24, Cols: 80}))
	f.plays(func(conn *websocket.Conn, req api.ExecRequest) {
		assert.Check(t, req.TTY && req.Cols == 80)
		_, _ = await(conn, api.FrameResize)
		assert.Check(t, pty.Setsize(x, &pty.Winsize{Rows: 50, Cols: 132}) == nil)
		ctl, _ := await(conn, api.FrameResize)
		assert.Check(t, ctl.Cols == 132 && ctl.Rows == 50, "%+v", ctl)
		exits(conn, 3)
	})
	code, text := onTerminal(t, c, x, tty)
	assert.Equal(t, code, 3)
	assert.Equal(t, text, "")
}

// onTerminal runs c in a session whose controlling terminal is tty, on the
// streams that c has none for yet, and gives its exit code and what it showed.
func onTerminal(t *testing.T, c *exec.Cmd, x, tty *os.File) (int, string) {
	c.Stdin, c.Stderr = tty, tty
	if c.Stdout == nil {
		c.Stdout = tty
	}
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	assert.NilError(t, c.Start())
	tty.Close()
	shown := make(chan string, 1)
	go func() {
		var b bytes.Buffer
		_, _ = b.ReadFrom(x)
		shown <- b.String()
	}()
	err := c.Wait()
	// The read ends when the last process on the terminal is gone.
	return exitStatus(t, err), <-shown
}
