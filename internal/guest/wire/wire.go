// Package wire is the protocol between spaced and the guest inside a space:
// the frames of one command, and the HTTP paths that start them.
//
// A command is one ordered byte stream in each direction, of frames: one type
// byte, a four byte big-endian length, and that many bytes. The caller sends
// Request first; the guest answers Started or Failed, and after Started ends
// with exactly one Exit. The same frames run over a yamux stream after
// `POST /v1/exec` with `Upgrade: space-exec/1`, and over the standard streams
// of `guest run`.
package wire

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Protocol is the version of this protocol. A daemon speaks to guests of
// Protocol and of Protocol-1.
const Protocol = 1

// Places and names inside a space.
const (
	// Socket is the abstract unix socket the guest listens on.
	Socket = "@space-guest"
	// Path of the guest's binary.
	Path = "/.space/guest"
	// Dir that the guest's volume is mounted at.
	Dir = "/.space"
	// ExecPath and HelloPath are the guest's HTTP routes.
	ExecPath  = "/v1/exec"
	HelloPath = "/v1/hello"
	// Upgrade is the protocol name of ExecPath.
	Upgrade = "space-exec/1"
)

// Type is the first byte of a frame.
type Type byte

// The frame types; the comment names who sends it and the payload.
const (
	Stdin    Type = 0  // daemon: bytes
	Stdout   Type = 1  // guest: bytes
	Stderr   Type = 2  // guest: bytes
	StdinEOF Type = 3  // daemon: empty
	Resize   Type = 4  // daemon: Size
	Signal   Type = 5  // daemon: the name without SIG
	Kill     Type = 6  // daemon: empty; TERM, then KILL, to the whole group
	Request  Type = 7  // daemon: Exec
	Started  Type = 8  // guest: empty
	Failed   Type = 9  // guest: Failure, instead of Started
	Exit     Type = 10 // guest: Status, the last frame
	// Taken gives stdin credit back: guest, a four byte big-endian count.
	Taken Type = 11
)

// Window is how many bytes of Stdin may be on their way without being Taken.
// It keeps a signal from waiting behind input that the command does not read.
const Window = 256 << 10

// MaxFrame bounds a payload; longer output goes in several frames.
const MaxFrame = 1 << 20

// Exec is the payload of Request.
type Exec struct {
	Argv        []string `json:"argv"`
	Env         []string `json:"env,omitempty"`
	Dir         string   `json:"dir,omitempty"`
	TTY         bool     `json:"tty,omitempty"`
	Cols        uint16   `json:"cols,omitempty"`
	Rows        uint16   `json:"rows,omitempty"`
	Interactive bool     `json:"interactive,omitempty"`
}

// Size is the payload of Resize.
type Size struct {
	Cols uint16 `json:"cols"`
	Rows uint16 `json:"rows"`
}

// Status is the payload of Exit. A command that died by a signal has Signal
// and the code 128+n, as a shell tells it.
type Status struct {
	Code      int    `json:"code"`
	Signal    string `json:"signal,omitempty"`
	OOMKilled bool   `json:"oomKilled,omitempty"`
}

// Failure is the payload of Failed: nothing was run.
type Failure struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

// The kinds of a Failure.
const (
	FailInvalid = "invalid" // the request; 400
	FailWorkdir = "workdir" // the working directory is not there; 400
	FailBusy    = "busy"    // the process budget is used up; 429
)

// Hello is the body of HelloPath.
type Hello struct {
	Protocol int    `json:"protocol"`
	Version  string `json:"version"`
}

// ErrTooLong is returned for a frame over MaxFrame.
var ErrTooLong = errors.New("guest frame is too long")

// Frame is one frame. Data is valid until the next Read.
type Frame struct {
	Type Type
	Data []byte
}

// Reader reads frames. It grows one buffer up to MaxFrame and no further.
type Reader struct {
	r   io.Reader
	buf []byte
	hdr [5]byte
}

// NewReader reads frames from r, which should be buffered.
func NewReader(r io.Reader) *Reader { return &Reader{r: r} }

// Read gives the next frame; io.EOF only between frames.
func (r *Reader) Read() (Frame, error) {
	if _, err := io.ReadFull(r.r, r.hdr[:]); err != nil {
		return Frame{}, err
	}
	n := binary.BigEndian.Uint32(r.hdr[1:])
	if n > MaxFrame {
		return Frame{}, fmt.Errorf("%w: %d bytes of type %d", ErrTooLong, n, r.hdr[0])
	}
	if int(n) > cap(r.buf) {
		r.buf = make([]byte, n)
	}
	r.buf = r.buf[:n]
	if _, err := io.ReadFull(r.r, r.buf); err != nil {
		return Frame{}, noEOF(err)
	}
	return Frame{Type: Type(r.hdr[0]), Data: r.buf}, nil
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Append appends a frame to dst.
func Append(dst []byte, t Type, data []byte) []byte {
	dst = append(dst, byte(t))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(data)))
	return append(dst, data...)
}

// Write sends one frame in one call of w.Write, split where data is over
// MaxFrame.
func Write(w io.Writer, t Type, data []byte) error {
	for {
		part := data[:min(len(data), MaxFrame)]
		if _, err := w.Write(Append(make([]byte, 0, 5+len(part)), t, part)); err != nil {
			return err
		}
		if data = data[len(part):]; len(data) == 0 {
			return nil
		}
	}
}

// Count is the payload of Taken.
func Count(n int) []byte {
	return binary.BigEndian.AppendUint32(nil, uint32(n))
}

// ParseCount reads the payload of Taken.
func ParseCount(data []byte) (int, error) {
	if len(data) != 4 {
		return 0, fmt.Errorf("a count of stdin bytes has 4 bytes, not %d", len(data))
	}
	return int(binary.BigEndian.Uint32(data)), nil
}

// WriteJSON sends v as the payload of one frame.
func WriteJSON(w io.Writer, t Type, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return Write(w, t, b)
}
