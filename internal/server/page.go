package server

import (
	"net/http"

	"github.com/containerd/errdefs"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/web"
)

// pagePolicy lets the page load what lies beside it and nothing else.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func newPage() http.Handler { return http.FileServerFS(web.Files()) }

// servePage serves the dashboard's files, which hold no secret and so need no
// key.
func (s *Server) servePage(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
	if err := s.checkSource(r); err != nil {
		writeError(w, err)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		writeError(w, api.Errorf(api.CodeMethodNotAllowed, "the page can only be read: the API is under /api"))
		return
	}
	if key := takeQueryKey(r); key != "" && r.URL.Path == "/" {
		s.signIn(w, r, key)
		return
	}
	s.page.ServeHTTP(w, r)
}

// signIn exchanges the key of a page load for a cookie, so that it does not
// stay in the address bar and the history.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request, text string) {
	w.Header().Set("Cache-Control", "no-store")
	key, err := s.cfg.Keys.LookupKey(r.Context(), text)
	switch {
	case errdefs.IsNotFound(err):
		writeError(w, s.failedAuth(r, ViaKey))
		return
	case err != nil:
		writeError(w, s.public(r.Context(), err))
		return
	}
	http.SetCookie(w, s.sessionCookie(key, r.TLS != nil))
	target := "/"
	if r.URL.RawQuery != "" {
		target += "?" + r.URL.RawQuery
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
}
