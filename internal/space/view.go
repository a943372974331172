package space

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/spec"
)

// List gives the spaces, ordered by name; all adds kept workspaces. It reads
// the table only. Unavailable while the engine cannot be reached.
func (s *Service) List(_ context.Context, all bool) ([]api.Space, error) {
	if !s.synced.Load() {
		return nil, errUnsynced
	}
	out := []api.Space{}
	for _, e := range s.table.all() {
		if e.container != nil || all {
			out = append(out, s.view(e))
		}
	}
	return out, nil
}

// Get gives one space with its detail, read from the engine; 404 for a kept
// workspace.
func (s *Service) Get(ctx context.Context, name string) (api.Space, error) {
	c, err := s.find(name)
	if err != nil {
		return api.Space{}, err
	}
	if c, err = s.refresh(ctx, name, c.ID); err != nil {
		return api.Space{}, err
	}
	e, _ := s.table.get(name)
	v := s.view(entry{container: &c, volume: e.volume})
	v.Detail = detail(c)
	return v, nil
}

func (s *Service) view(e entry) api.Space {
	v := api.Space{Status: api.StatusMissing, Instance: s.cfg.Instance, Node: s.cfg.Node, Labels: map[string]string{}}
	if e.volume != nil {
		v.Name, v.Created = e.volume.Space, e.volume.Created
		v.Volume = api.Volume{Name: e.volume.Name, Mountpoint: e.volume.Mountpoint}
	}
	if c := e.container; c != nil {
		v.Name, v.ID, v.Created = c.Spec.Name, shortID(c.ID), c.Created
		v.Status, v.Image = api.Status(c.State), c.Spec.Image
		v.Memory, v.CPUs = c.Spec.Memory, c.Spec.CPUs
		v.Network, v.Template = string(c.Spec.Network), c.Spec.Template
		maps.Copy(v.Labels, c.Spec.Labels)
		if !c.Started.IsZero() {
			v.Started = c.Started.UTC().Format(time.RFC3339Nano)
		}
	}
	v.LastActivity = latest(s.table.lastUsed(v.Name), v.Created)
	return v
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a.UTC()
	}
	return b.UTC()
}

// shortID is the form that people see: the engine's twelve digits.
func shortID(id string) string { return id[:min(12, len(id))] }

func detail(c Container) *api.Detail {
	d := &api.Detail{
		ContainerID: c.ID, ImageID: c.ImageID, User: c.RunsAs, Workdir: workdir(c.Spec),
		Entrypoint: orEmpty(c.Entrypoint), Cmd: orEmpty(c.Cmd), EnvNames: slices.Sorted(maps.Keys(c.Spec.Env)),
		ReadOnly: c.Spec.ReadOnly, Runtime: c.Spec.Runtime, PidsLimit: c.Spec.PidsLimit, ShmSize: c.Spec.ShmSize,
		OOMKilled: c.OOMKilled, Guest: api.Guest{Mode: "guest"},
	}
	d.EnvNames = orEmpty(d.EnvNames)
	if c.NoGuest != "" {
		d.Guest = api.Guest{Mode: "engine", Reason: c.NoGuest}
	}
	if c.State == Stopped && !c.Started.IsZero() {
		d.ExitCode = &c.ExitCode
	}
	d.NetworkEnforced, d.NetworkNote = enforcement(c.Spec.Network)
	return d
}

// orEmpty keeps an absent list an empty one in JSON.
func orEmpty(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func workdir(s spec.Space) string {
	if s.Workdir != "" {
		return s.Workdir
	}
	return spec.Workspace
}

// enforcement says whether a network mode is more than a word yet: none is the
// engine's own, the others are a plain bridge until rules are applied inside.
func enforcement(n spec.Network) (enforced bool, note string) {
	if n == spec.NetworkNone {
		return true, ""
	}
	return false, "not yet enforced: the space has the engine's plain bridge network and can reach private addresses and this host"
}
