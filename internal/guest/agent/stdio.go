package agent

import (
	"os"
	"syscall"

	"github.com/docker-space/docker-space/internal/guest/wire"
)

// stdio is a command's standard streams: our ends, which never block a thread,
// and the child's, as plain descriptors.
type stdio struct {
	in       *os.File // nil where the command reads end of file
	out, err *os.File // err is nil for a terminal
	tty      bool
	child    [3]int
}

func openStdio(c *command, interactive bool) (*stdio, error) {
	if c.tty {
		return openTerminal(c.size)
	}
	s := &stdio{child: [3]int{-1, -1, -1}}
	if err := s.pipes(interactive); err != nil {
		s.closeChild()
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *stdio) pipes(interactive bool) (err error) {
	if interactive {
		s.child[0], s.in, err = pipe(true)
	} else {
		s.child[0], err = syscall.Open(os.DevNull, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	}
	if err != nil {
		return err
	}
	if s.child[1], s.out, err = pipe(false); err != nil {
		return err
	}
	s.child[2], s.err, err = pipe(false)
	return err
}

// pipe gives the child's end, blocking, and ours, non-blocking so that it waits
// in the poller.
func pipe(childReads bool) (child int, ours *os.File, err error) {
	var p [2]int
	if err := syscall.Pipe2(p[:], syscall.O_CLOEXEC); err != nil {
		return -1, nil, os.NewSyscallError("pipe2", err)
	}
	child, mine := p[1], p[0]
	if childReads {
		child, mine = p[0], p[1]
	}
	if err := syscall.SetNonblock(mine, true); err != nil {
		_ = syscall.Close(child)
		_ = syscall.Close(mine)
		return -1, nil, os.NewSyscallError("fcntl", err)
	}
	return child, os.NewFile(uintptr(mine), "pipe"), nil
}

func openTerminal(size wire.Size) (*stdio, error) {
	master, slave, err := openPTY()
	if err != nil {
		return nil, err
	}
	resize(master, size)
	return &stdio{in: master, out: master, tty: true, child: [3]int{slave, slave, slave}}, nil
}

func (s *stdio) closeChild() {
	for i, fd := range s.child {
		if fd >= 0 && (i == 0 || fd != s.child[0]) {
			_ = syscall.Close(fd)
		}
	}
}

func (s *stdio) close() {
	for _, f := range []*os.File{s.in, s.out, s.err} {
		if f != nil {
			_ = f.Close()
		}
	}
}
