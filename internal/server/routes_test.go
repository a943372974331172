package server

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/space"
)

func TestRoutesCallTheRules(t *testing.T) {
	b := newBench(t)
	b.spaces.onExec(func(context.Context, api.ExecRequest, space.Streams) (space.Exit, error) {
		return space.Exit{Code: intp(0)}, nil
	})
	for _, tc := range []struct {
		q      request
		status int
		body   string
		call   string
	}{
		{request{path: "/api/health"}, 200, `"status":"ok"`, ""},
		{request{path: "/api/system"}, 200, `"hostname":"h"`, ""},
		{request{path: "/api/system/capabilities"}, 200, `"gpu":true,`, ""},
		{request{path: "/api/spaces"}, 200, `{"spaces":[]}`, "list(false)"},
		{request{path: "/api/spaces?all=true"}, 200, `{"spaces":[]}`, "list(true)"},
		{request{path: "/api/spaces/dev"}, 200, `{"space":{"name":"dev",`, "get(dev)"},
		{request{method: "POST", path: "/api/spaces", body: `{"name":"a","memory":"2g","cpus":1.5}`}, 201, `{"space":{"name":"a"`, "create(a,2g,1.5,)"},
		{request{method: "POST", path: "/api/spaces", body: `{"name":"a","memory":1024,"gpu":null}`}, 201, `"image":"a<b>&c"`, "create(a,1024,,)"},
		{request{method: "POST", path: "/api/spaces", body: `{"name":"a","name":"b"}`}, 201, `"name":"b"`, "create(b,,,)"},
		{request{method: "POST", path: "/api/spaces", body: `{"name":"a"}`, header: map[string]string{"Idempotency-Key": "k1"}}, 201, "", "create(a,,,k1)"},
		{request{method: "PATCH", path: "/api/spaces/dev", body: `{"memory":"1g"}`}, 200, `{"space":`, "patch(dev,1g)"},
		{request{method: "POST", path: "/api/spaces/dev/start", header: map[string]string{"Content-Type": "application/json"}}, 200, `{"message":"Space dev is running"}`, "start(dev)"},
		{request{method: "POST", path: "/api/spaces/dev/stop"}, 200, `"message"`, "stop(dev)"},
		{request{method: "POST", path: "/api/spaces/dev/restart"}, 200, `"message"`, "restart(dev)"},
		{request{method: "DELETE", path: "/api/spaces/dev"}, 200, `workspace is kept`, "destroy(dev,false)"},
		{request{method: "DELETE", path: "/api/spaces/dev?removeVolume=true"}, 200, `"freedBytes":42`, "destroy(dev,true)"},
	} {
		b.spaces.forget()
		got := b.call(t, tc.q)
		name := tc.q.method + " " + tc.q.path + " " + tc.q.body
		assert.Check(t, is.Equal(got.status, tc.status), name+got.body)
		assert.Check(t, is.Contains(got.body, tc.body), name)
		assert.Check(t, is.Equal(b.spaces.seen(), tc.call), name)
		assert.Check(t, !strings.Contains(got.body, "$schema") && !strings.Contains(got.body, `"error"`), got.body)
	}
}

