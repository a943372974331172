package spec_test

import (
	"errors"
	"strings"
	"testing"

	"gotest.tools/v3/assert"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/spec"
)

var host = spec.Limits{HostMemory: 8 << 30, HostCPUs: 4, DefaultMemory: 2 << 30, DefaultCPUs: 1, DefaultImage: "docker-space/base"}

func TestNames(t *testing.T) {
	for _, good := range []string{"dev", "a", "0", "My_space.1-x", strings.Repeat("a", 63)} {
		assert.NilError(t, spec.CheckName(good), good)
	}
	for _, bad := range []string{"", "../x", "-a", ".a", "_a", "a b", "a/b", "ä", "a\x00", strings.Repeat("a", 64), "guest", "GUEST"} {
		assert.ErrorContains(t, spec.CheckName(bad), "name", bad)
	}
}

func TestMemory(t *testing.T) {
	for in, want := range map[api.Text]int64{"2g": 2 << 30, "512m": 512 << 20, "1024": 1 << 30, "1.5g": 3 << 29, "8g": 8 << 30, " 64m ": 64 << 20} {
		got, err := spec.Memory(in, host)
		assert.NilError(t, err, in)
		assert.Equal(t, got, want, in)
	}
	for _, bad := range []api.Text{"0", "-1", "2x", "9g", "1", "NaN", "", "1e30", "g"} {
		_, err := spec.Memory(bad, host)
		assert.ErrorContains(t, err, "from 32MiB to 8GiB", bad)
	}
}

func TestCPUs(t *testing.T) {
	for in, want := range map[api.Text]float64{"1": 1, "0.5": 0.5, "4": 4, "0.01": 0.01} {
		got, err := spec.CPUs(in, host)
		assert.NilError(t, err, in)
		assert.Equal(t, got, want, in)
	}
	for _, bad := range []api.Text{"0", "-1", "NaN", "Inf", "4.1", "x", "", "1e-9"} {
		_, err := spec.CPUs(bad, host)
		assert.ErrorContains(t, err, "from 0.01 to 4", bad)
	}
}

func TestFromCreateFillsDefaults(t *testing.T) {
	s, err := spec.FromCreate(api.CreateRequest{Name: "dev"}, host)
	assert.NilError(t, err)
	assert.DeepEqual(t, s, spec.Space{
		Name: "dev", Image: "docker-space/base", Template: "default", Memory: 2 << 30, CPUs: 1,
		PidsLimit: 512, TmpSize: 512 << 20, Network: spec.NetworkInternet, Pull: spec.PullMissing,
	})
	small := host
	small.HostMemory, small.HostCPUs = 1<<30, 1
	small.DefaultCPUs = 2
	s, err = spec.FromCreate(api.CreateRequest{Name: "dev"}, small)
	assert.NilError(t, err)
	assert.Equal(t, s.Memory, int64(1<<30))
	assert.Equal(t, s.CPUs, 1.0)
}

func TestFromCreateRefuses(t *testing.T) {
	for _, c := range []struct {
		field string
		code  api.Code
		req   api.CreateRequest
	}{
		{"name", api.CodeInvalid, api.CreateRequest{}},
		{"memory", api.CodeInvalid, api.CreateRequest{Memory: "2x"}},
		{"cpus", api.CodeInvalid, api.CreateRequest{CPUs: "NaN"}},
		{"image", api.CodeInvalid, api.CreateRequest{Image: "UPPER CASE"}},
		{"network", api.CodeInvalid, api.CreateRequest{Network: "host"}},
		{"pull", api.CodeInvalid, api.CreateRequest{Pull: "sometimes"}},
		{"user", api.CodeInvalid, api.CreateRequest{User: "a:b:c"}},
		{"workdir", api.CodeInvalid, api.CreateRequest{Workdir: "x"}},
		{"shmSize", api.CodeInvalid, api.CreateRequest{ShmSize: "3g"}},
		{"labels", api.CodeInvalid, api.CreateRequest{Labels: map[string]string{spec.LabelPrefix + "instance": "x"}}},
		{"env", api.CodeInvalid, api.CreateRequest{Env: map[string]string{"A=B": ""}}},
		{"env", api.CodeInvalid, api.CreateRequest{Env: map[string]string{"A": "\x00"}}},
		{"env", api.CodeTooLarge, api.CreateRequest{Env: map[string]string{"A": strings.Repeat("x", spec.MaxEnv)}}},
		{"template", api.CodeInvalid, api.CreateRequest{Template: "../../x"}},
		{"template", api.CodeTemplateNotFound, api.CreateRequest{Template: "node"}},
		{"gpu", api.CodeNotAvailable, api.CreateRequest{GPU: true}},
		{"repoUrl", api.CodeNotAvailable, api.CreateRequest{RepoURL: "https://example.com/x"}},
		{"envFileText", api.CodeNotAvailable, api.CreateRequest{EnvFileText: "A=1"}},
		{"env.GITHUB_TOKEN", api.CodeNotAvailable, api.CreateRequest{Env: map[string]string{"GITHUB_TOKEN": "x"}}},
	} {
		if c.field != "name" {
			c.req.Name = "dev"
		}
		_, err := spec.FromCreate(c.req, host)
		var e *api.Error
		assert.Assert(t, errors.As(err, &e), "%s: %v", c.field, err)
		assert.Equal(t, e.Field, c.field)
		assert.Equal(t, e.Code, c.code)
	}
}
