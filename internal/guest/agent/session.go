package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"

	"github.com/docker-space/docker-space/internal/guest/wire"
)

// Loss says what becomes of a command whose caller is lost without a word.
type Loss int

// RunOn lets it run with its output dropped: the daemon restarts. EndCommand
// kills it, as for a command with a guest of its own.
const (
	RunOn Loss = iota
	EndCommand
)

var errAborted = errors.New("ended before it ran")

// session is one command and its caller.
type session struct {
	agent  *Agent
	conn   io.Closer
	r      *wire.Reader
	frames *frames
	onLoss Loss
	in     *input

	ctx   context.Context // ends when the command must not be started any more
	abort func()
	read  chan struct{} // closed when nothing more comes from the caller

	mu      sync.Mutex
	proc    *process
	io      *stdio
	size    wire.Size
	killing sync.WaitGroup
	killed  bool
}

// ServeExec runs one command over the frames of conn, and closes conn. With
// RunOn it returns when the caller has closed too.
func (a *Agent) ServeExec(conn io.ReadWriteCloser, onLoss Loss) {
	defer conn.Close()
	f := &frames{w: conn}
	s := &session{
		agent: a, conn: conn, r: wire.NewReader(bufio.NewReader(conn)), frames: f,
		onLoss: onLoss, in: newInput(f), read: make(chan struct{}),
	}
	ctx, abort := context.WithCancelCause(context.Background())
	s.ctx, s.abort = ctx, func() { abort(errAborted) }
	defer s.abort()
	req, err := s.request()
	if err != nil {
		s.fail(req, err)
		return
	}
	go s.readFrames(req)
	s.run(req)
	if onLoss == EndCommand {
		_ = conn.Close()
	}
	<-s.read
}

func (s *session) request() (wire.Exec, error) {
	var req wire.Exec
	frame, err := s.r.Read()
	if err != nil {
		return req, fail(wire.FailInvalid, "cannot read the request: %v", err)
	}
	if frame.Type != wire.Request {
		return req, fail(wire.FailInvalid, "the first frame must be a request, not type %d", frame.Type)
	}
	if err := json.Unmarshal(frame.Data, &req); err != nil {
		return req, fail(wire.FailInvalid, "cannot read the request: %v", err)
	}
	return req, nil
}

// run sends Failed, or Started and in the end Exit.
func (s *session) run(req wire.Exec) {
	c, err := prepare(req, s.agent.env)
	if err != nil {
		s.fail(req, err)
		return
	}
	t, err := s.agent.gate.enter(s.ctx)
	if err != nil {
		s.fail(req, err)
		return
	}
	leave := sync.OnceFunc(t.leave)
	defer leave()
	oomBefore := s.agent.group.oomKills()
	streams, err := openStdio(c, req.Interactive)
	if err != nil {
		s.fail(req, err)
		return
	}
	p, err := s.start(c, streams)
	if err != nil {
		s.fail(req, err)
		return
	}
	s.frames.send(wire.Started, nil)
	drained := s.pumps(streams)
	<-p.done
	leave()
	drained()
	s.killing.Wait()
	s.frames.sendJSON(wire.Exit, exitStatus(p.status, s.agent.group.oomKills() > oomBefore))
}

// start makes the command known to the reader of frames.
func (s *session) start(c *command, streams *stdio) (*process, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		streams.closeChild()
		streams.close()
		return nil, errAborted
	}
	if s.size != (wire.Size{}) {
		c.size = s.size
		if c.tty {
			resize(streams.out, c.size)
		}
	}
	p, err := s.agent.start(c, streams)
	if err != nil {
		return nil, err
	}
	s.proc, s.io = p, streams
	return p, nil
}

// pumps starts carrying the streams; the function it gives ends that, once the
// command has ended, when all its output is on its way.
func (s *session) pumps(streams *stdio) (drained func()) {
	var in, out sync.WaitGroup
	if streams.in != nil {
		in.Go(func() { s.in.pump(streams.in, streams.tty) })
	}
	outputs := []*output{{file: streams.out, kind: wire.Stdout, frames: s.frames}}
	if streams.err != nil {
		outputs = append(outputs, &output{file: streams.err, kind: wire.Stderr, frames: s.frames})
	}
	for _, o := range outputs {
		out.Go(o.pump)
	}
	return func() {
		s.in.stop(streams.in)
		for _, o := range outputs {
			o.end()
		}
		in.Wait()
		out.Wait()
		s.mu.Lock()
		s.proc, s.io = nil, nil
		s.mu.Unlock()
		streams.close()
	}
}

// fail answers that nothing was run; a program that cannot be started is told
// as a shell would.
func (s *session) fail(req wire.Exec, err error) {
	var not *notRun
	var failed *failure
	switch {
	case errors.As(err, &not):
		s.frames.send(wire.Started, nil)
		if req.TTY { // its one stream, and no driver that adds the return
			s.frames.send(wire.Stdout, []byte(not.Message+"\r\n"))
		} else {
			s.frames.send(wire.Stderr, []byte(not.Message+"\n"))
		}
		s.frames.sendJSON(wire.Exit, wire.Status{Code: not.Code})
	case errors.As(err, &failed):
		s.frames.sendJSON(wire.Failed, failed.Failure)
	default:
		s.frames.sendJSON(wire.Failed, wire.Failure{Kind: wire.FailBusy, Message: err.Error()})
	}
}
