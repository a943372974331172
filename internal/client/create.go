package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/docker-space/docker-space/internal/api"
)

const ndjson = "application/x-ndjson"

// Create makes a space and calls progress, which may be nil, for each step. A
// request sent again with the same key gets the first one's result.
func (c *Client) Create(ctx context.Context, req api.CreateRequest, idempotencyKey string, progress func(api.Progress)) (api.Space, error) {
	ctx, cancel := context.WithTimeout(ctx, createTimeout)
	defer cancel()
	header := http.Header{"Accept": {ndjson}}
	if idempotencyKey != "" {
		header.Set("Idempotency-Key", idempotencyKey)
	}
	resp, err := c.send(ctx, http.MethodPost, "/api/spaces", req, header)
	if err != nil {
		return api.Space{}, err
	}
	defer resp.Body.Close()
	if progress == nil {
		progress = func(api.Progress) {}
	}
	s, err := readCreated(resp, progress)
	if ctx.Err() != nil {
		err = c.unreachable(ctx, err)
	}
	return s, err
}

// readCreated takes progress lines, or the plain answer that a request whose
// key was used before may get.
func readCreated(resp *http.Response, progress func(api.Progress)) (api.Space, error) {
	dec := json.NewDecoder(io.LimitReader(resp.Body, maxBody))
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), ndjson) {
		var b api.SpaceBody
		if err := dec.Decode(&b); err != nil {
			return api.Space{}, fmt.Errorf("spaced's answer to the create is not what was expected: %w", err)
		}
		return b.Space, nil
	}
	for {
		var p api.Progress
		err := dec.Decode(&p)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return api.Space{}, errors.New("the connection to spaced ended before the space was made; see docker space ls for whether it is there")
		case err != nil:
			return api.Space{}, fmt.Errorf("spaced's progress line is not what was expected: %w", err)
		case p.Err != nil:
			return api.Space{}, p.Err
		case p.Space != nil:
			return *p.Space, nil
		}
		progress(p)
	}
}
