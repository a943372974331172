package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker/cli/cli"
	"gotest.tools/v3/assert"
	"gotest.tools/v3/golden"
)

var subcommands = []string{
	"create", "run", "ls", "exec", "shell", "start", "stop", "restart", "rm", "inspect", "system", "version", "dashboard",
}

func TestHelp(t *testing.T) {
	golden.Assert(t, run(t.Context(), t, nowhere{}, "").stdout, "help.golden")
	for _, name := range subcommands {
		r := run(t.Context(), t, nowhere{}, "", name, "--help")
		assert.Equal(t, r.code, 0, r.stderr)
		golden.Assert(t, r.stdout, "help-"+name+".golden")
	}
}

func TestTheOriginalsWordsAreUnderstood(t *testing.T) {
	for alias, name := range map[string]string{"list": "ls", "destroy": "rm", "pause": "stop", "unpause": "start", "info": "system"} {
		r := run(t.Context(), t, nowhere{}, "", alias, "--help")
		assert.Equal(t, r.code, 0)
		assert.Assert(t, strings.HasPrefix(r.stdout, "Usage:  docker space "+name), r.stdout)
	}
}

func TestAnUnknownSubcommandFails(t *testing.T) {
	r := run(t.Context(), t, nowhere{}, "", "lst")
	assert.Equal(t, r.code, 1)
	assert.Equal(t, r.stdout, "")
	assert.Assert(t, strings.Contains(r.stderr, "unknown command: docker space lst"), r.stderr)
}

func TestWithoutADaemonEveryCommandFailsAndSaysSo(t *testing.T) {
	for _, tc := range []struct {
		code int
		args []string
	}{
		{1, []string{"create", "a"}},
		{125, []string{"run", "a", "true"}},
		{1, []string{"ls"}},
		{125, []string{"exec", "a", "true"}},
		{125, []string{"shell", "a"}},
		{1, []string{"start", "a"}},
		{1, []string{"stop", "a"}},
		{1, []string{"restart", "a"}},
		{1, []string{"rm", "-f", "a"}},
		{1, []string{"inspect", "a"}},
		{1, []string{"system"}},
		{1, []string{"version"}},
		{1, []string{"dashboard", "--no-open"}},
	} {
		r := run(t.Context(), t, nowhere{}, "", tc.args...)
		assert.Equal(t, r.code, tc.code, "%v", tc.args)
		assert.Equal(t, r.stderr, "no spaced answers on this machine\n", "%v", tc.args)
	}
}

func TestAnUnknownSpaceIsAnErrorOfEveryCommand(t *testing.T) {
	f := newFake(t)
	for _, tc := range []struct {
		code int
		args []string
	}{
		{125, []string{"exec", "nix", "true"}},
		{125, []string{"shell", "nix"}},
		{1, []string{"start", "nix"}},
		{1, []string{"stop", "nix"}},
		{1, []string{"restart", "nix"}},
		{1, []string{"rm", "-f", "nix"}},
		{1, []string{"inspect", "nix"}},
	} {
		r := run(t.Context(), t, f, "", tc.args...)
		assert.Equal(t, r.code, tc.code, "%v", tc.args)
		assert.Equal(t, r.stderr, "no space nix; see docker space ls\n", "%v", tc.args)
	}
}

func TestLifecycleGoesOnAfterAFailure(t *testing.T) {
	f := newFake(t, aSpace("a", api.StatusPaused), aSpace("b", api.StatusPaused))
	r := run(t.Context(), t, f, "", "start", "a", "nix", "b")
	assert.Equal(t, r.code, 1)
	assert.Equal(t, r.stdout, "a\nb\n")
	assert.Equal(t, f.log(), "start a; start b")
	assert.Equal(t, run(t.Context(), t, f, "", "pause", "a").stdout, "a\n")
	assert.Equal(t, run(t.Context(), t, f, "", "restart", "a").stdout, "a\n")
	assert.Equal(t, f.log(), "start a; start b; stop a; restart a")
}

func TestRemoveNeedsForceWhereNobodyCanBeAsked(t *testing.T) {
	f := newFake(t, aSpace("a", api.StatusRunning))
	r := run(t.Context(), t, f, "y\n", "rm", "a")
	assert.Equal(t, r.code, 1)
	assert.Assert(t, strings.Contains(r.stderr, "use -f"), r.stderr)
	assert.Equal(t, f.log(), "")
}

func TestRemoveKeepsTheWorkspaceUnlessTold(t *testing.T) {
	f := newFake(t, aSpace("a", api.StatusRunning), aSpace("b", api.StatusRunning))
	r := run(t.Context(), t, f, "", "rm", "-f", "a", "b")
	assert.DeepEqual(t, r, result{stdout: "a\nb\n"}, allowUnexported)
	r = run(t.Context(), t, f, "", "destroy", "-f", "--volumes", "a")
	assert.DeepEqual(t, r, result{stdout: "a\n", stderr: "Deleted the workspace of a: 12.35MB (12345678 bytes)\n"}, allowUnexported)
	assert.Equal(t, f.log(), "delete a?; delete b?; delete a?removeVolume=true")
}

