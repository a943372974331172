package internal_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"gotest.tools/v3/assert"
)

const module = "github.com/docker-space/docker-space/"

// forbidden are the packages that a binary must not link, directly or not; a
// path stands for everything below it too.
var forbidden = []struct {
	binary string
	deps   map[string]string
}{
	{"cmd/docker-space", map[string]string{
		module + "internal/server": "the plugin is a client of the API",
		module + "internal/daemon": "the plugin is a client of the API",
		module + "internal/engine": "the plugin never talks to the engine itself",
		module + "internal/space":  "the rules live in the daemon alone",
		module + "internal/store":  "state belongs to the daemon",
		"modernc.org/sqlite":       "state belongs to the daemon",
	}},
	{"cmd/spaced", map[string]string{
		module + "internal/cli":    "the daemon has no commands of the docker CLI",
		"github.com/docker/cli":    "the daemon has no commands of the docker CLI",
		"github.com/docker/docker": "frozen and unfixed; internal/engine uses github.com/moby/moby",
		"testing":                  "test code stays out of programs",
	}},
	{"cmd/space-guest", map[string]string{
		module + "internal/server": "the guest is small and knows only its own space",
		module + "internal/daemon": "the guest is small and knows only its own space",
		module + "internal/engine": "the guest must have no way to the engine",
		module + "internal/store":  "state belongs to the daemon",
		module + "internal/cli":    "the guest is no command line",
		"github.com/docker/cli":    "the guest is no command line",
		"github.com/moby/moby":     "the guest must have no way to the engine",
		"runtime/cgo":              "the guest is static and runs in any image",
	}},
}

func TestBinariesDoNotLinkForbiddenPackages(t *testing.T) {
	for _, f := range forbidden {
		t.Run(f.binary, func(t *testing.T) {
			linked := list(t, "-deps", "./../"+f.binary)
			assert.Assert(t, slices.Contains(linked, module+f.binary), "%s is not in its own list", f.binary)
			for _, pkg := range linked {
				for bad, why := range f.deps {
					if within(pkg, bad) {
						t.Errorf("%s links %s: %s", f.binary, pkg, why)
					}
				}
			}
		})
	}
}

// owners are the only rooms that may import a package directly.
var owners = map[string][]string{
	"github.com/moby/moby":  {"internal/engine"},
	"github.com/docker/cli": {"internal/cli", "cmd/docker-space"},
	"database/sql":          {"internal/store"},
	"modernc.org/sqlite":    {"internal/store"},
	"tailscale.com":         {"internal/nodes"},
}

func TestPackagesWithAnOwnerAreImportedByItAlone(t *testing.T) {
	lines := list(t, "-f", `{{$p := .ImportPath}}{{range .Imports}}{{$p}} {{.}}{{"\n"}}{{end}}`, "./../...")
	assert.Assert(t, len(lines) > 100, "go list gave only %d imports", len(lines))
	for _, line := range lines {
		importer, imported, _ := strings.Cut(line, " ")
		for pkg, rooms := range owners {
			if within(imported, pkg) && !slices.ContainsFunc(rooms, func(r string) bool { return within(importer, module+r) }) {
				t.Errorf("%s imports %s, which belongs to %s", importer, imported, strings.Join(rooms, " and "))
			}
		}
	}
}

func within(pkg, parent string) bool {
	return pkg == parent || strings.HasPrefix(pkg, parent+"/")
}

// list runs `go list` as the programs are built: for Linux, without cgo.
func list(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...)
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	assert.NilError(t, err, "go list %s: %s", strings.Join(args, " "), stderr.String())
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' })
}
