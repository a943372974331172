package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/docker-space/docker-space/internal/guest/wire"
)

// command is a request made ready to start.
type command struct {
	path string
	argv []string
	env  []string
	dir  string
	tty  bool
	size wire.Size
}

// failure is a request that cannot be run at all.
type failure struct{ wire.Failure }

func (f *failure) Error() string { return f.Message }

func fail(kind, format string, args ...any) error {
	return &failure{wire.Failure{Kind: kind, Message: fmt.Sprintf(format, args...)}}
}

// prepare checks a request. The error is a *failure or a *notRun.
func prepare(req wire.Exec, inherited []string) (*command, error) {
	if len(req.Argv) == 0 || req.Argv[0] == "" {
		return nil, fail(wire.FailInvalid, "the command is empty: give a program and its arguments")
	}
	for _, s := range append(append([]string{req.Dir}, req.Argv...), req.Env...) {
		if strings.ContainsRune(s, 0) {
			return nil, fail(wire.FailInvalid, "the command, its environment and its directory must not contain a NUL byte: %q", s)
		}
	}
	if err := checkDir(req.Dir); err != nil {
		return nil, err
	}
	dir := req.Dir
	if dir != "" && !filepath.IsAbs(dir) {
		dir, _ = filepath.Abs(dir)
	}
	c := &command{
		argv: req.Argv, dir: dir, tty: req.TTY, size: wire.Size{Cols: req.Cols, Rows: req.Rows},
		env: merge(inherited, req.Env, req.TTY),
	}
	path, ok := value(c.env, "PATH")
	if !ok {
		path = defaultPath
	}
	var err error
	c.path, err = lookup(req.Argv[0], dir, path)
	return c, err
}

func checkDir(dir string) error {
	if dir == "" {
		return nil
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fail(wire.FailWorkdir, "working directory %s does not exist in the space", dir)
	case err != nil:
		return fail(wire.FailWorkdir, "working directory %s cannot be used: %v", dir, err)
	case !info.IsDir():
		return fail(wire.FailWorkdir, "working directory %s is not a directory", dir)
	case unix.Access(dir, unix.X_OK) != nil:
		return fail(wire.FailWorkdir, "working directory %s cannot be entered: permission denied", dir)
	}
	return nil
}

// merge puts the later value of a name in the place of the earlier one.
func merge(inherited, own []string, tty bool) []string {
	env := make([]string, 0, len(inherited)+len(own)+1)
	at := map[string]int{}
	for _, list := range [][]string{inherited, own} {
		for _, kv := range list {
			name, _, ok := strings.Cut(kv, "=")
			if !ok || name == "" {
				continue
			}
			if i, seen := at[name]; seen {
				env[i] = kv
				continue
			}
			at[name] = len(env)
			env = append(env, kv)
		}
	}
	if _, ok := at["TERM"]; tty && !ok {
		env = append(env, "TERM=xterm")
	}
	return env
}

func value(env []string, name string) (string, bool) {
	for _, kv := range env {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			return v, true
		}
	}
	return "", false
}
