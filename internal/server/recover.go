package server

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"runtime/debug"

	"github.com/docker-space/docker-space/internal/api"
)

// recovered turns a panic into a 500 with an id that the log has too. An
// answer that was begun can only be broken off.
func (s *Server) recovered(w *response, r *http.Request, v any) {
	if v == nil {
		return
	}
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v)
	}
	id := newID()
	s.log.ErrorContext(r.Context(), "panic in a request", "id", id, "panic", v,
		"method", r.Method, "path", r.URL.Path, "stack", string(debug.Stack()))
	switch {
	case w.hijacked:
	case w.status != 0:
		panic(http.ErrAbortHandler)
	default:
		writeError(w, api.Errorf(api.CodeInternal, "internal error %s: the daemon's log has the details under this id", id))
	}
}

func newID() string {
	b := make([]byte, 6)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
