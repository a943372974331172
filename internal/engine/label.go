package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"

	"github.com/docker-space/docker-space/internal/space"
	"github.com/docker-space/docker-space/internal/spec"
)

// labelled is the JSON of LabelSpec: what the container's configuration does
// not hold, or holds mixed with the image's. Values of environment and labels
// are not repeated here; the names tell the user's from the image's.
type labelled struct {
	Template   string          `json:"template,omitempty"`
	Network    spec.Network    `json:"network"`
	TmpSize    int64           `json:"tmpSize,omitempty"`
	Runtime    string          `json:"runtime,omitempty"`
	User       string          `json:"user,omitempty"`
	Pull       spec.PullPolicy `json:"pull,omitempty"`
	Env        []string        `json:"env,omitempty"`
	Labels     []string        `json:"labels,omitempty"`
	Entrypoint []string        `json:"entrypoint,omitempty"`
	Cmd        []string        `json:"cmd,omitempty"`
}

// labels of a space's container.
func (n names) containerLabels(s spec.Space, with space.Creation, noGuest string) (map[string]string, error) {
	b, err := json.Marshal(labelled{
		Template: s.Template, Network: s.Network, TmpSize: s.TmpSize, Runtime: s.Runtime, User: s.User, Pull: s.Pull,
		Env: slices.Sorted(maps.Keys(s.Env)), Labels: slices.Sorted(maps.Keys(s.Labels)),
		Entrypoint: with.Image.Entrypoint, Cmd: with.Image.Cmd,
	})
	if err != nil {
		return nil, fmt.Errorf("write the label of space %s: %w", s.Name, err)
	}
	labels := maps.Clone(s.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, n.spaceLabels(s.Name, with.Token))
	labels[LabelSpec] = string(b)
	// Set also when empty, so that no label of the image shows through.
	labels[LabelNoGuest] = noGuest
	return labels, nil
}

// read makes a Container of what the engine holds. A damaged label costs what
// it held, not the space.
func read(r container.InspectResponse) space.Container {
	cfg, host, state := orZero(r.Config), orZero(r.HostConfig), orZero(r.State)
	var l labelled
	_ = json.Unmarshal([]byte(cfg.Labels[LabelSpec]), &l)
	return space.Container{
		ID: r.ID, ImageID: r.Image, Token: cfg.Labels[LabelToken],
		Spec:  readSpec(l, cfg, host),
		State: readState(state), Created: readTime(r.Created), Started: readTime(state.StartedAt),
		ExitCode: state.ExitCode, OOMKilled: state.OOMKilled,
		NoGuest: cfg.Labels[LabelNoGuest], RunsAs: cfg.User,
		Entrypoint: l.Entrypoint, Cmd: l.Cmd,
	}
}

func readSpec(l labelled, cfg container.Config, host container.HostConfig) spec.Space {
	s := spec.Space{
		Name: cfg.Labels[LabelName], Image: cfg.Image, Template: l.Template,
		Memory: host.Memory, CPUs: float64(host.NanoCPUs) / 1e9, ShmSize: host.ShmSize, TmpSize: l.TmpSize,
		Env: pick(envMap(cfg.Env), l.Env), Labels: pick(cfg.Labels, l.Labels),
		Network: l.Network, ReadOnly: host.ReadonlyRootfs, Runtime: l.Runtime,
		User: l.User, Workdir: cfg.WorkingDir, Pull: l.Pull,
	}
	if host.PidsLimit != nil {
		s.PidsLimit = *host.PidsLimit
	}
	return s
}

func readState(s container.State) space.State {
	switch {
	case s.Paused:
		return space.Paused
	case s.Running:
		return space.Running
	}
	return space.Stopped
}

// readTime gives the zero time for the engine's own "never".
func readTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() <= 1 {
		return time.Time{}
	}
	return t
}

func pick(from map[string]string, keys []string) map[string]string {
	out := make(map[string]string, len(keys))
	for _, k := range keys {
		if v, ok := from[k]; ok {
			out[k] = v
		}
	}
	return out
}

func envMap(env []string) map[string]string {
	out := make(map[string]string, len(env))
	for _, e := range env {
		k, v, _ := strings.Cut(e, "=")
		out[k] = v
	}
	return out
}

func envList(env map[string]string) []string {
	out := make([]string, 0, len(env))
	for _, k := range slices.Sorted(maps.Keys(env)) {
		out = append(out, k+"="+env[k])
	}
	return out
}

func orZero[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