func TestBadRequestsAreNamed(t *testing.T) {
	b := newBench(t)
	post := func(path, body string) request { return request{method: "POST", path: path, body: body} }
	for _, tc := range []struct {
		q      request
		status int
		field  string
		says   string
	}{
		{post("/api/spaces", `{"name":"a","colour":"red"}`), 400, "colour", `unknown field`},
		{post("/api/spaces", `{"name":7}`), 400, "name", "expected string"},
		{post("/api/spaces", `{"name":"a","env":{"A":1}}`), 400, "env.A", "expected string"},
		{post("/api/spaces", `{"name":"a","memory":true}`), 400, "memory", "a string or a number"},
		{post("/api/spaces", `{}`), 400, "", "name"},
		{post("/api/spaces", `{"name":`), 400, "", "JSON"},
		{post("/api/spaces", `{"name":"a"} x`), 400, "", "invalid character"},
		{post("/api/spaces", `[]`), 400, "", "expected object"},
		{request{method: "POST", path: "/api/spaces"}, 400, "", "body is required"},
		{request{method: "POST", path: "/api/spaces", body: "a=b", header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}, 415, "", "application/json"},
		{post("/api/spaces", `{"name":"`+strings.Repeat("x", maxBody)+`"}`), 413, "", "too large"},
		{post("/api/spaces/dev/exec", `{"command":7}`), 400, "command", "a string or an array"},
		{post("/api/spaces/dev/exec", `{"command":["a",1]}`), 400, "command", "a string or an array"},
		{post("/api/spaces/dev/exec", `{"command":"x","timeoutMs":1e30}`), 400, "", "timeoutMs"},
		{post("/api/spaces/dev/exec", `{"command":"x","stdinBase64":"%"}`), 400, "stdinBase64", "base64"},
		{post("/api/spaces/dev/exec", `{"command":""}`), 400, "command", "empty"},
		{post("/api/spaces/dev/exec", `{"command":"x","tty":true}`), 400, "tty", "exec/stream"},
		{request{path: "/api/spaces?all=maybe"}, 400, "all", "all"},
		{request{path: "/api/nothing"}, 404, "", "no such API path"},
		{request{path: "/api"}, 404, "", "no such API path"},
		{request{path: "/api/spaces/"}, 404, "", "no such API path"},
		{request{method: "DELETE", path: "/api/spaces/x%2F..%2Fdev"}, 404, "", "no such API path"},
		{request{path: "/api/spaces/nope"}, 404, "", "no such space: nope"},
		{request{method: "PUT", path: "/api/spaces"}, 405, "", "GET, HEAD, POST"},
		{request{path: "/api/spaces/dev/start"}, 405, "", "POST"},
		{request{path: "/api/spaces/dev/exec/stream"}, 400, "", "WebSocket"},
	} {
		got := b.call(t, tc.q)
		name := fmt.Sprintf("%s %s %.60s", tc.q.method, tc.q.path, tc.q.body)
		if !assert.Check(t, is.Equal(got.status, tc.status), name+": "+got.body) {
			continue
		}
		e := decodeError(t, got)
		assert.Check(t, is.Equal(e.Field, tc.field), name)
		assert.Check(t, is.Contains(e.Message, tc.says), name)
		assert.Check(t, tc.status != 404 || !strings.Contains(got.body, `"name"`), "the original's client greps for it: %s", got.body)
	}
	assert.Equal(t, b.spaces.seen(), "get(nope)")
}

func TestTheLargestBodyIsAccepted(t *testing.T) {
	b := newBench(t)
	body := `{"name":"` + strings.Repeat("x", maxBody-len(`{"name":""}`)) + `"}`
	assert.Equal(t, b.call(t, request{method: "POST", path: "/api/spaces", body: body}).status, 201)
}

func TestErrorsOfTheRulesKeepTheirKind(t *testing.T) {
	b := newBench(t)
	for _, tc := range []struct {
		err    error
		status int
		code   api.Code
	}{
		{api.Errorf(api.CodeSpaceExists, "taken"), 409, api.CodeSpaceExists},
		{fmt.Errorf("wrapped: %w", api.Invalid("memory", "no")), 400, api.CodeInvalid},
		{api.Errorf(api.CodeTooMany, "wait"), 429, api.CodeTooMany},
		{api.Errorf(api.CodeNetworkExhausted, "pools"), 503, api.CodeNetworkExhausted},
		{fmt.Errorf("x: %w", errdefs.ErrNotFound), 404, api.CodeSpaceNotFound},
		{fmt.Errorf("x: %w", errdefs.ErrConflict), 409, api.CodeConflict},
		{fmt.Errorf("x: %w", errdefs.ErrInvalidArgument), 400, api.CodeInvalid},
		{fmt.Errorf("dial secret.sock: %w", errdefs.ErrUnavailable), 503, api.CodeEngineUnavailable},
		{fmt.Errorf("secret disk: %w", errdefs.ErrResourceExhausted), 507, api.CodeNoSpace},
		{context.DeadlineExceeded, 504, api.CodeTimeout},
		{errors.New("secret detail"), 500, api.CodeInternal},
	} {
		b.spaces.failWith(tc.err)
		got := b.call(t, request{path: "/api/spaces/dev"})
		assert.Check(t, is.Equal(got.status, tc.status), got.body)
		assert.Check(t, is.Equal(decodeError(t, got).Code, tc.code))
		assert.Check(t, is.Equal(got.header.Get("Retry-After") != "", tc.status == 429), got.body)
		assert.Check(t, !strings.Contains(got.body, "secret"), got.body)
	}
	assert.Assert(t, is.Contains(b.log.String(), "secret detail"))
}

func TestEveryCodeHasAStatus(t *testing.T) {
	got := withStatus(&api.Error{Code: "new_code", Message: "x"})
	assert.Equal(t, got.Status, 500)
	for code, status := range statuses {
		assert.Check(t, is.Equal(withStatus(&api.Error{Code: code}).Status, status))
	}
}

