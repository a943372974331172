package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/docker-space/docker-space/internal/api"
	"go.uber.org/goleak"
	"gotest.tools/v3/assert"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// daemon serves h and gives a client of it.
func daemon(t *testing.T, h http.HandlerFunc) *Client {
	srv := httptest.NewServer(h)
	c, err := New(Target{URL: srv.URL, Key: "k1"})
	assert.NilError(t, err)
	t.Cleanup(func() {
		c.Close()
		srv.Close()
	})
	return c
}

func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestCallsGoWhereTheAPISays(t *testing.T) {
	var got, body string
	c := daemon(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, body = r.Method+" "+r.URL.RequestURI(), string(b)
		_, _ = io.WriteString(w, `{"spaces":[{"name":"a"}],"space":{"name":"a"},"message":"m","exitCode":3,"status":"ok","hostname":"h","cpus":2}`)
	})
	ctx := t.Context()
	calls := []struct {
		want, body string
		call       func() error
	}{
		{"GET /api/health", "", func() error { _, err := c.Health(ctx); return err }},
		{"GET /api/system", "", func() error { _, err := c.System(ctx); return err }},
		{"GET /api/system/capabilities", "", func() error { _, err := c.Capabilities(ctx); return err }},
		{"GET /api/spaces", "", func() error { _, err := c.List(ctx, false); return err }},
		{"GET /api/spaces?all=true", "", func() error { _, err := c.List(ctx, true); return err }},
		{"GET /api/spaces/a", "", func() error { _, err := c.Get(ctx, "a"); return err }},
		{"GET /api/spaces/a%2F..%2Fb", "", func() error { _, err := c.Get(ctx, "a/../b"); return err }},
		{"PATCH /api/spaces/a", `{"memory":"1g"}`, func() error { _, err := c.Patch(ctx, "a", api.PatchRequest{Memory: "1g"}); return err }},
		{"POST /api/spaces/a/start", "", func() error { _, err := c.Start(ctx, "a"); return err }},
		{"POST /api/spaces/a/stop", "", func() error { _, err := c.Stop(ctx, "a"); return err }},
		{"POST /api/spaces/a/restart", "", func() error { _, err := c.Restart(ctx, "a"); return err }},
		{"DELETE /api/spaces/a", "", func() error { _, err := c.Delete(ctx, "a", false); return err }},
		{"DELETE /api/spaces/a?removeVolume=true", "", func() error { _, err := c.Delete(ctx, "a", true); return err }},
		{"POST /api/spaces/a/exec", `{"command":["true"]}`, func() error {
			r, err := c.Exec(ctx, "a", api.ExecRequest{Command: api.Command{Argv: []string{"true"}}})
			assert.Equal(t, r.ExitCode, 3)
			return err
		}},
	}
	for _, tc := range calls {
		assert.NilError(t, tc.call(), tc.want)
		assert.Equal(t, got, tc.want)
		assert.Equal(t, body, tc.body)
	}
}

func TestAnErrorCarriesItsStatusCodeAndField(t *testing.T) {
	c := daemon(t, answer(400, "application/json", `{"error":"memory 2x is not a size","code":"invalid_request","field":"memory"}`))
	_, err := c.Get(t.Context(), "a")
	var e *api.Error
	assert.Assert(t, errors.As(err, &e))
	assert.DeepEqual(t, *e, api.Error{Message: "memory 2x is not a size", Code: api.CodeInvalid, Field: "memory", Status: 400})
}

func TestAStrangersAnswerIsAnErrorToo(t *testing.T) {
	c := daemon(t, answer(502, "text/html", "<html>bad gateway</html>"))
	_, err := c.List(t.Context(), false)
	assert.Error(t, err, `spaced answered 502 Bad Gateway: "<html>bad gateway</html>"`)

	c = daemon(t, answer(200, "text/html", "<html>welcome</html>"))
	_, err = c.List(t.Context(), false)
	assert.ErrorContains(t, err, "not what was expected")
}

