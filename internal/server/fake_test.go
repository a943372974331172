package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"go.uber.org/goleak"
	"gotest.tools/v3/assert"
	"gotest.tools/v3/poll"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/space"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rules is the real thing as the routes take it: only Acquire differs.
type rules struct{ *space.Service }

var _ Spaces = rules{}

func (r rules) Acquire(ctx context.Context, name string) (Execution, error) {
	l, err := r.Service.Acquire(ctx, name)
	if err != nil {
		return nil, err // not l: a nil lease in an interface is not nil
	}
	return l, nil
}

// fakeSpaces answers with what a test put in; the space "dev" exists.
type fakeSpaces struct {
	mu       sync.Mutex
	calls    []string
	err      error
	create   func(context.Context, api.CreateRequest, space.CreateOptions) (api.Space, error)
	exec     execFunc
	released int
}

func (f *fakeSpaces) called(format string, args ...any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, fmt.Sprintf(format, args...))
	return f.err
}

func (f *fakeSpaces) seen() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.calls, " ")
}

func (f *fakeSpaces) found(name string) error {
	if name != "dev" {
		return api.Errorf(api.CodeSpaceNotFound, "no such space: %s", name)
	}
	return nil
}

func (f *fakeSpaces) List(_ context.Context, all bool) ([]api.Space, error) {
	return nil, f.called("list(%v)", all)
}

func (f *fakeSpaces) Get(_ context.Context, name string) (api.Space, error) {
	if err := f.called("get(%s)", name); err != nil {
		return api.Space{}, err
	}
	return api.Space{Name: name}, f.found(name)
}

func (f *fakeSpaces) Create(ctx context.Context, req api.CreateRequest, opt space.CreateOptions) (api.Space, error) {
	if err := f.called("create(%s,%s,%s,%s)", req.Name, req.Memory, req.CPUs, opt.IdempotencyKey); err != nil {
		return api.Space{}, err
	}
	if f.create != nil {
		return f.create(ctx, req, opt)
	}
	return api.Space{Name: req.Name, Image: "a<b>&c"}, nil
}

func (f *fakeSpaces) Patch(_ context.Context, name string, req api.PatchRequest) (api.Space, error) {
	return api.Space{Name: name}, errors.Join(f.called("patch(%s,%s)", name, req.Memory))
}

func (f *fakeSpaces) Start(_ context.Context, name string) error { return f.called("start(%s)", name) }

func (f *fakeSpaces) Stop(_ context.Context, name string) error { return f.called("stop(%s)", name) }

func (f *fakeSpaces) Restart(_ context.Context, name string) error {
	return f.called("restart(%s)", name)
}

func (f *fakeSpaces) Destroy(_ context.Context, name string, removeVolume bool) (*int64, error) {
	freed := int64(42)
	return &freed, f.called("destroy(%s,%v)", name, removeVolume)
}

func (f *fakeSpaces) Acquire(_ context.Context, name string) (Execution, error) {
	if err := f.called("acquire(%s)", name); err != nil {
		return nil, err
	}
	return f, f.found(name)
}

func (f *fakeSpaces) Exec(ctx context.Context, req api.ExecRequest, s space.Streams) (space.Exit, error) {
	f.mu.Lock()
	exec := f.exec
	f.mu.Unlock()
	return exec(ctx, req, s)
}

type execFunc = func(context.Context, api.ExecRequest, space.Streams) (space.Exit, error)

func (f *fakeSpaces) onExec(exec execFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.exec = exec
}

func (f *fakeSpaces) failWith(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

// forget empties the record of calls.
func (f *fakeSpaces) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = nil
}

func (f *fakeSpaces) releases() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.released
}

func (f *fakeSpaces) Release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.released++
}

type fakeSystem struct{}

func (fakeSystem) System(context.Context) (api.System, error) { return api.System{Hostname: "h"}, nil }

func (fakeSystem) Capabilities(context.Context) (api.CapabilityReport, error) {
	return api.CapabilityReport{Capabilities: api.Capabilities{GPU: true, Arch: "x64"}, CPUs: 2}, nil
}
func (fakeSystem) Health(context.Context) api.Health { return api.Health{Status: "ok"} }

// fakeKeys has one key per scope, whose text is "key-SCOPE".
type fakeKeys struct {
	mu      sync.Mutex
	revoked map[string]bool
	lookups int
}

