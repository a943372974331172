package server

import (
	"net/http"
	"strings"

	"github.com/containerd/errdefs"

	"github.com/docker-space/docker-space/internal/api"
)

// authenticate finds out who asks. The key in use is removed from the request,
// so that nothing later can log it or hand it on.
func (s *Server) authenticate(r *http.Request) (caller, *api.Error) {
	if p := peerFrom(r.Context()); p != nil {
		if !p.known {
			return caller{}, api.Errorf(api.CodeUnauthenticated, "the kernel does not say who is at the other end of the socket")
		}
		return caller{Actor: localActor(p.uid), scope: Admin}, nil
	}
	if s.cfg.AuthDisabled {
		takeQueryKey(r)
		return caller{Actor: Actor{Name: "anonymous", Via: ViaOpen}, scope: Admin}, nil
	}
	key, via, err := s.presentedKey(r)
	switch {
	case errdefs.IsNotFound(err):
		return caller{}, s.failedAuth(r, via)
	case err != nil:
		return caller{}, s.public(r.Context(), err)
	}
	return caller{Actor: Actor{Name: key.Name, Via: via}, keyID: key.ID, scope: key.Scope}, nil
}

// presentedKey takes the header before the query, and both before the cookie,
// which the browser sends unasked.
func (s *Server) presentedKey(r *http.Request) (Key, string, error) {
	query := takeQueryKey(r)
	if h := r.Header.Get("Authorization"); h != "" {
		r.Header.Del("Authorization")
		scheme, text, _ := strings.Cut(h, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return Key{}, ViaKey, errSession
		}
		k, err := s.cfg.Keys.LookupKey(r.Context(), strings.TrimSpace(text))
		return k, ViaKey, err
	}
	if query != "" {
		k, err := s.cfg.Keys.LookupKey(r.Context(), query)
		return k, ViaKey, err
	}
	if c, err := r.Cookie(s.cfg.cookieName()); err == nil {
		k, err := s.sessionKey(r.Context(), c.Value)
		return k, ViaCookie, err
	}
	return Key{}, "", errSession
}

// takeQueryKey removes ?key= from the URL and gives its value.
func takeQueryKey(r *http.Request) string {
	if !strings.Contains(r.URL.RawQuery, "key=") {
		return ""
	}
	q := r.URL.Query()
	key := q.Get("key")
	q.Del("key")
	r.URL.RawQuery, r.RequestURI = q.Encode(), r.URL.Path
	return key
}

// failedAuth counts what a guesser costs; a valid key is never refused for it.
func (s *Server) failedAuth(r *http.Request, via string) *api.Error {
	if wait, ok := s.failures.allow(address(r)); !ok {
		return tooMany(wait, "too many requests with a wrong key or none from your address")
	}
	switch via {
	case "":
		return api.Errorf(api.CodeUnauthenticated, "an API key is needed: send Authorization: Bearer KEY (the first one is in the daemon's admin.key; more: spaced key create NAME)")
	case ViaCookie:
		return api.Errorf(api.CodeUnauthenticated, "the session has ended: open the dashboard with ?key=KEY again")
	}
	return api.Errorf(api.CodeUnauthenticated, "the API key is unknown or revoked: spaced key ls shows the valid ones")
}