func TestAPanicIsA500WithAnIDThatTheLogHas(t *testing.T) {
	b := newBench(t)
	b.spaces.create = func(context.Context, api.CreateRequest, space.CreateOptions) (api.Space, error) { panic("secret") }
	got := b.call(t, request{method: "POST", path: "/api/spaces", body: `{"name":"a"}`})
	assert.Equal(t, got.status, 500)
	e := decodeError(t, got)
	var id string
	_, err := fmt.Sscanf(e.Message, "internal error %12s", &id)
	assert.NilError(t, err, e.Message)
	assert.Assert(t, is.Contains(b.log.String(), "id="+id))
	assert.Assert(t, !strings.Contains(got.body, "secret"))
	assert.Equal(t, b.call(t, request{path: "/api/health"}).status, 200, "the daemon lives on")
}

func TestCreateTellsItsProgress(t *testing.T) {
	b := newBench(t)
	b.spaces.create = func(_ context.Context, req api.CreateRequest, opt space.CreateOptions) (api.Space, error) {
		opt.Progress(api.Progress{Status: "pulling", ID: "l1", Current: 1, Total: 2})
		if req.Name == "bad" {
			return api.Space{}, api.Errorf(api.CodeImageNotFound, "no <image>")
		}
		return api.Space{Name: req.Name}, nil
	}
	q := request{method: "POST", path: "/api/spaces", body: `{"name":"a"}`, header: map[string]string{"Accept": "application/x-ndjson, */*;q=0.1"}}
	got := b.call(t, q)
	assert.Equal(t, got.status, 200)
	assert.Equal(t, got.header.Get("Content-Type"), ndjson)
	lines := strings.Split(strings.TrimSpace(got.body), "\n")
	assert.Equal(t, len(lines), 2, got.body)
	assert.Equal(t, lines[0], `{"status":"pulling","id":"l1","current":1,"total":2}`)
	assert.Assert(t, is.Contains(lines[1], `{"space":{"name":"a"`))

	q.body = `{"name":"bad"}`
	lines = strings.Split(strings.TrimSpace(b.call(t, q).body), "\n")
	assert.Equal(t, lines[1], `{"failure":{"error":"no <image>","code":"image_not_found"}}`)
}

func TestAMutationOutlivesItsClient(t *testing.T) {
	b := newBench(t)
	entered, leave, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	b.spaces.create = func(ctx context.Context, req api.CreateRequest, opt space.CreateOptions) (api.Space, error) {
		close(entered)
		<-leave
		opt.Progress(api.Progress{Status: "nobody reads this"})
		ended <- ctx.Err()
		return api.Space{}, nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+"/api/spaces", strings.NewReader(`{"name":"a"}`))
	assert.NilError(t, err)
	r.Header.Set("Authorization", "Bearer key-admin")
	r.Header.Set("Accept", ndjson)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultTransport.RoundTrip(r)
	assert.NilError(t, err)
	<-entered
	cancel()
	_ = resp.Body.Close()
	close(leave)
	assert.NilError(t, <-ended)
}

func TestBufferedExec(t *testing.T) {
	b := newBench(t)
	reqs, input := make(chan api.ExecRequest, 2), make(chan []byte, 1)
	b.spaces.onExec(func(_ context.Context, q api.ExecRequest, s space.Streams) (space.Exit, error) {
		reqs <- q
		if s.Stdin != nil {
			b, _ := io.ReadAll(s.Stdin)
			input <- b
		}
		_, _ = s.Stdout.Write([]byte("out <b>\n "))
		_, _ = s.Stderr.Write([]byte{'e', 0xff, 'r'})
		return space.Exit{Code: intp(3)}, nil
	})
	got := b.call(t, request{
		method: "POST", path: "/api/spaces/dev/exec",
		body: `{"command":["a","b"],"env":{"K":"V"},"workdir":"/tmp","timeoutMs":5,"stdinBase64":"AP8="}`,
	})
	assert.Equal(t, got.status, 200, got.body)
	assert.Equal(t, got.body, `{"stdout":"out <b>\n ","stderr":"e`+"\uFFFD"+`r","exitCode":3,"stderrBase64":"`+
		base64.StdEncoding.EncodeToString([]byte{'e', 0xff, 'r'})+"\"}\n")
	assert.DeepEqual(t, <-reqs, api.ExecRequest{Command: api.Command{Argv: []string{"a", "b"}}, Env: map[string]string{"K": "V"}, Workdir: "/tmp", TimeoutMs: 5, Interactive: true})
	assert.DeepEqual(t, <-input, []byte{0, 255})
	assert.Equal(t, b.spaces.releases(), 1)

	b.call(t, request{method: "POST", path: "/api/spaces/dev/exec", body: `{"command":"x"}`})
	assert.Assert(t, !(<-reqs).Interactive, "without stdin a command reads end of file")
}