func TestCreateSendsEverythingAndPrintsTheName(t *testing.T) {
	f := newFake(t)
	file := filepath.Join(t.TempDir(), "env")
	assert.NilError(t, os.WriteFile(file, []byte("# c\nA=1\nB=from file\n"), 0o600))
	t.Setenv("FROM_HERE", "x")
	r := run(t.Context(), t, f, "", "create", "--image", "i", "-m", "2g", "--cpus", "1.5", "-e", "B=2", "-e", "FROM_HERE", "-e", "UNSET_HERE",
		"--env-file", file, "--network", "none", "-l", "k=v", "--label", "empty", "--read-only", "--runtime", "runsc", "-u", "1:2", "-w", "/x",
		"--shm-size", "1g", "--pull", "never", "--template", "default", "dev")
	assert.DeepEqual(t, r, result{stdout: "dev\n", stderr: "Creating the container\n"}, allowUnexported)
	assert.DeepEqual(t, f.created, api.CreateRequest{
		Name: "dev", Image: "i", Memory: "2g", CPUs: "1.5", ShmSize: "1g", Template: "default", Network: "none", Runtime: "runsc", User: "1:2",
		Workdir: "/x", Pull: "never", ReadOnly: true,
		Env: map[string]string{"A": "1", "B": "2", "FROM_HERE": "x"}, Labels: map[string]string{"k": "v", "empty": ""},
	})
}

func TestCreateShowsProgressAsAsked(t *testing.T) {
	lines := `{"status":"Pulling i"}` + "\n" + `{"id":"l1","status":"Downloading","current":1,"total":2}` + "\n" +
		`{"id":"l1","status":"Downloading","current":2,"total":2}` + "\n" + `{"id":"l1","status":"Done"}` + "\n" + `{"space":{"name":"a"}}` + "\n"
	for mode, want := range map[string]string{
		"auto":  "Pulling i\nl1: Downloading\nl1: Done\n",
		"plain": "Pulling i\nl1: Downloading\nl1: Done\n",
		"quiet": "",
		"json": `{"status":"Pulling i"}` + "\n" + `{"status":"Downloading","id":"l1","current":1,"total":2}` + "\n" +
			`{"status":"Downloading","id":"l1","current":2,"total":2}` + "\n" + `{"status":"Done","id":"l1"}` + "\n",
		"tty": "\r\x1b[KPulling i\r\x1b[KPulling i  1B / 2B in 1 layers\r\x1b[KPulling i  2B / 2B in 1 layers" +
			"\r\x1b[KPulling i  2B / 2B in 1 layers\r\x1b[K",
	} {
		f := newFake(t)
		f.createAnswer = lines
		r := run(t.Context(), t, f, "", "create", "--progress", mode, "a")
		assert.DeepEqual(t, r, result{stdout: "a\n", stderr: want}, allowUnexported)
	}
	f := newFake(t)
	assert.Equal(t, run(t.Context(), t, f, "", "create", "-q", "a").stderr, "")
	assert.Equal(t, run(t.Context(), t, f, "", "create", "--progress", "loud", "a").code, 1)
}

func TestCreateFailureIsTheDaemonsMessage(t *testing.T) {
	f := newFake(t)
	f.createAnswer = `{"status":"Pulling i"}` + "\n" + `{"failure":{"error":"no image i; run docker pull i","code":"image_not_found"}}` + "\n"
	r := run(t.Context(), t, f, "", "create", "-q", "a")
	assert.DeepEqual(t, r, result{stderr: "no image i; run docker pull i\n", code: 1}, allowUnexported)
}

func TestWhatComesLaterSaysSo(t *testing.T) {
	for _, args := range [][]string{
		{"create", "--template", "python", "a"},
		{"create", "--gpus", "all", "a"},
		{"run", "--gpus", "all", "a"},
		{"run", "-d", "a"},
		{"exec", "-d", "a", "true"},
	} {
		r := run(t.Context(), t, nowhere{}, "", args...)
		assert.Equal(t, r.code, 1, "%v", args)
		assert.Assert(t, strings.Contains(r.stderr, "is not available yet"), r.stderr)
	}
}

