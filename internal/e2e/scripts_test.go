package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"gotest.tools/v3/assert"
)

// scriptLimit bounds all scripts together.
const scriptLimit = 8 * time.Minute

func TestScripts(t *testing.T) {
	in := needRoad(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		Deadline:            time.Now().Add(scriptLimit),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               in.setup,
		Cmds:                in.commands(),
	})
}

// setup gives a script $S, a space's name of its own, and the programs.
func (in *instance) setup(env *testscript.Env) error {
	script := strings.TrimPrefix(filepath.Base(env.WorkDir), "script-")
	env.Setenv("S", script)
	env.Vars = append(env.Vars, in.env()...)
	env.Setenv("PATH", filepath.Dir(program("docker-space"))+string(os.PathListSeparator)+env.Getenv("PATH"))
	return nil
}

// env is what points the programs at this instance.
func (in *instance) env() []string {
	return []string{
		"SPACED_SOCKET=" + in.socket(),
		"SPACE_AUTOSTART=0",
		"DOCKER_CONFIG=" + in.dockerConfig(),
		"DOCKER_HOST=" + os.Getenv("DOCKER_HOST"),
		"NO_COLOR=1",
	}
}

// A file that is no script would be taken for a test that nobody runs.
func TestEveryFixtureIsAScript(t *testing.T) {
	entries, err := os.ReadDir("testdata")
	assert.NilError(t, err)
	assert.Assert(t, len(entries) > 0)
	for _, e := range entries {
		if e.IsDir() || filepath.Ext(e.Name()) != ".txtar" {
			t.Errorf("testdata/%s is run by no test: make it a .txtar script or remove it", e.Name())
		}
	}
}
