package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// listen opens the unix socket and, where wanted, TCP. The state lock is held,
// so that a socket file that nobody answers on is a leftover.
func listen(ctx context.Context, cfg Config, log *slog.Logger) ([]net.Listener, error) {
	u, err := listenUnix(ctx, cfg.Socket)
	if err != nil {
		return nil, err
	}
	if cfg.Listen == "" {
		return []net.Listener{u}, nil
	}
	t, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen)
	switch {
	case err == nil:
		return []net.Listener{u, t}, nil
	case cfg.ListenAsked || !errors.Is(err, syscall.EADDRINUSE):
		_ = u.Close()
		return nil, fmt.Errorf("cannot listen on %s: %w; choose another address with --listen, or off", cfg.Listen, err)
	}
	log.WarnContext(ctx, "the port is taken; this daemon has only its socket (choose an address with --listen)", "address", cfg.Listen)
	return []net.Listener{u}, nil
}

func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the socket's folder: %w; choose another place with --socket", err)
	}
	if err := answers(ctx, path); err != nil {
		return nil, err
	}
	if st, err := os.Lstat(path); err == nil && st.Mode()&fs.ModeSocket == 0 {
		return nil, fmt.Errorf("%s is in the way and is no socket: remove it, or choose another --socket", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cannot replace the old socket: %w", err)
	}
	// Closed to all until its group is set, so that nobody slips in between.
	old := syscall.Umask(0o177)
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	syscall.Umask(old)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w; choose another place with --socket", path, err)
	}
	return l, openToGroup(path)
}

// openToGroup lets group docker in where root serves it: who may use the
// engine may use this daemon.
func openToGroup(path string) error {
	if os.Getuid() != 0 {
		return nil
	}
	g, err := user.LookupGroup("docker")
	if err != nil {
		return nil // no such group: the socket stays root's
	}
	gid, err := strconv.Atoi(g.Gid)
	if err != nil {
		return fmt.Errorf("group docker has the id %q: %w", g.Gid, err)
	}
	return errors.Join(os.Chown(path, 0, gid), os.Chmod(path, 0o660))
}

// pageURL is where a browser on this machine finds the page; empty where there
// is only the socket.
func pageURL(listeners []net.Listener) string {
	for _, l := range listeners {
		if a, ok := l.Addr().(*net.TCPAddr); ok {
			host := a.IP.String()
			if a.IP.IsUnspecified() {
				host = "127.0.0.1"
			}
			return "http://" + net.JoinHostPort(host, strconv.Itoa(a.Port))
		}
	}
	return ""
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		_ = l.Close()
	}
}

// answers is the error where somebody may listen on path. A full backlog is a
// busy daemon; only a refusal tells of a leftover.
func answers(ctx context.Context, path string) error {
	c, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		_ = c.Close()
		return fmt.Errorf("another spaced listens on %s: stop it, or choose another --socket", path)
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.EPROTOTYPE), errors.Is(err, syscall.ENOTSOCK):
		return nil
	}
	return fmt.Errorf("cannot tell whether another spaced listens on %s (%w): stop it, or choose another --socket", path, err)
}
