package connect

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Program finds spaced beside the running executable, symlinks resolved, else
// in PATH.
func Program() (string, error) {
	self, err := os.Executable()
	if err == nil {
		self, err = filepath.EvalSymlinks(self)
	}
	var beside string
	if err == nil {
		beside = filepath.Join(filepath.Dir(self), "spaced")
		if p, err := exec.LookPath(beside); err == nil {
			return p, nil
		}
	}
	p, err := exec.LookPath("spaced")
	if err != nil {
		return "", fmt.Errorf("neither %s nor a spaced in PATH; build it with `make build`", beside)
	}
	return filepath.Abs(p)
}

// stateDir is where the daemon keeps its state, and so its log.
func (f *Finder) stateDir() string {
	if dir := f.Getenv("SPACED_STATE_DIR"); dir != "" {
		return dir
	}
	if f.UID == 0 {
		return "/var/lib/spaced"
	}
	if dir := f.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "spaced")
	}
	return filepath.Join(f.Getenv("HOME"), ".local", "state", "spaced")
}
