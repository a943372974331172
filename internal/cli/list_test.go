package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker/cli/cli/command/formatter"
	"github.com/google/go-cmp/cmp"
	"gotest.tools/v3/assert"
	"gotest.tools/v3/golden"
)

var (
	allowUnexported = cmp.AllowUnexported(result{})
	fixed           = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

func someSpaces() []api.Space {
	long := aSpace("zeta", api.StatusPaused)
	long.Image = "registry.example.com/a/very/long/path/of/an/image:with-a-tag"
	kept := api.Space{Name: "old", Status: api.StatusMissing, Volume: api.Volume{Name: "space-old"}}
	return []api.Space{long, aSpace("dev", api.StatusRunning), kept}
}

func TestList(t *testing.T) {
	f := newFake(t, someSpaces()...)
	for name, args := range map[string][]string{
		"ls":          nil,
		"ls-all":      {"-a"},
		"ls-no-trunc": {"--no-trunc"},
		"ls-quiet":    {"-q"},
		"ls-table":    {"--format", `table {{.Name}}\t{{.Labels}}\t{{.Label "team"}}`},
		"ls-template": {"--format", `{{.Name}}: {{.Network}} {{.Node}}`},
		"ls-filtered": {"-a", "--filter", "status=running", "--filter", "status=missing"},
	} {
		r := run(t.Context(), t, f, "", append([]string{"ls"}, args...)...)
		assert.Equal(t, r.code, 0, r.stderr)
		golden.Assert(t, r.stdout, name+".golden")
	}
}

func TestListJSON(t *testing.T) {
	var b strings.Builder
	s := aSpace("dev", api.StatusRunning)
	s.Created, s.LastActivity = fixed, fixed
	assert.NilError(t, writeSpaces(formatter.Context{Output: &b, Format: "json", Trunc: true}, []api.Space{s}, fixed.Add(time.Hour)))
	golden.Assert(t, b.String(), "ls-json.golden")
}

func TestListOfNothingIsOnlyTheHeader(t *testing.T) {
	r := run(t.Context(), t, newFake(t), "", "ls")
	assert.Assert(t, strings.HasPrefix(r.stdout, "NAME"))
	assert.Equal(t, strings.Count(r.stdout, "\n"), 1)
	assert.Equal(t, run(t.Context(), t, newFake(t), "", "ls", "-q").stdout, "")
}

func TestListRefusesWhatItDoesNotKnow(t *testing.T) {
	f := newFake(t)
	for arg, want := range map[string]string{
		"--filter=color=red":     `unknown filter "color"`,
		"--filter=name":          `filter "name" is not of the form KEY=VALUE`,
		"--filter=status=asleep": `unknown status "asleep"`,
		"--format={{.Nix}}":      "template parsing error",
		"--format={{":            "template parsing error",
	} {
		r := run(t.Context(), t, f, "", "ls", arg)
		if arg == "--format={{.Nix}}" {
			f2 := newFake(t, someSpaces()...)
			r = run(t.Context(), t, f2, "", "ls", arg)
		}
		assert.Equal(t, r.code, 1, arg)
		assert.Assert(t, strings.Contains(r.stderr, want), r.stderr)
	}
}

func TestFilters(t *testing.T) {
	s := aSpace("dev", api.StatusRunning)
	for filters, want := range map[string]bool{
		"":                              true,
		"name=ev":                       true,
		"name=x":                        false,
		"name=x name=dev":               true,
		"image=docker-space/base":       true,
		"image=docker-space/base:other": false,
		"label=team":                    true,
		"label=team=a label=env=test":   true,
		"label=team=a label=env=prod":   false,
		"network=internet name=dev":     true,
		"network=none name=dev":         false,
	} {
		fit, err := parseFilters(strings.Fields(filters))
		assert.NilError(t, err)
		assert.Equal(t, fit(s), want, filters)
	}
}
