package server

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/docker-space/docker-space/internal/api"
)

// huma takes its error type from package variables only.
func init() { huma.NewError = newError }

// newError makes our error of huma's: what it refuses is the client's fault,
// 400 naming the field, and its 422 is not used.
func newError(status int, msg string, errs ...error) huma.StatusError {
	e := &api.Error{Status: status, Message: msg}
	switch status {
	case http.StatusRequestEntityTooLarge:
		e.Code, e.Message = api.CodeTooLarge, "the request's body is too large: at most 1 MiB, for exec with stdin 16 MiB"
	case http.StatusUnsupportedMediaType:
		e.Code, e.Message = api.CodeMediaType, "the request's body must be JSON: send Content-Type: application/json"
	case http.StatusRequestTimeout:
		e.Code, e.Message = api.CodeTimeout, "the request's body took too long to come"
	default:
		e.Status, e.Code = http.StatusBadRequest, api.CodeInvalid
		if len(errs) > 0 {
			e.Field, e.Message = explain(errs[0])
		}
	}
	return e
}

// explain gives the field that huma's error is about, and what to do.
func explain(err error) (field, message string) {
	d, ok := err.(huma.ErrorDetailer)
	if !ok {
		return "", "the request's body could not be read: " + err.Error()
	}
	detail := d.ErrorDetail()
	_, field, _ = strings.Cut(detail.Location, ".")
	switch detail.Message {
	case validation.MsgUnexpectedProperty:
		return field, "unknown field \"" + clip(field) + "\": see /api/openapi.json for the known ones"
	case validation.MsgExpectedMatchAtLeastOneSchema:
		if field == "command" {
			return field, "command: expected a string or an array of strings"
		}
		return field, field + ": expected a string or a number"
	}
	if field == "" {
		return "", "the request's body is not what this route takes: " + detail.Message
	}
	return field, field + ": " + detail.Message
}
