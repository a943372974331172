package server

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/user"
	"strings"
	"testing"
	"time"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/docker-space/docker-space/internal/api"
)

func TestHostOriginAndKeyAreCheckedInThisOrder(t *testing.T) {
	b := newBench(t)
	_, port, err := net.SplitHostPort(b.addr)
	assert.NilError(t, err)
	name, err := os.Hostname()
	assert.NilError(t, err)
	type h = map[string]string
	for name, tc := range map[string]struct {
		host, key string
		header    h
		code      api.Code
	}{
		"loopback address":               {key: "key-read"},
		"localhost":                      {host: "localhost:" + port, key: "key-read"},
		"localhost in capitals with dot": {host: "LOCALHOST.:" + port, key: "key-read"},
		"IPv6 loopback":                  {host: "[::1]:" + port, key: "key-read"},
		"this machine's name":            {host: name + ":" + port, key: "key-read"},
		"allowed host":                   {host: "box.example", key: "key-read"},
		"foreign host":                   {host: "evil.example:" + port, key: "key-read", code: api.CodeHostNotAllowed},
		"foreign address":                {host: "10.1.2.3:" + port, key: "key-read", code: api.CodeHostNotAllowed},
		"host that contains localhost":   {host: "localhost.evil.example", key: "key-read", code: api.CodeHostNotAllowed},
		"foreign host without key":       {host: "evil.example", code: api.CodeHostNotAllowed},
		"same origin":                    {host: "localhost:" + port, key: "key-read", header: h{"Origin": "http://localhost:" + port}},
		"same origin behind TLS":         {host: "box.example", key: "key-read", header: h{"Origin": "https://box.example"}},
		"listed origin":                  {key: "key-read", header: h{"Origin": "http://localhost:5173", "Sec-Fetch-Site": "cross-site"}},
		"foreign origin":                 {key: "key-read", header: h{"Origin": "https://evil.example"}, code: api.CodeOriginNotAllowed},
		"same name, other port":          {key: "key-read", header: h{"Origin": "http://127.0.0.1:1"}, code: api.CodeOriginNotAllowed},
		"null origin":                    {key: "key-read", header: h{"Origin": "null"}, code: api.CodeOriginNotAllowed},
		"foreign origin without key":     {header: h{"Origin": "https://evil.example"}, code: api.CodeOriginNotAllowed},
		"cross-site without origin":      {key: "key-read", header: h{"Sec-Fetch-Site": "cross-site"}, code: api.CodeOriginNotAllowed},
		"cross-site navigation to API":   {key: "key-read", header: h{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, code: api.CodeOriginNotAllowed},
		"same-site":                      {key: "key-read", header: h{"Sec-Fetch-Site": "same-site"}, code: api.CodeOriginNotAllowed},
		"same-origin fetch":              {key: "key-read", header: h{"Sec-Fetch-Site": "same-origin"}},
		"typed address":                  {key: "key-read", header: h{"Sec-Fetch-Site": "none"}},
		"no key":                         {code: api.CodeUnauthenticated},
		"wrong key":                      {key: "key-wrong", code: api.CodeUnauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			auth := ""
			if tc.key != "" {
				auth = "Bearer " + tc.key
			}
			q := request{path: "/api/spaces", host: tc.host, header: h{"Authorization": auth}}
			for k, v := range tc.header {
				q.header[k] = v
			}
			got := b.call(t, q)
			if tc.code == "" {
				assert.Equal(t, got.status, 200, got.body)
				return
			}
			assert.Equal(t, got.status, statuses[tc.code], got.body)
			assert.Equal(t, decodeError(t, got).Code, tc.code)
		})
	}
	assert.Assert(t, !strings.Contains(b.spaces.seen(), "get"), "nothing else was looked up")
}

func decodeError(t *testing.T, r reply) api.Error {
	t.Helper()
	var e api.Error
	assert.Equal(t, r.header.Get("Content-Type"), "application/json")
	assert.NilError(t, json.Unmarshal([]byte(r.body), &e), r.body)
	assert.Assert(t, e.Message != "" && e.Code != "", r.body)
	return e
}