func (k *fakeKeys) LookupKey(ctx context.Context, text string) (Key, error) {
	k.mu.Lock()
	k.lookups++
	k.mu.Unlock()
	return k.KeyByID(ctx, "id-"+strings.TrimPrefix(text, "key-"))
}

func (k *fakeKeys) KeyByID(_ context.Context, id string) (Key, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	scope, err := ParseScope(strings.TrimPrefix(id, "id-"))
	if err != nil || k.revoked[id] {
		return Key{}, errdefs.ErrNotFound
	}
	return Key{ID: id, Name: "my-" + scope.String(), Scope: scope}, nil
}

func (k *fakeKeys) revoke(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.revoked[id] = true
}

// bench is a server on TCP and on a unix socket.
type bench struct {
	*Server
	spaces *fakeSpaces
	keys   *fakeKeys
	log    *safeLog
	url    string
	addr   string
	socket string
}

// safeLog is the log's text, written by many goroutines.
type safeLog struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *safeLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *safeLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newBench(t *testing.T, change ...func(*Config)) *bench {
	t.Helper()
	b := &bench{spaces: &fakeSpaces{}, keys: &fakeKeys{revoked: map[string]bool{}}, log: &safeLog{}}
	cfg := Config{
		Spaces: b.spaces, System: fakeSystem{}, Keys: b.keys, NodeID: "0123456789abcdef",
		Logger:        slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		SessionSecret: []byte("0123456789abcdef"), AllowedOrigins: []string{"http://localhost:5173"},
		AllowedHosts: []string{"box.example"},
	}
	for _, f := range change {
		f(&cfg)
	}
	var err error
	b.Server, err = New(cfg)
	assert.NilError(t, err)
	b.socket = filepath.Join(t.TempDir(), "s.sock")
	b.serve(t, "unix", b.socket)
	b.addr = b.serve(t, "tcp", "127.0.0.1:0")
	b.url = "http://" + b.addr
	return b
}

func (b *bench) serve(t *testing.T, network, address string) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), network, address)
	assert.NilError(t, err)
	srv := b.HTTP()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(l)
	}()
	t.Cleanup(func() {
		_ = srv.Close()
		<-done
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		assert.Check(t, b.CloseSockets(ctx))
	})
	return l.Addr().String()
}

// request is one call; the zero method is GET.
type request struct {
	method, path, body string
	header             map[string]string
	host               string
}

type reply struct {
	status int
	header http.Header
	body   string
}

// call makes a request over TCP with the admin key unless the header says
// otherwise.
func (b *bench) call(t *testing.T, q request) reply {
	t.Helper()
	if q.header == nil {
		q.header = map[string]string{}
	}
	if _, ok := q.header["Authorization"]; !ok && !strings.Contains(q.path, "key=") {
		q.header["Authorization"] = "Bearer key-admin"
	}
	return send(t, http.DefaultTransport, b.url, q)
}

func (b *bench) callUnix(t *testing.T, q request) reply {
	t.Helper()
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", b.socket)
	}}
	defer tr.CloseIdleConnections()
	return send(t, tr, "http://spaced", q)
}

func send(t *testing.T, tr http.RoundTripper, base string, q request) reply {
	t.Helper()
	if q.method == "" {
		q.method = http.MethodGet
	}
	var body io.Reader
	if q.body != "" {
		body = strings.NewReader(q.body)
	}
	r, err := http.NewRequestWithContext(t.Context(), q.method, base+q.path, body)
	assert.NilError(t, err)
	if q.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for k, v := range q.header {
		if v == "" {
			r.Header.Del(k)
			continue
		}
		r.Header.Set(k, v)
	}
	r.Host = q.host
	resp, err := tr.RoundTrip(r)
	assert.NilError(t, err)
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	assert.NilError(t, err)
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	return reply{resp.StatusCode, resp.Header, string(text)}
}

// eventually polls until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	poll.WaitOn(t, func(poll.LogT) poll.Result {
		if ok() {
			return poll.Success()
		}
		return poll.Continue("%s", what)
	}, poll.WithDelay(5*time.Millisecond), poll.WithTimeout(10*time.Second))
}

func intp(n int) *int { return &n }
