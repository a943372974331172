package agent

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// The codes of a command that could not be started, as shells and docker exec
// give them.
const (
	codeNotExecutable = 126
	codeNotFound      = 127
)

// notRun is why a program could not be started; the command's caller sees
// Message on standard error and the code.
type notRun struct {
	Code    int
	Message string
}

func (e *notRun) Error() string { return e.Message }

// lookup finds a program as a shell in dir with that PATH would.
func lookup(name, dir, path string) (string, error) {
	if strings.Contains(name, "/") {
		return check(name, within(dir, name))
	}
	var denied error
	for _, place := range filepath.SplitList(path) {
		found, err := check(name, within(dir, filepath.Join(place, name)))
		if err == nil {
			return found, nil
		}
		var e *notRun
		if errors.As(err, &e) && e.Code == codeNotExecutable {
			denied = err
		}
	}
	if denied != nil {
		return "", denied
	}
	return "", &notRun{codeNotFound, name + ": executable file not found in $PATH"}
}

func within(dir, path string) string {
	if dir == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

func check(name, path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "", &notRun{codeNotExecutable, name + ": permission denied"}
	case err != nil:
		return "", &notRun{codeNotFound, name + ": no such file or directory"}
	case info.IsDir():
		return "", &notRun{codeNotExecutable, name + ": is a directory"}
	case unix.Access(path, unix.X_OK) != nil:
		return "", &notRun{codeNotExecutable, name + ": permission denied"}
	}
	return path, nil
}

// explain sorts what the kernel said to starting name: not run, or no room.
func explain(name string, err error) error {
	switch {
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.ENOMEM):
		return errNoProcess
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ENOTDIR):
		return &notRun{codeNotFound, name + ": no such file or directory (or its interpreter is missing)"}
	case errors.Is(err, syscall.ENOEXEC):
		return &notRun{codeNotExecutable, name + ": exec format error: not a program for this machine, or a script without a #! line"}
	}
	return &notRun{codeNotExecutable, name + ": " + err.Error()}
}

var errNoProcess = errors.New("the space cannot start another process: end some of its processes, or run fewer at once")
