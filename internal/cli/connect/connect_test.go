package connect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/client"
	"go.uber.org/goleak"
	"gotest.tools/v3/assert"
)

// roleEnv makes the test binary act as the daemon that a test starts.
const roleEnv = "CONNECT_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleEnv) {
	case "serve":
		serve(os.Getenv("SPACED_SOCKET"))
	case "die":
		for i := range 20 {
			fmt.Println("line", i)
		}
		os.Exit(3)
	case "hang":
		fmt.Println("still thinking")
		time.Sleep(3 * time.Second)
	default:
		// It waits for a daemon that outlives this process.
		goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/docker-space/docker-space/internal/cli/connect.(*Finder).launch.func1"))
	}
}

func serve(socket string) {
	l, err := net.Listen("unix", socket)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/health", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(api.Health{Status: "ok", Name: os.Getenv("DOCKER_HOST"), Protocol: api.Protocol})
	})
	mux.HandleFunc("DELETE /api/spaces/quit", func(http.ResponseWriter, *http.Request) { os.Exit(0) })
	_ = http.Serve(l, mux)
}

type fixture struct {
	*Finder
	env    map[string]string
	stderr bytes.Buffer
	dir    string
}

func newFixture(t *testing.T) *fixture {
	f := &fixture{dir: t.TempDir()}
	f.env = map[string]string{"SPACED_STATE_DIR": filepath.Join(f.dir, "state")}
	f.Finder = &Finder{
		Getenv:  func(k string) string { return f.env[k] },
		Err:     &f.stderr,
		System:  filepath.Join(f.dir, "system.sock"),
		Dial:    Dial,
		Program: os.Executable,
	}
	return f
}

// starts makes Connect start this test binary in a role.
func (f *fixture) starts(t *testing.T, role string) {
	f.env["SPACED_SOCKET"] = filepath.Join(f.dir, "started.sock")
	t.Setenv("SPACED_SOCKET", "")
	t.Setenv(roleEnv, role)
}

func listen(t *testing.T, path string) {
	l, err := net.Listen("unix", path)
	assert.NilError(t, err)
	t.Cleanup(func() { l.Close() })
}

func TestFindTakesTheUsersSocketBeforeTheSystems(t *testing.T) {
	f := newFixture(t)
	f.env["XDG_RUNTIME_DIR"] = f.dir
	listen(t, f.System)
	c, err := f.Find(t.Context())
	assert.NilError(t, err)
	assert.Equal(t, c.Target().Socket, f.System)

	mine := filepath.Join(f.dir, "spaced.sock")
	listen(t, mine)
	c, err = f.Find(t.Context())
	assert.NilError(t, err)
	assert.Equal(t, c.Target().Socket, mine)
}

func TestADaemonIsStartedWhereItsUserLooks(t *testing.T) {
	env := map[string]string{}
	f := Finder{System: SystemSocket, Getenv: func(k string) string { return env[k] }}
	assert.Equal(t, f.ownSocket(), "/run/spaced.sock")
	env["XDG_RUNTIME_DIR"] = "/run/user/0"
	assert.Equal(t, f.ownSocket(), "/run/spaced.sock")
	f.UID = 1000
	env["XDG_RUNTIME_DIR"] = ""
	f.UID = 4294967 // has no /run/user folder
	env["HOME"] = "/home/x"
	assert.DeepEqual(t, f.sockets(), []string{"/home/x/.local/state/spaced/spaced.sock", "/run/spaced.sock"})
	assert.Equal(t, f.ownSocket(), "/home/x/.local/state/spaced/spaced.sock")
	env["XDG_RUNTIME_DIR"] = "/x"
	assert.Equal(t, f.ownSocket(), "/x/spaced.sock")
	env["SPACED_SOCKET"] = "/y.sock"
	assert.Equal(t, f.ownSocket(), "/y.sock")
}

func TestFindHonoursTheEnvironment(t *testing.T) {
	f := newFixture(t)
	listen(t, f.System)
	f.env["SPACED_URL"], f.env["SPACED_KEY"] = "http://box:7777", "secret"
	c, err := f.Find(t.Context())
	assert.NilError(t, err)
	assert.Equal(t, c.Target(), client.Target{URL: "http://box:7777", Key: "secret"})

	named := filepath.Join(f.dir, "named.sock")
	f.env["SPACED_SOCKET"] = named
	_, err = f.Find(t.Context())
	assert.ErrorContains(t, err, named)
	listen(t, named)
	c, err = f.Find(t.Context())
	assert.NilError(t, err)
	assert.Equal(t, c.Target().Socket, named)
}

