package client

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/docker-space/docker-space/internal/api"
)

// maxError bounds the body of an answer that is not 2xx.
const maxError = 64 << 10

// decodeError turns an answer that is not 2xx into an *api.Error, also where
// something else than spaced answered.
func decodeError(resp *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxError))
	e := &api.Error{}
	if json.Unmarshal(body, e) != nil || e.Message == "" {
		text := strings.ToValidUTF8(strings.TrimSpace(string(body)), "?")
		e = &api.Error{Message: "spaced answered " + resp.Status, Code: api.CodeInternal}
		if text != "" {
			e.Message += fmt.Sprintf(": %.200q", text)
		}
	}
	e.Status = resp.StatusCode
	return e
}
