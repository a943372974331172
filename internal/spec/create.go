package spec

import (
	"maps"
	"regexp"
	"slices"

	"github.com/distribution/reference"

	"github.com/docker-space/docker-space/internal/api"
)

// FromCreate makes the spec of a create request: checked, with the node's
// defaults where the request is silent. Errors are *api.Error naming the field.
func FromCreate(r api.CreateRequest, lim Limits) (Space, error) {
	s := Space{
		Name: r.Name, Image: lim.DefaultImage, Template: "default",
		Memory: min(lim.DefaultMemory, lim.HostMemory), CPUs: min(lim.DefaultCPUs, float64(lim.HostCPUs)),
		PidsLimit: DefaultPids, Env: maps.Clone(r.Env), Labels: maps.Clone(r.Labels),
		Network: NetworkInternet, ReadOnly: r.ReadOnly, Runtime: r.Runtime,
		User: r.User, Workdir: r.Workdir, Pull: PullMissing,
	}
	for _, check := range []func() error{
		func() error { return CheckName(r.Name) },
		func() error { return checkLater(r) },
		func() error { return checkTemplate(r.Template) },
		func() error { return s.setImage(r.Image) },
		func() error { return s.setSizes(r, lim) },
		func() error { return s.setNetwork(r.Network) },
		func() error { return s.setPull(r.Pull) },
		func() error { return CheckEnv(r.Env) },
		func() error { return checkLabels(r.Labels) },
		func() error { return CheckUser(r.User) },
		func() error { return CheckWorkdir(r.Workdir) },
	} {
		if err := check(); err != nil {
			return Space{}, err
		}
	}
	return s, nil
}

// checkLater answers for the fields of the original that a later release
// brings; none is ignored silently. GITHUB_TOKEN is a credential there, which
// must not become container environment.
func checkLater(r api.CreateRequest) error {
	_, token := r.Env["GITHUB_TOKEN"]
	for _, f := range []struct {
		set         bool
		field, what string
	}{
		{r.GPU || r.GPUs != "", "gpu", "a GPU space"},
		{r.RepoURL != "" || r.RepoBranch != "" || r.RepoDest != "", "repoUrl", "cloning a repository on create"},
		{r.EnvFileText != "" || r.EnvFileBase64 != "" || r.EnvFilePath != "", "envFileText", "writing an environment file on create"},
		{token, "env.GITHUB_TOKEN", "keeping a token as a secret"},
	} {
		if f.set {
			return unavailable(f.field, f.what)
		}
	}
	return nil
}

var templatePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$`)

func checkTemplate(name string) error {
	switch {
	case name == "" || name == "default":
		return nil
	case !templatePattern.MatchString(name):
		return api.Invalid("template", "invalid template name %q: use letters, digits, '_' and '-'", clip(name))
	}
	err := api.Errorf(api.CodeTemplateNotFound, "no template %q: there is only \"default\" so far", name)
	err.Field = "template"
	return err
}

func (s *Space) setImage(ref string) error {
	if ref == "" {
		return nil
	}
	if _, err := reference.ParseAnyReference(ref); err != nil || len(ref) > 512 {
		return api.Invalid("image", "invalid image reference %q: give one such as debian:bookworm or ghcr.io/me/app:1.2", clip(ref))
	}
	s.Image = ref
	return nil
}

func (s *Space) setSizes(r api.CreateRequest, lim Limits) (err error) {
	if r.Memory != "" {
		if s.Memory, err = Memory(r.Memory, lim); err != nil {
			return err
		}
	}
	if r.CPUs != "" {
		if s.CPUs, err = CPUs(r.CPUs, lim); err != nil {
			return err
		}
	}
	// A quarter of the memory: /tmp counts against the space's memory, and a
	// full /tmp must not be the end of its processes.
	s.TmpSize = s.Memory / 4
	if r.ShmSize != "" {
		s.ShmSize, err = shmSize(r.ShmSize, s.Memory)
	}
	return err
}

func (s *Space) setNetwork(mode string) error {
	modes := []Network{NetworkInternet, NetworkLAN, NetworkNone}
	switch {
	case mode == "":
	case slices.Contains(modes, Network(mode)):
		s.Network = Network(mode)
	default:
		return api.Invalid("network", "invalid network %q: use internet, lan or none", clip(mode))
	}
	return nil
}

func (s *Space) setPull(policy string) error {
	policies := []PullPolicy{PullMissing, PullAlways, PullNever}
	switch {
	case policy == "":
	case slices.Contains(policies, PullPolicy(policy)):
		s.Pull = PullPolicy(policy)
	default:
		return api.Invalid("pull", "invalid pull policy %q: use missing, always or never", clip(policy))
	}
	return nil
}