func TestBufferedOutputIsCapped(t *testing.T) {
	b := newBench(t)
	b.spaces.onExec(func(_ context.Context, _ api.ExecRequest, s space.Streams) (space.Exit, error) {
		for range 12 {
			n, err := s.Stdout.Write([]byte(strings.Repeat("é", 512<<10)))
			if n != 1<<20 || err != nil {
				return space.Exit{}, fmt.Errorf("the command would be stopped: %d, %w", n, err)
			}
		}
		return space.Exit{Code: intp(0)}, nil
	})
	got := b.call(t, request{method: "POST", path: "/api/spaces/dev/exec", body: `{"command":"yes"}`})
	var res api.ExecResult
	assert.NilError(t, json.Unmarshal([]byte(got.body), &res))
	assert.Equal(t, len(res.Stdout), captureLimit)
	assert.Assert(t, res.Truncated)
	assert.Equal(t, b.capture.left, captureTotal, "the shared budget is given back")
}

func TestAllCapturesTogetherAreBounded(t *testing.T) {
	b := budget{left: 10}
	one, two := &capture{total: &b}, &capture{total: &b}
	_, _ = one.Write([]byte("123456"))
	_, _ = two.Write([]byte("123456"))
	assert.Equal(t, one.buf.Len()+two.buf.Len(), 10)
	assert.Assert(t, !one.cut && two.cut)
}

func TestAnUnknownExitIsNeverZero(t *testing.T) {
	b := newBench(t)
	for _, tc := range []struct {
		exit   space.Exit
		status int
		body   string
	}{
		{space.Exit{}, 502, `"code":"exit_unknown"`},
		{space.Exit{Gone: true}, 502, `space_gone`},
		{space.Exit{TimedOut: true}, 200, `"exitCode":124,"timedOut":true`},
		{space.Exit{Code: intp(137), OOMKilled: true, Signal: "KILL"}, 200, `"exitCode":137,"signal":"KILL","oomKilled":true`},
	} {
		b.spaces.onExec(func(context.Context, api.ExecRequest, space.Streams) (space.Exit, error) { return tc.exit, nil })
		got := b.call(t, request{method: "POST", path: "/api/spaces/dev/exec", body: `{"command":"x"}`})
		assert.Check(t, is.Equal(got.status, tc.status), got.body)
		assert.Check(t, is.Contains(got.body, tc.body))
	}
}

func TestABufferedExecEndsWithItsClient(t *testing.T) {
	b := newBench(t)
	entered, ended := make(chan struct{}), make(chan error, 1)
	b.spaces.onExec(func(ctx context.Context, _ api.ExecRequest, _ space.Streams) (space.Exit, error) {
		close(entered)
		<-ctx.Done()
		ended <- ctx.Err()
		return space.Exit{}, ctx.Err()
	})
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+"/api/spaces/dev/exec", strings.NewReader(`{"command":"x"}`))
	assert.NilError(t, err)
	r.Header.Set("Authorization", "Bearer key-exec")
	r.Header.Set("Content-Type", "application/json")
	go func() { <-entered; cancel() }()
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		_ = resp.Body.Close()
	}
	assert.ErrorIs(t, err, context.Canceled)
	assert.ErrorIs(t, <-ended, context.Canceled)
}

func TestThePageAsksNothingOfOthers(t *testing.T) {
	b := newBench(t)
	got := b.call(t, request{path: "/", header: map[string]string{"Authorization": "", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}})
	assert.Equal(t, got.status, 200)
	assert.Assert(t, is.Contains(got.header.Get("Content-Type"), "text/html"))
	assert.Assert(t, is.Contains(got.header.Get("Content-Security-Policy"), "default-src 'none'"))
	assert.Assert(t, !strings.Contains(got.body, "https://"))
	for _, file := range []string{"/style.css", "/page.js"} {
		assert.Equal(t, b.call(t, request{path: file}).status, 200)
	}
	assert.Equal(t, b.call(t, request{path: "/nothing"}).status, 404)
	assert.Equal(t, b.call(t, request{path: "/", host: "evil.example"}).status, 403)
	assert.Equal(t, b.call(t, request{method: "POST", path: "/"}).status, 405)
}

func TestTheOpenAPIFileIsTheSameEveryTime(t *testing.T) {
	one, err := newBench(t).OpenAPI()
	assert.NilError(t, err)
	two, err := newBench(t).OpenAPI()
	assert.NilError(t, err)
	assert.Equal(t, string(one), string(two))
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]any
	}
	assert.NilError(t, json.Unmarshal(one, &doc))
	assert.Equal(t, doc.OpenAPI, "3.1.0")
	for pattern := range scopes {
		method, path, _ := strings.Cut(pattern, " ")
		if path == "/api/openapi.json" {
			continue
		}
		_, ok := doc.Paths[path][strings.ToLower(method)]
		assert.Check(t, ok, "%s is not described", pattern)
	}
	assert.Assert(t, !strings.Contains(string(one), "422"))
}
