package server

import (
	"context"
	"net"

	"golang.org/x/sys/unix"
)

type peerKey struct{}

// peer is the other end of a unix socket. A nil one in the context means TCP.
type peer struct {
	uid   uint32
	known bool
}

// connContext keeps the peer's credentials, as the kernel gives them, for all
// requests of a unix connection.
func connContext(ctx context.Context, c net.Conn) context.Context {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return ctx
	}
	p := &peer{}
	if raw, err := u.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			if cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
				p.uid, p.known = cred.Uid, true
			}
		})
	}
	return context.WithValue(ctx, peerKey{}, p)
}

func peerFrom(ctx context.Context) *peer {
	p, _ := ctx.Value(peerKey{}).(*peer)
	return p
}
