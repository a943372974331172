package agent

import (
	"context"
	"io"
	"os"
	"syscall"
)

// RunStdio serves one command over the process's own standard streams, and
// kills it when they break or ctx ends.
func (a *Agent) RunStdio(ctx context.Context) {
	conn := Stdio()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	a.ServeExec(conn, EndCommand)
}

// Stdio gives the process's standard input and output as one connection. They
// are made non-blocking where they are pipes, so that closing ends a wait.
func Stdio() io.ReadWriteCloser {
	return &stdioConn{in: pollable(0, "stdin"), out: pollable(1, "stdout")}
}

type stdioConn struct{ in, out *os.File }

func (c *stdioConn) Read(b []byte) (int, error)  { return c.in.Read(b) }
func (c *stdioConn) Write(b []byte) (int, error) { return c.out.Write(b) }

func (c *stdioConn) Close() error {
	err := c.in.Close()
	if outErr := c.out.Close(); err == nil {
		err = outErr
	}
	return err
}

func pollable(fd int, name string) *os.File {
	_ = syscall.SetNonblock(fd, true)
	return os.NewFile(uintptr(fd), name)
}
