package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/client"
	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/config"
	"github.com/gorilla/websocket"
	"github.com/spf13/cobra"
	"go.uber.org/goleak"
	"gotest.tools/v3/assert"
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "space-cli-config")
	if err != nil {
		panic(err)
	}
	config.SetDir(dir)
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// fake is a daemon of the API's shapes. Handlers append to calls.
type fake struct {
	t   *testing.T
	url string

	mu      sync.Mutex
	spaces  []api.Space
	calls   []string
	created api.CreateRequest
	// createAnswer replaces the progress lines of a create.
	createAnswer string
	// creating is called with the Idempotency-Key before a create is answered.
	creating func(r *http.Request, key string)
	// exec plays the command of a stream.
	exec func(*websocket.Conn, api.ExecRequest)
}

func newFake(t *testing.T, spaces ...api.Space) *fake {
	f := &fake{t: t, spaces: spaces}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/health", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, api.Health{Status: "ok", Version: "v9", Name: "box", NodeID: "n1", Protocol: 1})
	})
	mux.HandleFunc("GET /api/system", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, aSystem()) })
	mux.HandleFunc("GET /api/spaces", f.list)
	mux.HandleFunc("POST /api/spaces", f.create)
	mux.HandleFunc("GET /api/spaces/{name}", f.one(func(w http.ResponseWriter, _ *http.Request, s api.Space) {
		reply(w, 200, api.SpaceBody{Space: s})
	}))
	mux.HandleFunc("DELETE /api/spaces/{name}", f.one(f.remove))
	mux.HandleFunc("POST /api/spaces/{name}/{act}", f.one(func(w http.ResponseWriter, r *http.Request, s api.Space) {
		f.called(r.PathValue("act") + " " + s.Name)
		reply(w, 200, api.Message{Message: "done"})
	}))
	mux.HandleFunc("GET /api/spaces/{name}/exec/stream", f.one(f.stream))
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	f.url = srv.URL
	return f
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (f *fake) called(call string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, call)
}

func (f *fake) log() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.calls, "; ")
}

// plays sets how the commands of streams go from now on.
func (f *fake) plays(exec func(*websocket.Conn, api.ExecRequest)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.exec = exec
}

func (f *fake) list(w http.ResponseWriter, r *http.Request) {
	l := api.SpaceList{Spaces: []api.Space{}}
	for _, s := range f.spaces {
		if s.Status != api.StatusMissing || r.URL.Query().Get("all") == "true" {
			l.Spaces = append(l.Spaces, s)
		}
	}
	reply(w, 200, l)
}

func (f *fake) one(h func(http.ResponseWriter, *http.Request, api.Space)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		for _, s := range f.spaces {
			if s.Name == name && s.Status != api.StatusMissing {
				h(w, r, s)
				return
			}
		}
		reply(w, 404, api.Errorf(api.CodeSpaceNotFound, "no space %s; see docker space ls", name))
	}
}

func (f *fake) create(w http.ResponseWriter, r *http.Request) {
	var req api.CreateRequest
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		reply(w, 400, api.Invalid("body", "%v", err))
		return
	}
	f.called("create " + req.Name)
	if f.creating != nil {
		f.creating(r, r.Header.Get("Idempotency-Key"))
	}
	f.mu.Lock()
	f.created = req
	answer := f.createAnswer
	f.spaces = append(f.spaces, api.Space{Name: req.Name, Status: api.StatusRunning})
	f.mu.Unlock()
	if answer == "" {
		answer = fmt.Sprintf("{\"status\":\"Creating the container\"}\n{\"space\":{\"name\":%q}}\n", req.Name)
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	_, _ = io.WriteString(w, answer)
}

func (f *fake) remove(w http.ResponseWriter, r *http.Request, s api.Space) {
	f.called("delete " + s.Name + "?" + r.URL.RawQuery)
	m := api.Message{Message: "destroyed"}
	if r.URL.Query().Get("removeVolume") == "true" {
		n := int64(12_345_678)
		m.FreedBytes = &n
	}
	reply(w, 200, m)
}

func (f *fake) stream(w http.ResponseWriter, r *http.Request, _ api.Space) {
	var up websocket.Upgrader
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	var req api.ExecRequest
	if conn.ReadJSON(&req) == nil {
		_ = conn.WriteJSON(api.Control{Type: api.FrameStarted})
		f.mu.Lock()
		exec := f.exec
		f.mu.Unlock()
		exec(conn, req)
	}
}

// Find and Connect make a fake the Finder of the commands.
func (f *fake) Find(context.Context) (*client.Client, error) {
	return client.New(client.Target{URL: f.url})
}

func (f *fake) Connect(ctx context.Context) (*client.Client, error) { return f.Find(ctx) }

// nowhere is a Finder on a machine without a daemon.
type nowhere struct{}

func (nowhere) Find(context.Context) (*client.Client, error) {
	return nil, fmt.Errorf("no spaced answers on this machine")
}

func (n nowhere) Connect(ctx context.Context) (*client.Client, error) { return n.Find(ctx) }

type result struct {
	stdout, stderr string
	code           int
}

// run runs one command line with text on standard input, as main would.
func run(ctx context.Context, t *testing.T, f Finder, stdin string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	docker, err := command.NewDockerCli(
		command.WithInputStream(io.NopCloser(strings.NewReader(stdin))),
		command.WithOutputStream(&out), command.WithErrorStream(&errs))
	assert.NilError(t, err)
	code := execute(ctx, docker, f, args...)
	return result{stdout: out.String(), stderr: errs.String(), code: code}
}

func execute(ctx context.Context, docker *command.DockerCli, f Finder, args ...string) int {
	top := &cobra.Command{Use: "docker", SilenceErrors: true, SilenceUsage: true, TraverseChildren: true}
	cli.SetupPluginRootCommand(top)
	top.AddCommand(New(docker, f))
	top.SetOut(docker.Out())
	top.SetErr(docker.Err())
	top.SetArgs(append([]string{"space"}, args...))
	return exitCode(top.ExecuteContext(ctx), docker.Err())
}

func aSpace(name string, status api.Status) api.Space {
	long := time.Now().Add(-3 * time.Hour)
	return api.Space{
		Name: name, ID: "0123456789ab", Status: status, Image: "docker-space/base:latest",
		Created: long, LastActivity: long, Memory: 2 << 30, CPUs: 1.5, Network: "internet",
		Volume: api.Volume{Name: "space-" + name}, Labels: map[string]string{"team": "a", "env": "test"},
		Instance: "default", Node: "box",
	}
}

func aSystem() api.System {
	return api.System{
		Hostname: "box", NodeID: "n1", Platform: "linux", Arch: "x64", CPUs: 2, LoadAverage: [3]float64{0.5, 0.25, 0.1},
		Memory: api.Usage{Total: "8.0 GB", Free: "4.0 GB", Used: "4.0 GB", Percentage: "50.0%"},
		Disk:   &api.DiskUsage{Total: "100.0 GB", Used: "41.2 GB", Available: "58.8 GB", Percentage: "41.2%"},
		Uptime: "1d 2h 3m", Version: "v9", Instance: "default", StateDir: "/var/lib/spaced",
		Docker: api.Docker{Version: "20.10.24", APIVersion: "1.41", Containers: 3, ContainersRunning: 2, ContainersPaused: 1, Images: 4, Runtimes: []string{"runc", "runsc"}},
	}
}
