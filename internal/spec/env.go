package spec

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/docker-space/docker-space/internal/api"
)

// MaxEnv bounds names and values of an environment together, in bytes. The
// kernel gives a process 2 MiB for arguments and environment by default; a
// quarter of a MiB leaves room for what a program adds.
const MaxEnv = 256 << 10

// CheckEnv refuses what the kernel cannot hold as environment.
func CheckEnv(env map[string]string) error {
	total := 0
	for name, value := range env {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			return api.Invalid("env", "invalid environment variable name %q: it must not be empty or hold '=' or NUL", clip(name))
		}
		if strings.ContainsRune(value, 0) {
			return api.Invalid("env", "the value of environment variable %q holds a NUL byte", clip(name))
		}
		total += len(name) + len(value) + 2
	}
	if total > MaxEnv {
		err := api.Errorf(api.CodeTooLarge, "the environment is %d bytes; the limit is %d: put large values in a file under /workspace", total, MaxEnv)
		err.Field = "env"
		return err
	}
	return nil
}

// LabelPrefix is our own part of the label names.
const LabelPrefix = "io.github.docker-space."

func checkLabels(labels map[string]string) error {
	for k := range labels {
		if k == "" || strings.HasPrefix(k, LabelPrefix) {
			return api.Invalid("labels", "invalid label %q: it must not be empty or begin with %s, which is ours", clip(k), LabelPrefix)
		}
	}
	return nil
}

var userPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$`)

// CheckUser refuses what cannot be a user in Docker's form name|uid[:group|gid].
func CheckUser(user string) error {
	if user != "" && (len(user) > 128 || !userPattern.MatchString(user)) {
		return api.Invalid("user", "invalid user %q: give name|uid[:group|gid]", clip(user))
	}
	return nil
}

// CheckWorkdir refuses a working directory that is not an absolute path.
func CheckWorkdir(dir string) error {
	if dir != "" && (!strings.HasPrefix(dir, "/") || strings.ContainsRune(dir, 0) || len(dir) > 4096) {
		return api.Invalid("workdir", "invalid working directory %q: give an absolute path", clip(dir))
	}
	return nil
}

// unavailable is the answer to a request for what a later release brings.
func unavailable(field, what string) error {
	err := api.Errorf(api.CodeNotAvailable, "%s", fmt.Sprintf("%s is not available yet: leave %q out", what, field))
	err.Field = field
	return err
}
