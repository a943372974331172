package link

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gotest.tools/v3/assert"

	"github.com/docker-space/docker-space/internal/guest/wire"
	"github.com/docker-space/docker-space/internal/space"
)

// image is any small Linux: the guest needs nothing of it.
const image = "debian:bookworm-slim"

// cliDialer reaches containers with the docker CLI.
type cliDialer struct{}

func (cliDialer) Dial(_ context.Context, id, user string, argv []string) (io.ReadWriteCloser, error) {
	args := []string{"exec", "-i"}
	if user != "" {
		args = append(args, "--user", user)
	}
	p, err := pipeTo(exec.Command("docker", append(append(args, id), argv...)...))
	if err == nil {
		p.client = true
	}
	return p, err
}

func docker(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	c := exec.CommandContext(ctx, "docker", args...)
	c.Stdout, c.Stderr = &out, &errs
	assert.NilError(t, c.Run(), "docker %s: %s", strings.Join(args, " "), errs.String())
	return strings.TrimSpace(out.String())
}

// needEngine skips, or fails where the run demands an engine.
func needEngine(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "docker", "image", "inspect", "-f", "{{.Id}}", image).CombinedOutput()
	if err == nil {
		return
	}
	reason := fmt.Sprintf("no Docker engine with the image %s: %v: %s", image, err, out)
	if os.Getenv("SPACE_REQUIRE_ENGINE") == "1" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// container starts the real guest under the engine's init, as a space does.
func container(t *testing.T) string {
	t.Helper()
	needEngine(t)
	dir := filepath.Join(t.TempDir(), ".space")
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "guest"), "github.com/docker-space/docker-space/cmd/space-guest")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	out, err := build.CombinedOutput()
	assert.NilError(t, err, "%s", out)
	id := docker(t, "create", "--init", "--network", "none", "--user", "1001:1001", "--memory", "256m", "--memory-swap", "256m",
		"--pids-limit", "512", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
		"--name", fmt.Sprintf("link-test-%d-%d", os.Getpid(), time.Now().UnixNano()), image, wire.Path, "serve")
	t.Cleanup(func() { docker(t, "rm", "-f", id) })
	docker(t, "cp", dir, id+":/")
	docker(t, "start", id)
	return id
}

func TestInARealSpace(t *testing.T) {
	id := container(t)
	p := newPool(t, cliDialer{})
	run := func(c space.Command) (space.Exit, string) {
		var out bytes.Buffer
		exit, err := p.Exec(t.Context(), id, c, space.Streams{Stdout: &out})
		assert.NilError(t, err)
		assert.Assert(t, exit.Code != nil)
		return exit, out.String()
	}

	t.Run("a command runs as the space's user", func(t *testing.T) {
		exit, out := run(sh("id -u; exit 3"))
		assert.Equal(t, *exit.Code, 3)
		assert.Equal(t, out, "1001\n")
	})
	t.Run("another user gets a guest of its own", func(t *testing.T) {
		var out bytes.Buffer
		exit, err := p.ExecAs(t.Context(), id, "65534", sh("id -u; exit 4"), space.Streams{Stdout: &out})
		assert.NilError(t, err)
		assert.Equal(t, *exit.Code, 4)
		assert.Equal(t, out.String(), "65534\n")
	})
	t.Run("a terminal", func(t *testing.T) {
		c := sh("tty; stty size")
		c.TTY, c.Cols, c.Rows = true, 90, 20
		_, out := run(c)
		assert.Assert(t, strings.Contains(out, "/dev/pts/") && strings.Contains(out, "20 90"), out)
	})
	t.Run("the kernel's kill for memory is told", func(t *testing.T) {
		exit, _ := run(space.Command{Argv: []string{"tail", "/dev/zero"}})
		assert.Equal(t, *exit.Code, 137)
		assert.Assert(t, exit.OOMKilled)
	})
	t.Run("five hundred at once within 512 processes", func(t *testing.T) { fiveHundred(t, p, id) })
	t.Run("a full process table is waited out", func(t *testing.T) {
		// The shell fails to fork once 512 is reached; its sleeps stay for a while.
		exit, _ := run(sh("for i in $(seq 600); do sleep 2 & done"))
		assert.Assert(t, *exit.Code != 0)
		// Another terminal's worth of commands waits for room and then runs.
		exit, out := run(sh("echo room"))
		assert.Equal(t, *exit.Code, 0)
		assert.Equal(t, out, "room\n")
		assert.Equal(t, docker(t, "inspect", "-f", "{{.State.Running}}", id), "true")
	})
	t.Run("a pause breaks no channel", func(t *testing.T) { pausing(t, p, id) })
	t.Run("stopping is quick and ends commands", func(t *testing.T) {
		begin := time.Now()
		docker(t, "stop", "-t", "60", id)
		assert.Assert(t, time.Since(begin) < 20*time.Second, "took %s", time.Since(begin))
	})
}

func fiveHundred(t *testing.T, p *Pool, id string) {
	var wg sync.WaitGroup
	errs := make(chan error, 500)
	for i := range 500 {
		wg.Go(func() {
			var out bytes.Buffer
			// Two processes each: the shell and its sleep.
			exit, err := p.Exec(t.Context(), id, sh(fmt.Sprintf("sleep 0.5; echo %d", i)), space.Streams{Stdout: &out})
			if err != nil || exit.Code == nil || *exit.Code != 0 || out.String() != fmt.Sprintf("%d\n", i) {
				errs <- fmt.Errorf("%d: exit %+v, output %q: %w", i, exit, out.String(), err)
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
	assert.Equal(t, docker(t, "inspect", "-f", "{{.State.Running}} {{.RestartCount}}", id), "true 0")
}

func pausing(t *testing.T, p *Pool, id string) {
	out := &lines{}
	ended := make(chan error, 1)
	go func() {
		_, err := p.Exec(t.Context(), id, sh("echo ready; sleep 0.2; echo over"), space.Streams{Stdout: out})
		ended <- err
	}()
	out.waitFor(t, "ready")
	docker(t, "pause", id)
	docker(t, "unpause", id)
	assert.NilError(t, <-ended)
	assert.Equal(t, out.String(), "ready\nover\n")
}
