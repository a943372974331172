package server

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/docker-space/docker-space/internal/api"
)

// checkOrigin refuses what a page of another site caused, whatever the method:
// WebSocket upgrades are GETs, and cookies go with all of them.
func (s *Server) checkOrigin(r *http.Request) *api.Error {
	origins := r.Header.Values("Origin")
	listed := len(origins) == 1 && slices.Contains(s.cfg.AllowedOrigins, origins[0])
	if len(origins) > 0 && !listed && (len(origins) > 1 || !sameOrigin(origins[0], r.Host)) {
		return api.Errorf(api.CodeOriginNotAllowed, "requests from pages of origin %q are not allowed: add it to SPACED_ALLOWED_ORIGINS if it is yours", clip(origins[0]))
	}
	switch site := r.Header.Get("Sec-Fetch-Site"); {
	case site == "", site == "none", site == "same-origin", listed, isNavigation(r):
		return nil
	default:
		return api.Errorf(api.CodeOriginNotAllowed, "requests from pages of other sites (Sec-Fetch-Site: %s) are not allowed", clip(site))
	}
}

// isNavigation is a person following a link to the dashboard, which is the
// same public page for everybody.
func isNavigation(r *http.Request) bool {
	return !isAPI(r.URL.Path) && (r.Method == http.MethodGet || r.Method == http.MethodHead) &&
		r.Header.Get("Sec-Fetch-Mode") == "navigate"
}

// sameOrigin compares an Origin with the Host, whose name was checked before.
// The scheme may differ: a proxy in front may end TLS.
func sameOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	port := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
	if port == "" {
		return false
	}
	return strings.EqualFold(strings.TrimSuffix(u.Host, port), strings.TrimSuffix(host, port))
}
