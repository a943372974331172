package cli

import (
	"fmt"
	"strings"

	"github.com/docker-space/docker-space/internal/api"
)

const filterHelp = "Filter by name=, status=, image=, label=KEY[=VALUE] or network="

// matchers tell whether a space fits the value of a filter.
var matchers = map[string]func(s api.Space, value string) bool{
	"name":    func(s api.Space, v string) bool { return strings.Contains(s.Name, v) },
	"status":  func(s api.Space, v string) bool { return string(s.Status) == v },
	"image":   func(s api.Space, v string) bool { return matchImage(s.Image, v) },
	"label":   matchLabel,
	"network": func(s api.Space, v string) bool { return s.Network == v },
}

// parseFilters gives the test that a space must pass: for every key, one of the
// values given for it; for labels, all of them, as `docker ps` has it.
func parseFilters(filters []string) (func(api.Space) bool, error) {
	values := map[string][]string{}
	for _, f := range filters {
		key, value, ok := strings.Cut(f, "=")
		key = strings.ToLower(strings.TrimSpace(key))
		switch {
		case !ok:
			return nil, fmt.Errorf("filter %q is not of the form KEY=VALUE", f)
		case matchers[key] == nil:
			return nil, fmt.Errorf("unknown filter %q: use name, status, image, label or network", key)
		case key == "status" && !isStatus(value):
			return nil, fmt.Errorf("unknown status %q: use running, paused, stopped or missing", value)
		}
		values[key] = append(values[key], strings.TrimSpace(value))
	}
	return func(s api.Space) bool {
		for key, list := range values {
			if !matches(s, key, list) {
				return false
			}
		}
		return true
	}, nil
}

func matches(s api.Space, key string, values []string) bool {
	hits := 0
	for _, v := range values {
		if matchers[key](s, v) {
			hits++
		}
	}
	if key == "label" {
		return hits == len(values)
	}
	return hits > 0
}

func isStatus(v string) bool {
	switch api.Status(v) {
	case api.StatusRunning, api.StatusPaused, api.StatusStopped, api.StatusMissing:
		return true
	}
	return false
}

// matchImage compares with and without the tag.
func matchImage(image, v string) bool {
	return image == v || strings.HasPrefix(image, v+":") || strings.HasPrefix(image, v+"@")
}

func matchLabel(s api.Space, v string) bool {
	key, want, hasValue := strings.Cut(v, "=")
	got, ok := s.Labels[key]
	return ok && (!hasValue || got == want)
}