func TestTheKeyGoesOnlyToTheURLItself(t *testing.T) {
	stranger := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stranger = true }))
	defer other.Close()
	var key string
	c := daemon(t, func(w http.ResponseWriter, r *http.Request) {
		key = r.Header.Get("Authorization")
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	_, err := c.Health(t.Context())
	assert.ErrorContains(t, err, "307")
	assert.Equal(t, key, "Bearer k1")
	assert.Assert(t, !stranger)
}

func TestASocketIsSpokenToWithoutAKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.sock")
	l, err := net.Listen("unix", path)
	assert.NilError(t, err)
	srv := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(api.Health{Name: r.Host + r.Header.Get("Authorization")})
	})}
	go func() { _ = srv.Serve(l) }()
	defer srv.Close()
	c, err := New(Target{Socket: path, Key: "k1"})
	assert.NilError(t, err)
	defer c.Close()
	h, err := c.Health(t.Context())
	assert.NilError(t, err)
	assert.Equal(t, h.Name, "localhost")
}

func TestNewRefusesWhatIsNoURL(t *testing.T) {
	for _, bad := range []string{"", "box:7777", "ftp://box", "http://", "%zz"} {
		_, err := New(Target{URL: bad})
		assert.ErrorContains(t, err, "URL", bad)
	}
}

func TestAnAbsentDaemonIsSaidSo(t *testing.T) {
	c, err := New(Target{Socket: filepath.Join(t.TempDir(), "none.sock")})
	assert.NilError(t, err)
	_, err = c.Health(t.Context())
	assert.ErrorContains(t, err, "cannot reach spaced at")
	_, err = c.ExecStream(t.Context(), "a", api.ExecRequest{}, io.Discard, io.Discard)
	assert.ErrorContains(t, err, "cannot reach spaced at")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Health(ctx)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestCreateReadsProgressToTheEnd(t *testing.T) {
	var accept, key string
	c := daemon(t, func(w http.ResponseWriter, r *http.Request) {
		accept, key = r.Header.Get("Accept"), r.Header.Get("Idempotency-Key")
		answer(200, "application/x-ndjson", `{"status":"Pulling"}`+"\n"+`{"id":"l1","current":1,"total":2}`+"\n"+`{"space":{"name":"a"}}`+"\n")(w, r)
	})
	var seen []string
	s, err := c.Create(t.Context(), api.CreateRequest{Name: "a"}, "once", func(p api.Progress) { seen = append(seen, fmt.Sprint(p.Status, p.ID, p.Current)) })
	assert.NilError(t, err)
	assert.Equal(t, s.Name, "a")
	assert.DeepEqual(t, seen, []string{"Pulling0", "l11"})
	assert.Equal(t, accept, "application/x-ndjson")
	assert.Equal(t, key, "once")
}

func TestCreateTakesThePlainAnswerToo(t *testing.T) {
	c := daemon(t, answer(201, "application/json", `{"space":{"name":"a"}}`))
	s, err := c.Create(t.Context(), api.CreateRequest{Name: "a"}, "", nil)
	assert.NilError(t, err)
	assert.Equal(t, s.Name, "a")
}

func TestCreateFails(t *testing.T) {
	for name, tc := range map[string]struct{ body, want string }{
		"said so":  {`{"status":"x"}` + "\n" + `{"failure":{"error":"no such image","code":"image_not_found"}}`, "no such image"},
		"cut off":  {`{"status":"x"}` + "\n", "ended before the space was made"},
		"cut line": {`{"status":"x"}` + "\n" + `{"sta`, "ended before the space was made"},
		"garbage":  {"hello", "progress line"},
	} {
		t.Run(name, func(t *testing.T) {
			c := daemon(t, answer(200, "application/x-ndjson", tc.body))
			_, err := c.Create(t.Context(), api.CreateRequest{Name: "a"}, "", nil)
			assert.ErrorContains(t, err, tc.want)
		})
	}
	c := daemon(t, answer(409, "application/json", `{"error":"a exists","code":"space_exists"}`))
	_, err := c.Create(t.Context(), api.CreateRequest{Name: "a"}, "", nil)
	var e *api.Error
	assert.Assert(t, errors.As(err, &e))
	assert.Equal(t, e.Status, 409)
}
