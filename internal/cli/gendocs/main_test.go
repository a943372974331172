package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gotest.tools/v3/assert"
)

func TestTheReferenceIsTheSameEveryTime(t *testing.T) {
	dir := t.TempDir()
	assert.NilError(t, generate(dir))
	first := pages(t, dir)
	assert.NilError(t, generate(dir))
	assert.DeepEqual(t, pages(t, dir), first)

	exec, ok := first["space_exec.md"]
	assert.Assert(t, ok, "there is a page for exec")
	assert.Assert(t, strings.Contains(exec, "`--timeout`"))
	assert.Assert(t, !strings.Contains(exec, "`--detach`"), "what is not available yet is not documented")
}

func TestHandWrittenTextIsKept(t *testing.T) {
	dir := t.TempDir()
	assert.NilError(t, generate(dir))
	page := filepath.Join(dir, "space_ls.md")
	b, err := os.ReadFile(page)
	assert.NilError(t, err)
	assert.NilError(t, os.WriteFile(page, append(b, "## Examples by hand\n"...), 0o600))
	assert.NilError(t, generate(dir))
	assert.Assert(t, strings.HasSuffix(pages(t, dir)["space_ls.md"], "## Examples by hand\n"))
}

func pages(t *testing.T, dir string) map[string]string {
	files, err := filepath.Glob(filepath.Join(dir, "*.md"))
	assert.NilError(t, err)
	got := map[string]string{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		assert.NilError(t, err)
		got[filepath.Base(file)] = string(b)
	}
	return got
}
