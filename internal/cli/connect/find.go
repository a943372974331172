package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/docker-space/docker-space/internal/client"
)

// SystemSocket is the socket of the machine's own daemon.
const SystemSocket = "/run/spaced.sock"

const dialTimeout = 2 * time.Second

// Finder looks for a daemon. Getenv and UID are the process's own, except in
// tests.
type Finder struct {
	Getenv func(string) string
	UID    int
	// Err takes the one line that says that a daemon is started.
	Err io.Writer
	// DockerEnv gives what a started daemon needs beyond this environment, to
	// reach the engine that the docker CLI was told to use; it may be nil.
	DockerEnv func() []string
	// System is SystemSocket, and Dial is Dial, except in tests.
	System string
	Dial   func(ctx context.Context, socket string) error
	// Program finds the spaced binary.
	Program func() (string, error)
	// StartTimeout bounds the wait for a started daemon; 0 is 15 s.
	StartTimeout time.Duration
}

// errNone is in what Find returns when no daemon answers.
var errNone = errors.New("no spaced answers on this machine")

// Find gives a client of the daemon that answers, and starts none.
func (f *Finder) Find(ctx context.Context) (*client.Client, error) {
	if t := f.remote(); t.URL != "" {
		return client.New(t)
	}
	var denied error
	for _, path := range f.sockets() {
		err := f.Dial(ctx, path)
		switch {
		case err == nil:
			return client.New(client.Target{Socket: path})
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.Is(err, fs.ErrPermission) && denied == nil:
			denied = permission(path)
		}
	}
	if denied != nil {
		return nil, denied
	}
	return nil, fmt.Errorf("%w (looked at %s)", errNone, strings.Join(f.sockets(), ", "))
}

// remote is the daemon that SPACED_URL names, unless a socket is named too.
func (f *Finder) remote() client.Target {
	if f.Getenv("SPACED_SOCKET") != "" {
		return client.Target{}
	}
	return client.Target{URL: f.Getenv("SPACED_URL"), Key: f.Getenv("SPACED_KEY")}
}

// sockets are the places to look, first match wins.
func (f *Finder) sockets() []string {
	if s := f.Getenv("SPACED_SOCKET"); s != "" {
		return []string{s}
	}
	if mine := f.userSocket(); mine != "" {
		return []string{mine, f.System}
	}
	return []string{f.System}
}

// userSocket is the place of the user's own daemon. A session made by su has no
// XDG_RUNTIME_DIR, though the folder is there; where nobody made one, the
// daemon's socket is in its state folder.
func (f *Finder) userSocket() string {
	dir := f.Getenv("XDG_RUNTIME_DIR")
	if dir == "" && f.UID != 0 {
		dir = fmt.Sprintf("/run/user/%d", f.UID)
		if st, err := os.Stat(dir); err != nil || !st.IsDir() {
			dir = f.stateDir()
		}
	}
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, "spaced.sock")
}

// ownSocket is where a daemon started by this user listens: root's is the
// system's.
func (f *Finder) ownSocket() string {
	if list := f.sockets(); f.UID != 0 || len(list) == 1 {
		return list[0]
	}
	return f.System
}

// Dial tells whether someone listens on a socket.
func Dial(ctx context.Context, path string) error {
	d := net.Dialer{Timeout: dialTimeout}
	conn, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return err
	}
	return conn.Close()
}

func permission(path string) error {
	return fmt.Errorf("permission denied on spaced's socket %s; you are not in its group. Run:\n\n"+
		"    sudo usermod -aG docker $USER && newgrp docker", path)
}
