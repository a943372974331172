package link

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"gotest.tools/v3/assert"

	"github.com/docker-space/docker-space/internal/guest/wire"
)

func request(t *testing.T, ctx context.Context, method, path string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, path, http.NoBody)
	assert.NilError(t, err)
	return r
}

func TestTheGuestAnswersHTTP(t *testing.T) {
	p := newPool(t, newGuest(t))
	resp, err := p.Do(t.Context(), "c", request(t, t.Context(), http.MethodGet, wire.HelloPath))
	assert.NilError(t, err)
	defer resp.Body.Close()
	var h wire.Hello
	assert.NilError(t, json.NewDecoder(resp.Body).Decode(&h))
	assert.Equal(t, h.Protocol, wire.Protocol)
}

func TestAnUpgradedAnswerIsTheStream(t *testing.T) {
	p := newPool(t, newGuest(t))
	r := request(t, t.Context(), http.MethodPost, wire.ExecPath)
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", wire.Upgrade)
	resp, err := p.Do(t.Context(), "c", r)
	assert.NilError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, resp.StatusCode, http.StatusSwitchingProtocols)
	conn, ok := resp.Body.(io.ReadWriteCloser)
	assert.Assert(t, ok)
	assert.NilError(t, wire.WriteJSON(conn, wire.Request, wire.Exec{Argv: []string{"true"}}))
	f, err := wire.NewReader(conn).Read()
	assert.NilError(t, err)
	assert.Equal(t, f.Type, wire.Started)
}

func TestARequestOfAFrozenGuestEndsWithItsCaller(t *testing.T) {
	g := newGuest(t)
	p := newPool(t, g)
	resp, err := p.Do(t.Context(), "c", request(t, t.Context(), http.MethodGet, wire.HelloPath))
	assert.NilError(t, err)
	assert.NilError(t, resp.Body.Close())
	g.freeze(true)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		resp, err := p.Do(ctx, "c", request(t, ctx, http.MethodGet, wire.HelloPath))
		if err == nil {
			_ = resp.Body.Close()
		}
		failed <- err
	}()
	cancel()
	assert.ErrorIs(t, <-failed, context.Canceled)
	g.freeze(false)
	resp, err = p.Do(t.Context(), "c", request(t, t.Context(), http.MethodGet, wire.HelloPath))
	assert.NilError(t, err)
	assert.NilError(t, resp.Body.Close())
}
