package server

import (
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"

	"github.com/docker-space/docker-space/internal/api"
)

// checkHost refuses names that are not ours: a page on a hostile name that
// resolves to this machine (DNS rebinding) sends its own name.
func (s *Server) checkHost(r *http.Request) *api.Error {
	if s.hostAllowed(r) {
		return nil
	}
	return api.Errorf(api.CodeHostNotAllowed, "host %q is not one of this daemon's: use localhost or this machine's address, or add it to SPACED_ALLOWED_HOSTS", clip(r.Host))
}

func (s *Server) hostAllowed(r *http.Request) bool {
	host := hostOnly(r.Host)
	if host == "" {
		return false
	}
	if host == "localhost" || s.hosts[host] {
		return true
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	ip = ip.Unmap().WithZone("")
	return ip.IsLoopback() || ip == localIP(r)
}

// localIP is the address the connection came in on.
func localIP(r *http.Request) netip.Addr {
	addr, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if addr == nil {
		return netip.Addr{}
	}
	ap, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

// hostOnly gives the host of "host:port" in one spelling.
func hostOnly(hostport string) string {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

func ownHosts(allowed []string) map[string]bool {
	set := map[string]bool{}
	if name, err := os.Hostname(); err == nil {
		set[hostOnly(name)] = true
	}
	for _, n := range allowed {
		set[hostOnly(strings.TrimSpace(n))] = true
	}
	return set
}

// clip keeps an error readable when what the client sent is huge.
func clip(s string) string { return s[:min(len(s), 80)] }
