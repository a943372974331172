package server

import (
	"bufio"
	"encoding/json"
	"errors"
	"net"
	"net/http"

	"github.com/docker-space/docker-space/internal/api"
)

// response remembers what became of an answer.
type response struct {
	http.ResponseWriter
	status   int
	hijacked bool
}

func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *response) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	// Here, because not all errors are written by us.
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Hijack hands the connection to a WebSocket.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	h, ok := w.ResponseWriter.(http.Hijacker)
	if !ok {
		return nil, nil, errors.New("this connection cannot become a WebSocket")
	}
	w.hijacked, w.status = true, http.StatusSwitchingProtocols
	return h.Hijack()
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(body) // the client is gone when this fails
}

func writeError(w http.ResponseWriter, e *api.Error) {
	e = withStatus(e)
	if e.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	writeJSON(w, e.Status, e)
}
