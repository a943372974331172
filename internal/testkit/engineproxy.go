package testkit

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httputil"
	"path/filepath"
	"sync"
	"testing"

	"gotest.tools/v3/assert"
)

// EngineProxy stands between a daemon and a real engine and can strike between
// two of the daemon's mutating calls. The engine's own answers pass unchanged.
type EngineProxy struct {
	// Socket is where the daemon finds it.
	Socket string
	// Counts, when set before Arm, says which mutating calls count.
	Counts func(*http.Request) bool

	mu     sync.Mutex
	refuse func(*http.Request) string
	seen   int
	at     int
	before bool
	strike func()
}

// NewEngineProxy serves a proxy to the engine at engineSocket until t ends.
func NewEngineProxy(t *testing.T, engineSocket string) *EngineProxy {
	t.Helper()
	p := &EngineProxy{Socket: filepath.Join(t.TempDir(), "engine.sock")}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", p.Socket)
	assert.NilError(t, err)
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", "engine" },
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", engineSocket)
		}},
		FlushInterval:  -1,
		ModifyResponse: func(r *http.Response) error { p.pass(r.Request, false); return nil },
		ErrorHandler:   func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if text := p.refusal(r); text != "" {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusInternalServerError)
			_ = json.NewEncoder(w).Encode(map[string]string{"message": text})
			return
		}
		p.pass(r, true)
		proxy.ServeHTTP(w, r)
	})}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close(); <-done })
	return p
}

// Arm makes strike run once, at the n-th mutating call from now (1 is the
// first): before the engine sees it, or after the engine did it and before the
// daemon is told.
func (p *EngineProxy) Arm(n int, before bool, strike func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen, p.at, p.before, p.strike = 0, n, before, strike
}

// Refuse makes the engine fail the calls for which why gives a text, with that
// text, as one does that is out of something; nil ends it.
func (p *EngineProxy) Refuse(why func(*http.Request) string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = why
}

func (p *EngineProxy) refusal(r *http.Request) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse == nil {
		return ""
	}
	return p.refuse(r)
}

// Disarm gives whether the strike had not come yet, and takes it back.
func (p *EngineProxy) Disarm() (pending bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pending, p.strike = p.strike != nil, nil
	return pending
}

func (p *EngineProxy) pass(r *http.Request, before bool) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.strike == nil || p.Counts != nil && !p.Counts(r) {
		return
	}
	if before {
		p.seen++
	}
	if p.seen == p.at && before == p.before {
		p.strike()
		p.strike = nil
	}
}
