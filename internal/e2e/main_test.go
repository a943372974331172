// Package e2e walks the whole road, plugin to engine, with the built programs
// and a spaced of a throwaway instance. Scripts are under testdata, one intent
// each; what needs a terminal or a crash is Go.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// road is what the tests of this package share; skip is why they cannot run.
var (
	road *instance
	skip string
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if reason := engineMissing(); reason != "" {
		if os.Getenv("SPACE_REQUIRE_ENGINE") == "1" {
			fmt.Fprintln(os.Stderr, "SPACE_REQUIRE_ENGINE=1, but", reason)
			return 1
		}
		skip = reason
		return m.Run()
	}
	if out, err := build(); err != nil {
		fmt.Fprintf(os.Stderr, "make build: %v\n%s", err, out)
		return 1
	}
	in, err := newInstance("e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer in.remove()
	if err := in.start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		in.keepLog()
		return 1
	}
	road = in
	code := m.Run()
	if code != 0 {
		in.keepLog()
	}
	return code
}

// needRoad gives the shared instance, or skips where there is no engine.
func needRoad(t *testing.T) *instance {
	t.Helper()
	if skip != "" {
		t.Skip(skip)
	}
	return road
}

func engineMissing() string {
	out, err := exec.Command("docker", "version", "--format", "{{.Server.Version}}").CombinedOutput()
	if err != nil {
		return fmt.Sprintf("no engine is reachable by the docker CLI (%v: %s)", err, strings.TrimSpace(string(out)))
	}
	if out, err := exec.Command("docker", "image", "inspect", image()).CombinedOutput(); err != nil {
		return fmt.Sprintf("image %s is missing (%s); run `make image-slim`", image(), strings.TrimSpace(string(out)))
	}
	return ""
}

// build brings bin/ up to date; it does nothing where it is. SPACE_E2E_BIN names
// a folder of programs to test instead.
func build() ([]byte, error) {
	if os.Getenv("SPACE_E2E_BIN") != "" {
		return nil, nil
	}
	cmd := exec.Command("make", "-s", "build")
	cmd.Dir = root()
	return cmd.CombinedOutput()
}

func root() string {
	dir, err := filepath.Abs("../..")
	if err != nil {
		panic(err)
	}
	return dir
}

func program(name string) string {
	if dir := os.Getenv("SPACE_E2E_BIN"); dir != "" {
		return filepath.Join(dir, name)
	}
	return filepath.Join(root(), "bin", name)
}

// image that the spaces are made from.
func image() string {
	if ref := os.Getenv("SPACE_TEST_IMAGE"); ref != "" {
		return ref
	}
	return "docker-space/base:slim"
}
