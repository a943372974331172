package agent

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"
)

const (
	dialFor   = 10 * time.Second // while the guest starts
	dialEvery = 20 * time.Millisecond
)

// Dial pipes rw to the guest's socket until either side or ctx ends.
func Dial(ctx context.Context, socket string, rw io.ReadWriteCloser) error {
	conn, err := connect(ctx, socket)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	ends := make(chan struct{}, 2)
	carry := func(dst io.Writer, src io.Reader) {
		_, _ = io.Copy(dst, src)
		ends <- struct{}{}
	}
	go carry(conn, rw)
	go carry(rw, conn)
	<-ends
	_ = conn.Close()
	_ = rw.Close()
	<-ends
	return nil
}

func connect(ctx context.Context, socket string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialFor)
	defer cancel()
	var d net.Dialer
	for {
		conn, err := d.DialContext(ctx, "unix", socket)
		if err == nil {
			return conn, nil
		}
		if pause(ctx, dialEvery); ctx.Err() != nil {
			return nil, fmt.Errorf("no guest listens on %s: %w", socket, err)
		}
	}
}
