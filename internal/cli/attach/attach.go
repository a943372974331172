package attach

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/docker-space/docker-space/internal/client"
	"github.com/docker/cli/cli/streams"
	"github.com/moby/term"
)

// ErrDetached is returned when the user typed the detach keys.
var ErrDetached = errors.New("read escape sequence")

// ErrForced is returned when the user insisted on ending, by a third SIGINT or
// SIGTERM.
var ErrForced = errors.New("got 3 SIGTERM/SIGINTs, forcefully exiting")

const forceAfter = 3

// cancelGrace is how long a signal may come after the docker CLI cancelled the
// command: on Ctrl-C both happen, in either order.
const cancelGrace = 100 * time.Millisecond

// Streams is what a command is connected to.
type Streams struct {
	In  *streams.In
	Out *streams.Out
	Err *streams.Out
	// Interactive sends In to the command.
	Interactive bool
	// TTY says that the command has a terminal, whose output all goes to Out.
	TTY bool
	// DetachKeys end the session when typed on a raw terminal.
	DetachKeys []byte
}

// Open starts the command with the given terminal size, 0 where not known.
type Open func(ctx context.Context, cols, rows int, stdout, stderr io.Writer) (*client.Stream, error)

// Run starts a command and stays until it has ended. ctx bounds only the start:
// the docker CLI cancels it on Ctrl-C, and then the command gets the signal
// instead.
func Run(ctx context.Context, s Streams, open Open) (client.Exit, error) {
	signals := make(chan os.Signal, 8)
	catch(signals)
	defer signal.Stop(signals)

	cols, rows := s.size()
	stream, err := open(ctx, cols, rows, s.Out, s.Err)
	if err != nil {
		return client.Exit{}, err
	}
	defer stream.Close()
	restore, err := s.raw()
	if err != nil {
		return client.Exit{}, err
	}
	defer restore()

	c := newControls(s, stream)
	defer c.stop()
	detached := s.input(stream)
	if err := s.watch(ctx, stream, signals, detached, c); err != nil {
		return client.Exit{}, err
	}
	return stream.Wait()
}

// watch forwards signals until the command ends. It never writes to the stream
// itself, so that a command that does not read cannot hold up a third Ctrl-C.
func (s Streams) watch(ctx context.Context, stream *client.Stream, signals <-chan os.Signal, detached <-chan struct{}, c *controls) error {
	var grace <-chan time.Time
	cancelled := ctx.Done()
	count := 0
	for {
		select {
		case <-stream.Done():
			return nil
		case <-detached:
			return ErrDetached
		case sig := <-signals:
			if ends(sig) {
				count++
			}
			if count >= forceAfter {
				return ErrForced
			}
			c.signal(names[sig])
		case <-cancelled:
			cancelled = nil
			grace = time.After(cancelGrace)
		case <-grace:
			if count == 0 {
				c.signal(s.cancelSignal())
			}
		}
	}
}

// cancelSignal stands for a cancellation that came without a signal: someone
// ended the docker CLI itself.
func (s Streams) cancelSignal() string {
	if s.TTY {
		return "HUP"
	}
	return "INT"
}

func (s Streams) isRaw() bool { return s.Interactive && s.TTY && s.In.IsTerminal() }

// raw puts the terminal into raw mode, where there is one, and gives what
// restores it, once however often it is called.
func (s Streams) raw() (restore func(), err error) {
	if !s.isRaw() {
		return func() {}, nil
	}
	restore = sync.OnceFunc(func() {
		s.In.RestoreTerminal()
		s.Out.RestoreTerminal()
	})
	if err = s.In.SetRawTerminal(); err == nil {
		err = s.Out.SetRawTerminal()
	}
	if err != nil {
		restore()
		return nil, err
	}
	return restore, nil
}

// input copies In to the command. The goroutine ends at the end of In; a read
// that hangs on a terminal or a pipe ends with the process.
func (s Streams) input(stream *client.Stream) <-chan struct{} {
	detached := make(chan struct{})
	if !s.Interactive {
		return detached
	}
	var in io.Reader = s.In
	if s.isRaw() {
		in = term.NewEscapeProxy(in, s.DetachKeys)
	}
	go func() {
		_, err := io.Copy(stream, in)
		if errors.As(err, new(term.EscapeError)) {
			close(detached)
			return
		}
		// A failed read ends the input as well; a failed write shows at the reader.
		_ = stream.CloseStdin()
	}()
	return detached
}
