package agent

import (
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/hashicorp/yamux"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/guest/wire"
)

// httpServer speaks HTTP on the streams of every session.
type httpServer struct {
	srv  *http.Server
	mu   sync.Mutex
	open map[*yamux.Session]struct{}
	wg   sync.WaitGroup
}

func newHTTPServer(a *Agent) *httpServer {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+wire.HelloPath, hello)
	mux.HandleFunc("POST "+wire.ExecPath, a.upgrade)
	// No timeouts: the space may be frozen between any two bytes.
	return &httpServer{
		srv:  &http.Server{Handler: mux, MaxHeaderBytes: 16 << 10, ErrorLog: log.New(io.Discard, "", 0)},
		open: map[*yamux.Session]struct{}{},
	}
}

// serve makes conn a session and answers its streams until it breaks.
func (h *httpServer) serve(conn net.Conn) {
	session, err := yamux.Server(conn, wire.Mux())
	if err != nil {
		_ = conn.Close()
		return
	}
	h.mu.Lock()
	h.open[session] = struct{}{}
	h.mu.Unlock()
	h.wg.Go(func() {
		_ = h.srv.Serve(session)
		_ = session.Close()
		h.mu.Lock()
		delete(h.open, session)
		h.mu.Unlock()
	})
}

// close breaks every session and waits until none is served.
func (h *httpServer) close() {
	h.mu.Lock()
	for session := range h.open {
		_ = session.Close()
	}
	h.mu.Unlock()
	_ = h.srv.Close()
	h.wg.Wait()
}

func hello(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(wire.Hello{Protocol: wire.Protocol, Version: api.Version})
}

const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + wire.Upgrade + "\r\n\r\n"

// upgrade turns the stream into the frames of one command.
func (a *Agent) upgrade(w http.ResponseWriter, r *http.Request) {
	if !strings.EqualFold(r.Header.Get("Upgrade"), wire.Upgrade) {
		w.Header().Set("Upgrade", wire.Upgrade)
		http.Error(w, "this route needs Upgrade: "+wire.Upgrade, http.StatusUpgradeRequired)
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "cannot take over the stream: "+err.Error(), http.StatusInternalServerError)
		return
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, switching); err != nil {
		return
	}
	a.ServeExec(stream{buffered.Reader, conn, conn}, RunOn)
}

// stream is a hijacked stream: what the HTTP server had read ahead comes first.
type stream struct {
	io.Reader
	io.Writer
	io.Closer
}
