package server

import (
	"io"
	"net/http"
	"time"
)

// Limits of a request's body, in bytes.
const (
	maxBody     = 1 << 20
	maxExecBody = 16 << 20
)

// bodyTime bounds how long a body may take to come.
const bodyTime = 2 * time.Minute

// guardBody gives the reading of a body a deadline of its own. A server-wide
// one would also end long answers: net/http watches the connection while a
// handler works.
func guardBody(w http.ResponseWriter, r *http.Request) {
	if r.Body == nil || r.Body == http.NoBody {
		return
	}
	r.Body = &timedBody{ReadCloser: r.Body, rc: http.NewResponseController(w)}
}

type timedBody struct {
	io.ReadCloser
	rc      *http.ResponseController
	started bool
}

func (b *timedBody) Read(p []byte) (int, error) {
	if !b.started {
		b.started = true
		_ = b.rc.SetReadDeadline(time.Now().Add(bodyTime))
	}
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		_ = b.rc.SetReadDeadline(time.Time{})
	}
	return n, err
}
