package server

import (
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/docker-space/docker-space/internal/api"
)

func isAPI(p string) bool { return p == "/api" || strings.HasPrefix(p, "/api/") }

// serveAPI runs the checks and then the route.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	_, pattern := s.mux.Handler(r)
	r, err := s.admit(r, pattern)
	if err != nil {
		writeError(w, err)
		return
	}
	switch {
	case pattern == "":
		s.unrouted(w, r)
		return
	case path.Clean(r.URL.Path) != r.URL.Path:
		writeError(w, noSuchPath(r))
		return
	}
	guardBody(w, r)
	s.mux.ServeHTTP(w, r)
}

// admit runs every check in its order and gives the request its caller. An
// unknown route needs a key like any other, so that it tells nothing.
func (s *Server) admit(r *http.Request, pattern string) (*http.Request, *api.Error) {
	if err := s.checkSource(r); err != nil {
		return r, err
	}
	need := Read
	if pattern != "" {
		need = scopes[pattern]
	}
	if need == Public {
		takeQueryKey(r)
		return r, nil
	}
	who, err := s.authenticate(r)
	if err != nil {
		return r, err
	}
	if who.scope < need {
		return r, api.Errorf(api.CodeForbidden, "this needs a key of scope %s; the key %q has scope %s", need, who.Name, who.scope)
	}
	if who.keyID != "" {
		if wait, ok := s.perKey.allow(who.keyID); !ok {
			return r, tooMany(wait, fmt.Sprintf("too many requests with the key %q", who.Name))
		}
	}
	return r.WithContext(withCaller(r.Context(), who)), nil
}

// checkSource tells where a request may come from. On the unix socket the
// kernel vouches for the peer, unless a browser speaks through it.
func (s *Server) checkSource(r *http.Request) *api.Error {
	local := peerFrom(r.Context()) != nil
	if !local || r.Header.Get("Origin") != "" {
		if err := s.checkHost(r); err != nil {
			return err
		}
		if err := s.checkOrigin(r); err != nil {
			return err
		}
	}
	if local {
		return nil
	}
	if wait, ok := s.perAddress.allow(address(r)); !ok {
		return tooMany(wait, "too many requests from your address")
	}
	return nil
}

func tooMany(wait time.Duration, what string) *api.Error {
	return api.Errorf(api.CodeTooMany, "%s: try again in %s", what, max(wait, time.Second).Round(time.Second))
}

// unrouted answers paths that are not ours with 404, and ours with a wrong
// method with 405, as the mux found it.
func (s *Server) unrouted(w http.ResponseWriter, r *http.Request) {
	probe := &response{ResponseWriter: discard{http.Header{}}}
	s.mux.ServeHTTP(probe, r)
	if allow := probe.Header().Get("Allow"); probe.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", allow)
		writeError(w, api.Errorf(api.CodeMethodNotAllowed, "%s is not possible on %s: use %s", clip(r.Method), clip(r.URL.Path), allow))
		return
	}
	writeError(w, noSuchPath(r))
}

func noSuchPath(r *http.Request) *api.Error {
	return api.Errorf(api.CodeNotFound, "no such API path: %s (see /api/openapi.json)", clip(r.URL.Path))
}

// discard swallows the mux's own text answer.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}
