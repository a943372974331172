package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Config wires a Server.
type Config struct {
	Spaces Spaces
	System System
	Keys   Keys
	Logger *slog.Logger

	// NodeID names the cookie; SessionSecret signs it.
	NodeID        string
	SessionSecret []byte
	// AllowedHosts are names and addresses under which this daemon may be asked,
	// beside localhost, loopback, the connection's own address and the host name.
	AllowedHosts []string
	// AllowedOrigins are page origins ("http://localhost:5173") beside our own.
	AllowedOrigins []string
	// AuthDisabled lets everyone in who can connect, as admin.
	AuthDisabled bool
}

// Server answers the API and the page.
type Server struct {
	cfg   Config
	log   *slog.Logger
	hosts map[string]bool
	pace  pace

	mux    *http.ServeMux
	routes []string
	api    huma.API

	perAddress, perKey, failures *limiter
	capture                      budget
	sockets                      sockets
	page                         http.Handler
}

// New makes a Server. It fails when a route and its scope do not match.
func New(cfg Config) (*Server, error) {
	if len(cfg.SessionSecret) < 16 {
		return nil, errors.New("server: the session secret is too short")
	}
	s := &Server{
		cfg: cfg, log: cfg.Logger, hosts: ownHosts(cfg.AllowedHosts), pace: defaultPace,
		mux:        http.NewServeMux(),
		perAddress: newLimiter(addressRate, addressBurst),
		perKey:     newLimiter(keyRate, keyBurst),
		failures:   newLimiter(failureRate, failureBurst),
		capture:    budget{left: captureTotal},
		page:       newPage(),
	}
	s.describe()
	s.systemRoutes()
	s.spaceRoutes()
	s.execRoutes()
	return s, checkScopes(s.routes)
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := &response{ResponseWriter: w}
	start, method, path := time.Now(), r.Method, r.URL.Path
	defer func() {
		s.recovered(rec, r, recover())
		s.log.DebugContext(r.Context(), "request", "method", method, "path", path, "status", rec.status, "took", time.Since(start))
		if !rec.hijacked {
			// A body that the handler left unread must not hold the connection.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(5 * time.Second))
		}
	}()
	rec.Header().Set("X-Content-Type-Options", "nosniff")
	if isAPI(r.URL.Path) {
		s.serveAPI(rec, r)
		return
	}
	s.servePage(rec, r)
}

// HTTP gives the http.Server for any number of listeners. It has no write
// timeout: streams may last for days, and each has deadlines of its own.
func (s *Server) HTTP() *http.Server {
	return &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		ConnContext:       connContext,
		BaseContext:       func(net.Listener) context.Context { return context.Background() },
	}
}
