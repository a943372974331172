package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/containerd/errdefs"

	"github.com/docker-space/docker-space/internal/api"
)

// statuses is the one place that gives each code its HTTP status.
var statuses = map[api.Code]int{
	api.CodeInvalid:           http.StatusBadRequest,
	api.CodeUnauthenticated:   http.StatusUnauthorized,
	api.CodeForbidden:         http.StatusForbidden,
	api.CodeHostNotAllowed:    http.StatusForbidden,
	api.CodeOriginNotAllowed:  http.StatusForbidden,
	api.CodeNotFound:          http.StatusNotFound,
	api.CodeSpaceNotFound:     http.StatusNotFound,
	api.CodeImageNotFound:     http.StatusNotFound,
	api.CodeTemplateNotFound:  http.StatusNotFound,
	api.CodeMethodNotAllowed:  http.StatusMethodNotAllowed,
	api.CodeSpaceExists:       http.StatusConflict,
	api.CodeConflict:          http.StatusConflict,
	api.CodeTooLarge:          http.StatusRequestEntityTooLarge,
	api.CodeMediaType:         http.StatusUnsupportedMediaType,
	api.CodeTooMany:           http.StatusTooManyRequests,
	api.CodeInternal:          http.StatusInternalServerError,
	api.CodeNotAvailable:      http.StatusNotImplemented,
	api.CodeGuest:             http.StatusBadGateway,
	api.CodeExitUnknown:       http.StatusBadGateway,
	api.CodeEngineUnavailable: http.StatusServiceUnavailable,
	api.CodeNetworkExhausted:  http.StatusServiceUnavailable,
	api.CodeTimeout:           http.StatusGatewayTimeout,
	api.CodeNoSpace:           http.StatusInsufficientStorage,
}

// withStatus gives a copy of e that has its status.
func withStatus(e *api.Error) *api.Error {
	c := *e
	if c.Status == 0 {
		c.Status = statuses[c.Code]
	}
	if c.Status == 0 {
		c.Status = http.StatusInternalServerError
	}
	return &c
}

// public turns any error into what the client may see. What is not meant for
// it goes to the log, under an id that the answer names.
func (s *Server) public(ctx context.Context, err error) *api.Error {
	var known *api.Error
	if errors.As(err, &known) {
		return withStatus(known)
	}
	code, message := classify(err)
	if code == api.CodeInternal {
		id := newID()
		s.log.ErrorContext(ctx, "request failed", "id", id, "error", err)
		message = "internal error " + id + ": the daemon's log has the details under this id"
	} else {
		s.log.DebugContext(ctx, "request refused", "code", code, "error", err)
	}
	return withStatus(&api.Error{Code: code, Message: message})
}

// classify maps the kinds of errdefs. Messages of the kinds that are about the
// request are the client's; the rest is about this machine.
func classify(err error) (api.Code, string) {
	switch {
	case errdefs.IsNotFound(err):
		return api.CodeSpaceNotFound, err.Error()
	case errdefs.IsConflict(err), errdefs.IsAlreadyExists(err), errdefs.IsFailedPrecondition(err):
		return api.CodeConflict, err.Error()
	case errdefs.IsInvalidArgument(err), errdefs.IsOutOfRange(err):
		return api.CodeInvalid, err.Error()
	case errdefs.IsUnavailable(err):
		return api.CodeEngineUnavailable, "the Docker engine cannot be reached at the moment: check that it is running (docker info) and try again"
	case errdefs.IsResourceExhausted(err):
		return api.CodeNoSpace, "the engine has no room left: free disk space (docker system df shows what takes it) and try again"
	case errdefs.IsNotImplemented(err):
		return api.CodeNotAvailable, err.Error()
	case errors.Is(err, context.DeadlineExceeded), errdefs.IsDeadlineExceeded(err):
		return api.CodeTimeout, "this took too long and was given up: try again, and see the daemon's log if it stays so"
	case errors.Is(err, context.Canceled), errdefs.IsCanceled(err):
		return api.CodeTimeout, "the request was cancelled before it ended"
	}
	return api.CodeInternal, ""
}
