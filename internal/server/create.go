package server

import (
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/space"
)

// A mutation goes on without its client, but not for ever. The rules have
// tighter bounds of their own; a create may pull an image.
const (
	changeTime = 5 * time.Minute
	createTime = time.Hour
)

func detached(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), limit)
}

const ndjson = "application/x-ndjson"

type createInput struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"a repeated request with the same key gets the first one's result"`
	Accept         string `header:"Accept" hidden:"true"`
	Body           api.CreateRequest
}

// streamed is an answer that its Body writes itself.
type streamed struct{ Body func(huma.Context) }

func (s *Server) createRoute() {
	op := operation("create-space", http.MethodPost, "", "Create a space; with Accept: application/x-ndjson progress is told line by line")
	registry := s.api.OpenAPI().Components.Schemas
	op.Responses = map[string]*huma.Response{
		"201": {Description: "Created", Content: map[string]*huma.MediaType{
			"application/json": {Schema: registry.Schema(reflect.TypeFor[api.SpaceBody](), true, "SpaceBody")},
		}},
		"200": {Description: "Progress, one JSON object per line; the last one carries space or failure", Content: map[string]*huma.MediaType{
			ndjson: {Schema: registry.Schema(reflect.TypeFor[api.Progress](), true, "Progress")},
		}},
	}
	op.DefaultStatus = http.StatusCreated
	add(s, op, s.createSpace)
}

func (s *Server) createSpace(ctx context.Context, in *createInput) (*streamed, error) {
	opt := space.CreateOptions{IdempotencyKey: in.IdempotencyKey}
	if wantsProgress(in.Accept) {
		return &streamed{func(hc huma.Context) { s.createWithProgress(hc, in.Body, opt) }}, nil
	}
	ctx, cancel := detached(ctx, createTime)
	defer cancel()
	sp, err := s.cfg.Spaces.Create(ctx, in.Body, opt)
	if err != nil {
		return nil, err
	}
	return &streamed{func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		writeJSON(w, http.StatusCreated, api.SpaceBody{Space: sp})
	}}, nil
}

func wantsProgress(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		if t, _, err := mime.ParseMediaType(part); err == nil && t == ndjson {
			return true
		}
	}
	return false
}

func (s *Server) createWithProgress(hc huma.Context, req api.CreateRequest, opt space.CreateOptions) {
	_, w := humago.Unwrap(hc)
	w.Header().Set("Content-Type", ndjson)
	w.WriteHeader(http.StatusOK)
	lines := &lineWriter{w: w, rc: http.NewResponseController(w)}
	defer lines.end()
	_ = lines.rc.Flush() // the client learns at once that the create has begun
	opt.Progress = func(p api.Progress) { lines.write(p) }
	ctx, cancel := detached(hc.Context(), createTime)
	defer cancel()
	sp, err := s.cfg.Spaces.Create(ctx, req, opt)
	if err != nil {
		lines.write(api.Progress{Err: s.public(ctx, err)})
		return
	}
	lines.write(api.Progress{Space: &sp})
}

// lineTime is how long a reader may stall before progress is no longer told to
// it; the create must not wait for its reader.
const lineTime = 10 * time.Second

// lineWriter writes JSON lines, each at once.
type lineWriter struct {
	mu   sync.Mutex
	w    http.ResponseWriter
	rc   *http.ResponseController
	over bool
}

func (l *lineWriter) write(v any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return
	}
	_ = l.rc.SetWriteDeadline(time.Now().Add(lineTime))
	enc := json.NewEncoder(l.w)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil || l.rc.Flush() != nil {
		l.over = true
	}
}

// end stops lines that come late from reaching a finished answer.
func (l *lineWriter) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	_ = l.rc.SetWriteDeadline(time.Time{})
}
