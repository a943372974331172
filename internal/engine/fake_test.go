package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"gotest.tools/v3/assert"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/space"
	"github.com/docker-space/docker-space/internal/spec"
)

// scripted gives a client of an engine that answers as told, for what a real
// one cannot be brought to.
func scripted(t *testing.T, answers map[string]http.HandlerFunc) *Client {
	t.Helper()
	path := filepath.Join(t.TempDir(), "engine.sock")
	l, err := net.Listen("unix", path)
	assert.NilError(t, err)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		if r.URL.Path == "/_ping" {
			return
		}
		answer, ok := answers[strings.TrimPrefix(r.URL.Path, "/v1.41")]
		if !ok {
			t.Errorf("unexpected call of %s", r.URL.Path)
			return
		}
		answer(w, r)
	}))
	srv.Listener = l
	srv.Start()
	c, err := New(t.Context(), Config{Host: "unix://" + path})
	assert.NilError(t, err)
	t.Cleanup(func() { _ = c.Close(); srv.Close() })
	return c
}

func failing(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"message":%q}`, text)
	}
}

func lines(lines ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, strings.Join(lines, "\n"))
	}
}

func TestPullProgress(t *testing.T) {
	c := scripted(t, map[string]http.HandlerFunc{"/images/create": lines(
		`{"status":"Pulling from library/debian","id":"bookworm"}`,
		`{"status":"Downloading","progressDetail":{"current":5,"total":10},"progress":"[=>]","id":"abc"}`,
		`{"status":"`+strings.Repeat("x", 5000)+`"}`,
	)})
	var got []space.Pull
	assert.NilError(t, c.Pull(t.Context(), "debian:bookworm", func(p space.Pull) { got = append(got, p) }))
	assert.Equal(t, len(got), 3)
	assert.DeepEqual(t, got[1], space.Pull{Layer: "abc", Status: "Downloading", Current: 5, Total: 10})
	assert.Assert(t, len(got[2].Status) < 600, "a registry's text is bounded")
}

func TestPullFailures(t *testing.T) {
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		kind   func(error) bool
		text   string
	}{
		"unreachable": {failing(500, "Get https://registry-1.docker.io/v2/: dial tcp: i/o timeout"), errdefs.IsNotFound, "docker pull debian"},
		"unknown":     {failing(404, "pull access denied for debian"), errdefs.IsNotFound, "docker pull debian"},
		"on the way":  {lines(`{"status":"Downloading"}`, `{"errorDetail":{"message":"unexpected EOF"}}`), errdefs.IsNotFound, "unexpected EOF"},
		"disk full":   {lines(`{"errorDetail":{"message":"write /x: no space left on device"}}`), errdefs.IsResourceExhausted, "disk is full"},
	} {
		t.Run(name, func(t *testing.T) {
			err := scripted(t, map[string]http.HandlerFunc{"/images/create": tc.answer}).Pull(t.Context(), "debian", nil)
			assert.Assert(t, tc.kind(err), "%v", err)
			assert.ErrorContains(t, err, tc.text)
		})
	}
}

func TestNetworkPoolsUsedUp(t *testing.T) {
	c := scripted(t, map[string]http.HandlerFunc{
		"/networks/docker-space": failing(404, "network docker-space not found"),
		"/networks/create":       failing(500, "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network"),
	})
	_, err := c.CreateContainer(t.Context(), onNetwork(testSpec("x"), spec.NetworkInternet), space.Creation{})
	var coded *api.Error
	assert.Assert(t, errdefs.IsResourceExhausted(err), "%v", err)
	assert.Assert(t, errors.As(err, &coded) && coded.Code == api.CodeNetworkExhausted)
	assert.ErrorContains(t, err, "docker network prune")
}

func TestMeasuringWaitsForAnotherMeasurement(t *testing.T) {
	asked := 0
	c := scripted(t, map[string]http.HandlerFunc{
		"/volumes/space-v": lines(`{"Name":"space-v","Labels":{"` + LabelInstance + `":"default","` + LabelName + `":"v"}}`),
		"/system/df": func(w http.ResponseWriter, r *http.Request) {
			if asked++; asked == 1 {
				failing(500, "a disk usage operation is already running")(w, r)
				return
			}
			fmt.Fprint(w, `{"Volumes":[{"Name":"other","UsageData":{"Size":1}},{"Name":"space-v","UsageData":{"Size":77}}]}`)
		},
	})
	size, err := c.VolumeSize(t.Context(), "v")
	assert.NilError(t, err)
	assert.Equal(t, size, int64(77))
}

func TestWatchEndsWithTheStream(t *testing.T) {
	c := scripted(t, map[string]http.HandlerFunc{"/events": lines(
		`{"Type":"container","Action":"start","Actor":{"ID":"abc","Attributes":{"` + LabelName + `":"dev"}}}`,
	)})
	var order []string
	err := c.Watch(t.Context(), func() { order = append(order, "ready") }, func(e space.Event) {
		order = append(order, e.Action+" "+e.Space+" "+e.Container)
	})
	assert.Assert(t, errdefs.IsUnavailable(err), "%v", err)
	assert.DeepEqual(t, order, []string{"ready", "start dev abc"})
}

func TestWatchThatIsRefusedIsNeverReady(t *testing.T) {
	c := scripted(t, map[string]http.HandlerFunc{"/events": failing(500, "no")})
	err := c.Watch(t.Context(), func() { t.Error("ready") }, func(space.Event) {})
	assert.ErrorContains(t, err, "no")
}

func TestLateContextIsTheCallers(t *testing.T) {
	held := make(chan struct{})
	c := scripted(t, map[string]http.HandlerFunc{"/info": func(_ http.ResponseWriter, r *http.Request) {
		close(held)
		<-r.Context().Done()
	}})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-held; cancel() }()
	_, err := c.Info(ctx)
	assert.ErrorIs(t, err, context.Canceled)
	assert.Assert(t, !errdefs.IsUnavailable(err))
}
