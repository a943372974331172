package api

import "errors"

// The streaming exec (GET /api/spaces/{name}/exec/stream, WebSocket):
//
//	client                                server
//	text  ExecRequest                     (everything is resolved before the upgrade)
//	                                      text   {"type":"started"}
//	bin   0 + bytes   (stdin)             bin    1 + bytes (stdout) | 2 + bytes (stderr)
//	text  {"type":"resize","cols","rows"}
//	text  {"type":"signal","signal":"INT"}
//	text  {"type":"eof"}
//	text  {"type":"ping"}                 text   {"type":"pong"}
//	                                      text   {"type":"exit",…}  then close 1000
//
// A failure to run after the upgrade is {"type":"error"} and close 1011.
// Frames of an unknown type are ignored. A terminal's output is stdout.

// StreamID is the first byte of a binary frame.
type StreamID byte

// The streams of a command.
const (
	StreamStdin  StreamID = 0
	StreamStdout StreamID = 1
	StreamStderr StreamID = 2
)

// MaxFrame is the largest WebSocket frame either side accepts, in bytes: a
// paste is one frame.
const MaxFrame = 1 << 20

// ErrFrame is returned for a binary frame without a known stream byte.
var ErrFrame = errors.New("binary frame without a known stream byte")

// DecodeFrame splits a binary frame. The data aliases frame.
func DecodeFrame(frame []byte) (StreamID, []byte, error) {
	if len(frame) == 0 || frame[0] > byte(StreamStderr) {
		return 0, nil, ErrFrame
	}
	return StreamID(frame[0]), frame[1:], nil
}

// AppendFrame appends the binary frame of data to dst.
func AppendFrame(dst []byte, id StreamID, data []byte) []byte {
	return append(append(dst, byte(id)), data...)
}

// The types of control frames.
const (
	FrameResize  = "resize"
	FrameSignal  = "signal"
	FrameEOF     = "eof"
	FramePing    = "ping"
	FramePong    = "pong"
	FrameStarted = "started"
	FrameExit    = "exit"
	FrameError   = "error"
)

// Control is a text frame in either direction; which fields count depends on
// Type.
type Control struct {
	Type string `json:"type"`
	// Cols and Rows of a resize; clamped to 1…65535.
	Cols int `json:"cols,omitempty"`
	Rows int `json:"rows,omitempty"`
	// Signal of a signal frame or of a process that died by one ("INT").
	Signal string `json:"signal,omitempty"`
	// ExitCode of an exit frame; null when it is not known, never 0 for that.
	ExitCode *int `json:"exitCode,omitempty"`
	// Reason of an exit without a code: "space_gone", "lost".
	Reason    string `json:"reason,omitempty"`
	TimedOut  bool   `json:"timedOut,omitempty"`
	OOMKilled bool   `json:"oomKilled,omitempty"`
	// Message and Code of an error frame.
	Message string `json:"message,omitempty"`
	Code    Code   `json:"code,omitempty"`
}

// Reasons of an exit frame without a code.
const (
	ReasonSpaceGone = "space_gone"
	ReasonLost      = "lost"
)