func TestRefusedRequestsLookNothingUp(t *testing.T) {
	b := newBench(t)
	b.call(t, request{path: "/api/spaces/dev", host: "evil.example"})
	b.call(t, request{path: "/api/spaces/dev", header: map[string]string{"Origin": "null"}})
	assert.Equal(t, b.keys.lookups, 0)
	b.call(t, request{path: "/api/spaces/dev", header: map[string]string{"Authorization": "Bearer no"}})
	b.call(t, request{method: "DELETE", path: "/api/spaces/dev", header: map[string]string{"Authorization": "Bearer key-exec"}})
	assert.Equal(t, b.spaces.seen(), "")
}

func TestEveryRouteAsksForItsScope(t *testing.T) {
	b := newBench(t)
	for pattern, need := range scopes {
		method, path, _ := strings.Cut(pattern, " ")
		path = strings.ReplaceAll(path, "{name}", "dev")
		for _, have := range []Scope{Public, Read, Exec, Admin} {
			auth := "Bearer key-" + have.String()
			if have == Public {
				auth = ""
			}
			got := b.call(t, request{method: method, path: path, header: map[string]string{"Authorization": auth}})
			msg := fmt.Sprintf("%s with scope %s: %d %s", pattern, have, got.status, got.body)
			switch {
			case have >= need:
				assert.Check(t, got.status != 401 && got.status != 403, msg)
			case have == Public:
				assert.Check(t, is.Equal(got.status, 401), msg)
			default:
				assert.Check(t, is.Equal(got.status, 403), msg)
				assert.Check(t, is.Contains(got.body, "scope "+need.String()), msg)
			}
		}
	}
}

func TestARouteWithoutAScopeDoesNotStart(t *testing.T) {
	assert.ErrorContains(t, checkScopes([]string{"GET /api/secret"}), "no declared scope")
	assert.ErrorContains(t, checkScopes([]string{"GET /api/health"}), "which is no route")
}

func TestTheSocketNeedsNoKeyAndKnowsItsPeer(t *testing.T) {
	b := newBench(t)
	assert.Equal(t, b.callUnix(t, request{path: "/api/spaces"}).status, 200)
	assert.Equal(t, b.callUnix(t, request{path: "/api/spaces", host: "anything.example"}).status, 200)
	for _, origin := range []string{"http://evil.example", "null"} {
		got := b.callUnix(t, request{path: "/api/spaces", header: map[string]string{"Origin": origin}})
		assert.Equal(t, got.status, 403, got.body)
	}
	rebound := b.callUnix(t, request{path: "/api/spaces", host: "evil.example", header: map[string]string{"Origin": "http://evil.example"}})
	assert.Equal(t, rebound.status, 403, "a browser behind a proxy is held to the host names")
}

func TestAPeerIsALoginNameOrANumber(t *testing.T) {
	me, err := user.Current()
	assert.NilError(t, err)
	var uid uint32
	_, err = fmt.Sscan(me.Uid, &uid)
	assert.NilError(t, err)
	assert.DeepEqual(t, localActor(uid), Actor{Name: me.Username, Via: ViaSocket})
	assert.DeepEqual(t, localActor(3999999999), Actor{Name: "uid:3999999999", Via: ViaSocket})
}

func TestTheKeyInTheQueryWorksAndIsNotLogged(t *testing.T) {
	b := newBench(t)
	assert.Equal(t, b.call(t, request{path: "/api/spaces?all=true&key=key-read"}).status, 200)
	assert.Equal(t, b.spaces.seen(), "list(true)")
	assert.Equal(t, b.call(t, request{path: "/api/spaces?key=key-wrong"}).status, 401)
	assert.Equal(t, b.call(t, request{path: "/?key=key-wrong"}).status, 401)
	assert.Assert(t, !strings.Contains(b.log.String(), "key-"), b.log.String())
	assert.Assert(t, is.Contains(b.log.String(), "path=/api/spaces"))
}