func TestPermissionDeniedNamesTheRemedyAndStartsNothing(t *testing.T) {
	f := newFixture(t)
	f.Dial = func(context.Context, string) error {
		return &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EACCES)}
	}
	_, err := f.Connect(t.Context())
	assert.ErrorContains(t, err, "sudo usermod -aG docker $USER")
	assert.ErrorContains(t, err, f.System)
	assert.Equal(t, f.stderr.String(), "")
}

func TestConnectStartsADaemonOnce(t *testing.T) {
	f := newFixture(t)
	f.starts(t, "serve")
	f.DockerEnv = func() []string { return []string{"DOCKER_HOST=tcp://engine:1"} }
	f.Err = &lockedWriter{w: &f.stderr}

	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			c, err := f.Connect(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			c.Close()
		})
	}
	wg.Wait()
	c, err := f.Connect(t.Context())
	assert.NilError(t, err)
	defer c.Close()
	h, err := c.Health(t.Context())
	_, _ = c.Delete(t.Context(), "quit", false)
	assert.NilError(t, err)
	assert.Equal(t, h.Name, "tcp://engine:1")
	assert.Equal(t, strings.Count(f.stderr.String(), "\n"), 1, f.stderr.String())
}

type lockedWriter struct {
	mu sync.Mutex
	w  *bytes.Buffer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func TestConnectRefusesADaemonThatIsTooOld(t *testing.T) {
	f := newFixture(t)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(api.Health{Status: "ok", Version: "v0.1"})
	}))
	defer srv.Close()
	f.env["SPACED_URL"] = srv.URL
	_, err := f.Connect(t.Context())
	assert.ErrorContains(t, err, `too old (version "v0.1", protocol 0`)
}

func TestConnectShowsWhyTheDaemonEnded(t *testing.T) {
	f := newFixture(t)
	f.starts(t, "die")
	before := time.Now()
	_, err := f.Connect(t.Context())
	assert.ErrorContains(t, err, "exit status 3")
	assert.ErrorContains(t, err, "line 19")
	assert.Assert(t, !strings.Contains(err.Error(), "line 9\n"), "only the last lines: %s", err)
	assert.Assert(t, time.Since(before) < startTimeout, "it must not wait for a process that is gone")
}

func TestConnectGivesUpOnASilentDaemon(t *testing.T) {
	f := newFixture(t)
	f.starts(t, "hang")
	f.StartTimeout = 300 * time.Millisecond
	_, err := f.Connect(t.Context())
	assert.ErrorContains(t, err, "does not answer yet")
}

func TestConnectIsCancellable(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := f.Connect(ctx)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestAutostartCanBeTurnedOff(t *testing.T) {
	f := newFixture(t)
	f.env["SPACE_AUTOSTART"] = "0"
	_, err := f.Connect(t.Context())
	assert.ErrorContains(t, err, "SPACE_AUTOSTART=0")
	assert.ErrorContains(t, err, f.System)
}

func TestAMissingProgramIsNamed(t *testing.T) {
	f := newFixture(t)
	f.Program = func() (string, error) { return "", errors.New("no spaced in PATH") }
	_, err := f.Connect(t.Context())
	assert.ErrorContains(t, err, "no spaced in PATH")
}

func TestStateDirFollowsTheUser(t *testing.T) {
	env := map[string]string{"HOME": "/home/ann"}
	f := Finder{UID: 1000, Getenv: func(k string) string { return env[k] }}
	assert.Equal(t, f.stateDir(), "/home/ann/.local/state/spaced")
	env["XDG_STATE_HOME"] = "/s"
	assert.Equal(t, f.stateDir(), "/s/spaced")
	f.UID = 0
	assert.Equal(t, f.stateDir(), "/var/lib/spaced")
	env["SPACED_STATE_DIR"] = "/x"
	assert.Equal(t, f.stateDir(), "/x")
}