func TestInspect(t *testing.T) {
	s := aSpace("a", api.StatusRunning)
	s.Created, s.LastActivity = fixed, fixed
	s.Detail = &api.Detail{ContainerID: "0123456789abcdef", User: "1001:1001", Workdir: "/workspace", Guest: api.Guest{Mode: "guest"}}
	f := newFake(t, s)
	golden.Assert(t, run(t.Context(), t, f, "", "inspect", "a").stdout, "inspect.golden")
	assert.Equal(t, run(t.Context(), t, f, "", "inspect", "--format", "{{.Name}} {{.Detail.Guest.Mode}}", "a").stdout, "a guest\n")
	assert.Equal(t, run(t.Context(), t, f, "", "inspect", "--format", "{{.status}}", "a").stdout, "running\n")

	r := run(t.Context(), t, f, "", "inspect", "a", "nix")
	assert.Equal(t, r.code, 1)
	assert.Assert(t, strings.Contains(r.stdout, `"name": "a"`), "what was found is shown")
	assert.Equal(t, run(t.Context(), t, f, "", "inspect", "--format", "{{.Nix}}", "a").code, 1)
}

func TestSystemAndVersion(t *testing.T) {
	f := newFake(t)
	golden.Assert(t, run(t.Context(), t, f, "", "system").stdout, "system.golden")
	assert.Equal(t, run(t.Context(), t, f, "", "info", "--format", "{{.Docker.Version}}").stdout, "20.10.24\n")
	r := run(t.Context(), t, f, "", "version", "--format", "{{.Client.Version}} {{.Server.Version}} {{.Server.Node}}")
	assert.DeepEqual(t, r, result{stdout: "dev v9 box\n"}, allowUnexported)
	assert.Assert(t, strings.Contains(run(t.Context(), t, f, "", "version").stdout, "\nServer:\n Version:   v9\n"))
	assert.Equal(t, run(t.Context(), t, f, "", "version", "--format", "{{").code, 1)

	r = run(t.Context(), t, nowhere{}, "", "version")
	assert.Assert(t, strings.HasPrefix(r.stdout, "Client:\n Version:     dev\n"), r.stdout)
	assert.Equal(t, r.code, 1)
}

func TestDashboardPrintsTheAddressOfThisDaemon(t *testing.T) {
	f := newFake(t)
	t.Setenv("DISPLAY", "")
	t.Setenv("WAYLAND_DISPLAY", "")
	assert.DeepEqual(t, run(t.Context(), t, f, "", "dashboard"), result{stdout: f.url + "\n"}, allowUnexported)
}

func TestCompletionNamesLiveSpacesAndStartsNothing(t *testing.T) {
	f := newFake(t, aSpace("dev", api.StatusRunning), aSpace("old", api.StatusPaused), aSpace("kept", api.StatusMissing))
	a := &app{finder: f}
	assert.DeepEqual(t, a.names(t.Context(), nil, anySpace), []string{"dev", "old"})
	assert.DeepEqual(t, a.names(t.Context(), nil, asleep), []string{"old"})
	assert.DeepEqual(t, a.names(t.Context(), []string{"dev"}, anySpace), []string{"old"})
	a.finder = nowhere{}
	assert.Equal(t, len(a.names(t.Context(), nil, anySpace)), 0)
}

func TestExitCodes(t *testing.T) {
	for _, tc := range []struct {
		err  error
		code int
		text string
	}{
		{nil, 0, ""},
		{errors.New("x"), 1, "x\n"},
		{cli.StatusError{StatusCode: 3}, 3, ""},
		{cli.StatusError{StatusCode: 0}, 1, ""},
		{cli.StatusError{StatusCode: 125, Status: "y"}, 125, "y\n"},
		{errors.Join(context.Canceled), 130, ""},
	} {
		var b strings.Builder
		assert.Equal(t, exitCode(tc.err, &b), tc.code)
		assert.Equal(t, b.String(), tc.text)
	}
}

func TestStandaloneArguments(t *testing.T) {
	for _, tc := range []struct {
		byDocker   bool
		args, want string
	}{
		{false, "p ls", "p space ls"},
		{false, "p", "p space"},
		{false, "p --help", "p space --help"},
		{false, "p space ls", "p space ls"},
		{false, "p docker-cli-plugin-metadata", "p docker-cli-plugin-metadata"},
		{false, "p __complete exec x", "p __complete space exec x"},
		{true, "p --context c space ls", "p --context c space ls"},
	} {
		assert.Equal(t, strings.Join(pluginArgs(strings.Fields(tc.args), tc.byDocker), " "), tc.want)
	}
}

func TestCancelledIs130(t *testing.T) {
	f := newFake(t, aSpace("a", api.StatusRunning))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, args := range [][]string{
		{"ls"}, {"create", "b"}, {"start", "a"}, {"rm", "-f", "a"}, {"inspect", "a"}, {"system"}, {"exec", "a", "true"},
	} {
		assert.Equal(t, run(ctx, t, f, "", args...).code, 130, "%v", args)
	}
}
