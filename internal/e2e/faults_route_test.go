package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/docker-space/docker-space/internal/api"
)

// onTCP gives a spaced that listens on a port too, its URL and its admin key.
func onTCP(t *testing.T, name string) (in *instance, url, key string) {
	t.Helper()
	in = ownInstance(t, name, func(in *instance) { in.listen = "127.0.0.1:0" })
	sys, err := in.api(t).System(t.Context())
	assert.NilError(t, err)
	b, err := os.ReadFile(filepath.Join(in.state(), "admin.key"))
	assert.NilError(t, err)
	return in, sys.URL, strings.TrimSpace(string(b))
}

func bearer(key string) http.Header { return http.Header{"Authorization": {"Bearer " + key}} }

// The checks before any route must hold in the daemon as it is wired.
func TestARouteRefusesWhatItMust(t *testing.T) {
	in, url, key := onTCP(t, "route")
	read := in.newKey(t, "reader", "read")
	with := func(name string, values ...string) http.Header {
		h := bearer(key)
		h[name] = values
		return h
	}
	upgrade := with("Origin", "http://evil.example")
	upgrade["Connection"], upgrade["Upgrade"] = []string{"Upgrade"}, []string{"websocket"}
	c := from(t, "127.0.0.1")
	for _, tc := range []struct {
		method, path, body string
		header             http.Header
		status             int
		says               string
	}{
		{"GET", "/api/spaces", "", nil, 401, "API key"},
		{"GET", "/api/spaces", "", bearer("nonsense"), 401, "unknown or revoked"},
		{"POST", "/api/spaces", `{"name":"x"}`, bearer(read), 403, "scope admin"},
		{"POST", "/api/spaces/x/exec", `{"command":"true"}`, bearer(read), 403, "scope exec"},
		{"GET", "/api/spaces", "", with("Host", "evil.example"), 403, "host"},
		{"GET", "/api/spaces", "", with("Origin", "http://evil.example"), 403, "origin"},
		{"GET", "/api/spaces", "", with("Origin", "null"), 403, "origin"},
		{"GET", "/api/spaces/x/exec/stream", "", upgrade, 403, "origin"},
		{"GET", "/api/health", "", http.Header{"Origin": {"null"}}, 403, "origin"},
		{"POST", "/api/spaces", `{"name":"` + strings.Repeat("x", 1<<20) + `"}`, bearer(key), 413, "1 MiB"},
		{"POST", "/api/spaces", `{"name":`, bearer(key), 400, "JSON"},
		{"POST", "/api/spaces", `{"name":"x","colour":1}`, bearer(key), 400, "colour"},
		{"POST", "/api/spaces", `{"name":7}`, bearer(key), 400, "name"},
		{"POST", "/api/spaces", `name=x`, with("Content-Type", "application/x-www-form-urlencoded"), 415, "application/json"},
		{"PUT", "/api/spaces", `{}`, bearer(key), 405, "POST"},
		{"GET", "/api/no/such", "", bearer(key), 404, "no such API path"},
	} {
		got := ask(t, c, tc.method, url+tc.path, tc.body, tc.header)
		var e api.Error
		name := tc.method + " " + tc.path + " " + tc.says + ": " + got.body
		assert.Check(t, is.Equal(got.status, tc.status), name)
		assert.Check(t, json.Unmarshal([]byte(got.body), &e), name)
		assert.Check(t, e.Code != "" && is.Contains(strings.ToLower(e.Message), strings.ToLower(tc.says))().Success(), name)
		assert.Check(t, is.Equal(got.header.Get("Content-Type"), "application/json"), name)
	}
	assert.Equal(t, ask(t, c, "GET", url+"/api/spaces", "", bearer(read)).status, 200)
}

// newKey makes an API key with the daemon's own command.
func (in *instance) newKey(t *testing.T, name, scope string) string {
	t.Helper()
	out := runOK(t, in.command(program("spaced"), "key", "create", name, "--scope", scope, "--state-dir", in.state()))
	fields := strings.Fields(out)
	assert.Assert(t, len(fields) > 0, "spaced key create printed nothing")
	return fields[len(fields)-1]
}

// Headers that come byte by byte must not hold a connection beyond ten seconds.
func TestDrippedHeadersAreClosedAfterTenSeconds(t *testing.T) {
	_, url, _ := onTCP(t, "drip")
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	assert.NilError(t, err)
	defer conn.Close()
	began := time.Now()
	_, err = conn.Write([]byte("GET /api/health HTTP/1.1\r\nX: "))
	assert.NilError(t, err)
	drip := time.NewTicker(200 * time.Millisecond)
	defer drip.Stop()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_, _ = bufio.NewReader(conn).ReadString(0)
	}()
	for {
		select {
		case <-drip.C:
			_, _ = conn.Write([]byte("x"))
			continue
		case <-closed:
		case <-time.After(20 * time.Second):
			t.Fatal("the connection is open after 20 s of dripped headers")
		}
		break
	}
	took := time.Since(began)
	assert.Assert(t, took > 8*time.Second && took < 13*time.Second, "closed after %s", took)
}

// A flood, and a guesser, must be slowed down, and nobody else for it.
func TestFloodsAndGuessesAreRefusedAndOthersServed(t *testing.T) {
	in, url, key := onTCP(t, "flood")
	flood := from(t, "127.0.0.3")
	seen, last := hammer(t, 4000, func() answer { return ask(t, flood, "GET", url+"/api/health", "", nil) })
	assert.Assert(t, seen[429] > 0 && seen[200] >= 2000, "%v", seen)
	wait, err := strconv.Atoi(last.header.Get("Retry-After"))
	assert.NilError(t, err)
	assert.Assert(t, wait >= 1)

	guesser := from(t, "127.0.0.4")
	seen, last = hammer(t, 1000, func() answer { return ask(t, guesser, "GET", url+"/api/spaces", "", bearer("wrong")) })
	assert.Assert(t, seen[401] >= 100 && seen[429] > 0 && seen[401]+seen[429] == 1000, "%v", seen)
	assert.Assert(t, last.header.Get("Retry-After") != "")

	assert.Equal(t, ask(t, from(t, "127.0.0.2"), "GET", url+"/api/spaces", "", bearer(key)).status, 200, "a good key from elsewhere")
	assert.Equal(t, ask(t, guesser, "GET", url+"/api/spaces", "", bearer(key)).status, 200, "a good key from the same address")
	assert.Equal(t, ask(t, in.onSocket(t), "GET", "http://spaced/api/spaces", "", nil).status, 200, "the socket")
}

// hammer asks n times, eight at once, and gives how often each status came and
// the last 429.
func hammer(t *testing.T, n int, ask func() answer) (map[int]int, answer) {
	t.Helper()
	var left atomic.Int64
	left.Store(int64(n))
	seen := map[int]int{}
	var last answer
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				got := ask()
				mu.Lock()
				seen[got.status]++
				if got.status == http.StatusTooManyRequests {
					last = got
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return seen, last
}

// clientDeadline bounds a call that must be answered, not waited for.
func clientDeadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}
