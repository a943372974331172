package api

import "fmt"

// Error is the body of every answer that is not 2xx. Message says what was
// wrong, with which value and what to do; Code is stable and meant for
// programs; Field names the offending request field of a 400.
//
// The JSON never has a key "name": the original's bash client greps for it to
// tell a found space from an error.
type Error struct {
	Message string `json:"error"`
	Code    Code   `json:"code"`
	Field   string `json:"field,omitempty"`
	// Status is the HTTP status the error travels with; 0 when unknown.
	Status int `json:"-"`
}

func (e *Error) Error() string { return e.Message }

// GetStatus gives the HTTP status (the huma library asks for it by this name).
func (e *Error) GetStatus() int { return e.Status }

// Code is the stable, machine-readable kind of an error.
type Code string

// The codes, each with the HTTP status it usually travels with.
const (
	CodeInvalid           Code = "invalid_request"      // 400
	CodeUnauthenticated   Code = "unauthenticated"      // 401
	CodeForbidden         Code = "forbidden"            // 403
	CodeHostNotAllowed    Code = "host_not_allowed"     // 403
	CodeOriginNotAllowed  Code = "origin_not_allowed"   // 403
	CodeNotFound          Code = "not_found"            // 404, unknown /api path
	CodeSpaceNotFound     Code = "space_not_found"      // 404
	CodeImageNotFound     Code = "image_not_found"      // 404
	CodeTemplateNotFound  Code = "template_not_found"   // 404
	CodeMethodNotAllowed  Code = "method_not_allowed"   // 405
	CodeSpaceExists       Code = "space_exists"         // 409
	CodeConflict          Code = "conflict"             // 409
	CodeTooLarge          Code = "too_large"            // 413
	CodeMediaType         Code = "unsupported_media"    // 415
	CodeTooMany           Code = "too_many_requests"    // 429
	CodeInternal          Code = "internal"             // 500
	CodeNotAvailable      Code = "not_available_yet"    // 501
	CodeGuest             Code = "guest_unavailable"    // 502
	CodeExitUnknown       Code = "exit_unknown"         // 502
	CodeEngineUnavailable Code = "engine_unavailable"   // 503
	CodeNetworkExhausted  Code = "network_exhausted"    // 503
	CodeTimeout           Code = "timeout"              // 504
	CodeNoSpace           Code = "insufficient_storage" // 507
)

// Errorf makes an error of the given code. The server knows the status.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Invalid makes a 400 that names the field.
func Invalid(field, format string, args ...any) *Error {
	return &Error{Code: CodeInvalid, Field: field, Message: fmt.Sprintf(format, args...)}
}
