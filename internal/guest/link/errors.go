package link

import (
	"errors"
	"fmt"

	"github.com/containerd/errdefs"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/guest/wire"
)

var (
	errClosed    = fmt.Errorf("the daemon is shutting down: %w", errdefs.ErrUnavailable)
	errSlow      = fmt.Errorf("the guest did not answer within %s: %w", dialTimeout, errdefs.ErrUnavailable)
	errEnded     = errors.New("the command has ended")
	errForgotten = fmt.Errorf("the space stopped: %w", errdefs.ErrUnavailable)
)

// lost tells that the channel broke and the command's end is not known.
func lost(err error) error {
	return fmt.Errorf("lost the channel to the space's guest (%w): %w", err, errdefs.ErrUnavailable)
}

func errTooLarge(n int) error {
	return &api.Error{
		Code:    api.CodeTooLarge,
		Message: fmt.Sprintf("the command with its environment is %d bytes long: give at most %d, for example through standard input or a file", n, wire.MaxFrame),
	}
}

// refused makes the caller's error of the guest's answer that nothing was run.
func refused(f wire.Failure) error {
	message := bounded(f.Message)
	switch f.Kind {
	case wire.FailInvalid:
		return api.Invalid("command", "%s", message)
	case wire.FailWorkdir:
		return api.Invalid("workdir", "%s", message)
	case wire.FailBusy:
		return api.Errorf(api.CodeTooMany, "%s", message)
	}
	return api.Errorf(api.CodeGuest, "the space's guest refused the command: %s", message)
}

// bounded keeps a guest's text short and printable.
func bounded(text string) string {
	const most = 1024
	clean := make([]rune, 0, min(len(text), most))
	for _, r := range text {
		if len(clean) == most {
			break
		}
		if r < ' ' || r == 0x7f {
			r = ' '
		}
		clean = append(clean, r)
	}
	return string(clean)
}
