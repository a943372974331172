package spec

import (
	"regexp"
	"strings"

	"github.com/docker-space/docker-space/internal/api"
)

// NameRule says in one line what a space may be called. 63 is what a host name
// label holds; the space's host name is its name.
const NameRule = "1 to 63 letters, digits, '_', '.' or '-', the first a letter or digit"

var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$`)

// reserved is the one name whose engine volume is taken: the guest's binary.
const reserved = "guest"

// CheckName refuses what cannot name a space, with the rule.
func CheckName(name string) error {
	switch {
	case name == "":
		return api.Invalid("name", "a space needs a name: %s", NameRule)
	case !namePattern.MatchString(name):
		return api.Invalid("name", "invalid space name %q: use %s", clip(name), NameRule)
	case strings.EqualFold(name, reserved):
		return api.Invalid("name", "the space name %q is reserved: choose another", name)
	}
	return nil
}

// clip keeps an error message readable when the value is huge.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}
