// Package bin finds the guest's binary for an architecture: embedded in a
// released daemon, beside it in a build tree.
package bin

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/containerd/errdefs"
)

// dist is filled by `make build`; on a fresh clone it is empty.
//
//go:embed all:dist
var dist embed.FS

// Find gives the guest's binary for a Go architecture ("amd64"). The error is of
// kind NotFound where this daemon has none.
func Find(arch string) ([]byte, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot tell where this program is: %w", err)
	}
	return find(dist, filepath.Dir(exe), arch)
}

func find(embedded fs.FS, beside, arch string) ([]byte, error) {
	if filepath.Base(arch) != arch {
		return nil, fmt.Errorf("invalid architecture %q: %w", arch, errdefs.ErrInvalidArgument)
	}
	name := "space-guest-linux-" + arch
	b, err := fs.ReadFile(embedded, "dist/"+name)
	if !errors.Is(err, fs.ErrNotExist) {
		return b, err
	}
	names := []string{name}
	if arch == runtime.GOARCH {
		names = append(names, "space-guest")
	}
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(beside, name))
		if !errors.Is(err, fs.ErrNotExist) {
			return b, err
		}
	}
	return nil, fmt.Errorf("no guest binary for linux/%s in this daemon or beside it in %s: run `make build`: %w", arch, beside, errdefs.ErrNotFound)
}