func TestAPageLoadExchangesTheKeyForACookie(t *testing.T) {
	b := newBench(t)
	got := b.call(t, request{path: "/?tab=1&key=key-exec"})
	assert.Equal(t, got.status, http.StatusSeeOther)
	assert.Equal(t, got.header.Get("Location"), "/?tab=1")
	set := got.header.Get("Set-Cookie")
	assert.Assert(t, strings.Contains(set, "HttpOnly") && strings.Contains(set, "SameSite=Strict"), set)
	assert.Assert(t, !strings.Contains(set, "key-exec"), "the cookie is not the key: %s", set)
	cookie, _, _ := strings.Cut(set, ";")

	with := func(c string) int {
		return b.call(t, request{path: "/api/spaces", header: map[string]string{"Authorization": "", "Cookie": c}}).status
	}
	assert.Equal(t, with(cookie), 200)
	assert.Equal(t, with(cookie+"x"), 401, "forged")
	assert.Equal(t, with(strings.Replace(cookie, "id-exec", "id-admin", 1)), 401, "of another key")
	b.keys.revoke("id-exec")
	assert.Equal(t, with(cookie), 401, "of a revoked key")
}

func TestAFloodOfOneAddressGets429(t *testing.T) {
	b := newBench(t)
	b.perAddress = newLimiter(0.001, 3)
	for range 3 {
		assert.Equal(t, b.call(t, request{path: "/api/health"}).status, 200)
	}
	got := b.call(t, request{path: "/api/health"})
	assert.Equal(t, got.status, 429)
	assert.Assert(t, got.header.Get("Retry-After") != "")
	assert.Equal(t, decodeError(t, got).Code, api.CodeTooMany)
	assert.Equal(t, b.callUnix(t, request{path: "/api/spaces"}).status, 200, "the socket is not an address")
}

func TestBadKeysAreLimitedAndGoodOnesStillWork(t *testing.T) {
	b := newBench(t)
	b.failures = newLimiter(0.001, 3)
	bad := request{path: "/api/spaces", header: map[string]string{"Authorization": "Bearer guess"}}
	for range 3 {
		assert.Equal(t, b.call(t, bad).status, 401)
	}
	assert.Equal(t, b.call(t, bad).status, 429)
	assert.Equal(t, b.call(t, request{path: "/api/spaces"}).status, 200)
}

func TestAKeyHasARateOfItsOwn(t *testing.T) {
	b := newBench(t)
	b.perKey = newLimiter(0.001, 1)
	assert.Equal(t, b.call(t, request{path: "/api/spaces"}).status, 200)
	assert.Equal(t, b.call(t, request{path: "/api/spaces"}).status, 429)
	assert.Equal(t, b.call(t, request{path: "/api/spaces", header: map[string]string{"Authorization": "Bearer key-read"}}).status, 200)
}

func TestTheLimiterIsBounded(t *testing.T) {
	l := newLimiter(1, 1)
	for i := range 5 * limiterKeys {
		l.allow(fmt.Sprint(i))
	}
	assert.Assert(t, len(l.young)+len(l.old) <= 2*limiterKeys)
}

func TestDrippedHeadersAreCutOff(t *testing.T) {
	b := newBench(t)
	assert.Equal(t, b.HTTP().ReadHeaderTimeout, 10*time.Second)
	assert.Equal(t, b.HTTP().WriteTimeout, time.Duration(0), "streams have no end")
	srv := b.HTTP()
	srv.ReadHeaderTimeout = 50 * time.Millisecond
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	assert.NilError(t, err)
	go func() { _ = srv.Serve(l) }()
	defer func() { _ = srv.Close() }()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
	assert.NilError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = conn.Write([]byte("GET /api/health HTTP/1.1\r\nHost: local"))
	assert.NilError(t, err)
	assert.NilError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, err = bufio.NewReader(conn).ReadString(0)
	assert.ErrorContains(t, err, "EOF")
}

func TestWithoutAuthEveryoneIsAdminButHostsStillCount(t *testing.T) {
	b := newBench(t, func(c *Config) { c.AuthDisabled = true })
	none := map[string]string{"Authorization": ""}
	assert.Equal(t, b.call(t, request{method: "DELETE", path: "/api/spaces/dev", header: none}).status, 200)
	assert.Equal(t, b.call(t, request{path: "/api/spaces", host: "evil.example", header: none}).status, 403)
}
