package engine

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/containerd/errdefs"

	"github.com/docker-space/docker-space/internal/space"
)

// output hands a command's output on. The engine reports a command that it
// could not start on that command's standard output: a beginning that looks
// like it is held until the end tells whether it is.
type output struct {
	stdout, stderr io.Writer
	begun          bool
	refused        bool // a writer failed
	notice         []byte
}

// chunk is what one read takes.
const chunk = 32 << 10

func (o *output) copy(r *bufio.Reader, tty bool) error {
	buf := make([]byte, chunk)
	d := demux{r: r}
	for {
		stream, n, err := byte(streamStdout), 0, error(nil)
		if tty {
			n, err = r.Read(buf)
		} else if stream, err = d.next(); err == nil {
			n, err = d.read(buf)
		}
		if n > 0 {
			if werr := o.write(stream, buf[:n]); werr != nil {
				o.refused = true
				return werr
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (o *output) write(stream byte, b []byte) error {
	if stream == streamStderr {
		return writeTo(o.stderr, b)
	}
	if !o.begun && len(b) <= maxNotice && bytes.HasPrefix(b, []byte(runtimeFailed)) {
		o.begun, o.notice = true, bytes.Clone(b)
		return nil
	}
	o.begun = true
	if err := o.flush(); err != nil {
		return err
	}
	return writeTo(o.stdout, b)
}

func (o *output) held() bool { return o.notice != nil }

// flush hands on what was held and was the command's own after all.
func (o *output) flush() error {
	b := o.notice
	o.notice = nil
	return writeTo(o.stdout, b)
}

// startFailure answers for a command that never ran: 127 where it was not
// found, 126 where it could not be run, as the engine's newer releases and
// shells have it; a missing working directory is the caller's mistake.
func (o *output) startFailure(code int) (space.Exit, error) {
	text := strings.TrimSpace(string(o.notice))
	_, reason, _ := strings.Cut(text, "unable to start container process: ")
	if reason == "" {
		reason = text
	}
	reason = strings.TrimSuffix(reason, ": unknown")
	switch {
	case strings.Contains(text, "chdir to cwd"):
		return space.Exit{}, errdefs.ErrInvalidArgument.WithMessage("the working directory cannot be entered: " + reason)
	case strings.Contains(text, "executable file not found"), strings.Contains(text, "no such file or directory"):
		code = 127
	case strings.Contains(text, "permission denied"):
		code = 126
	}
	if err := writeTo(o.stderr, fmt.Appendf(nil, "%s\n", reason)); err != nil {
		return space.Exit{}, err
	}
	return space.Exit{Code: &code}, nil
}

func writeTo(w io.Writer, b []byte) error {
	if w == nil || len(b) == 0 {
		return nil
	}
	_, err := w.Write(b)
	return err
}
