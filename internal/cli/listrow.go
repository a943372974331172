package cli

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker/cli/cli/command/formatter"
	"github.com/docker/go-units"
)

// maxImage is the widest an image name gets in a truncated table.
const maxImage = 40

// row is one line of `docker space ls`; its methods are the fields that
// --format can name.
type row struct {
	formatter.HeaderContext
	s     api.Space
	trunc bool
	now   time.Time
}

func writeSpaces(out formatter.Context, spaces []api.Space, now time.Time) error {
	return out.Write(newRow(), func(write func(formatter.SubContext) error) error {
		for _, s := range spaces {
			if err := write(&row{s: s, trunc: out.Trunc, now: now}); err != nil {
				return err
			}
		}
		return nil
	})
}

func newRow() *row {
	r := &row{}
	r.Header = formatter.SubHeaderContext{
		"Name":         "NAME",
		"ID":           "ID",
		"Status":       "STATUS",
		"Image":        "IMAGE",
		"Memory":       "MEMORY",
		"CPUs":         "CPUS",
		"LastActivity": "LAST ACTIVITY",
		"CreatedAt":    "CREATED AT",
		"Created":      "CREATED",
		"Workspace":    "WORKSPACE",
		"Network":      "NETWORK",
		"Template":     "TEMPLATE",
		"Labels":       "LABELS",
		"Node":         "NODE",
		"Instance":     "INSTANCE",
	}
	return r
}

// MarshalJSON is what --format json prints.
func (r *row) MarshalJSON() ([]byte, error) { return formatter.MarshalJSON(r) }

// Name of the space.
func (r *row) Name() string { return r.s.Name }

// ID of the container, 12 digits.
func (r *row) ID() string { return r.s.ID }

// Status in the API's words.
func (r *row) Status() string { return string(r.s.Status) }

// Image that the space was made from.
func (r *row) Image() string {
	if r.trunc {
		return formatter.Ellipsis(r.s.Image, maxImage)
	}
	return r.s.Image
}

// Memory limit.
func (r *row) Memory() string {
	if r.s.Memory == 0 {
		return ""
	}
	return units.BytesSize(float64(r.s.Memory))
}

// CPUs is the limit in cores.
func (r *row) CPUs() string {
	if r.s.CPUs == 0 {
		return ""
	}
	return strconv.FormatFloat(r.s.CPUs, 'f', -1, 64)
}

// LastActivity as time gone by.
func (r *row) LastActivity() string { return r.ago(r.s.LastActivity) }

// Created as time gone by.
func (r *row) Created() string { return r.ago(r.s.Created) }

// CreatedAt is the moment of creation.
func (r *row) CreatedAt() string { return r.s.Created.UTC().Format(time.RFC3339) }

// Workspace is the name of the volume.
func (r *row) Workspace() string { return r.s.Volume.Name }

// Network mode.
func (r *row) Network() string { return r.s.Network }

// Template that the space was made from.
func (r *row) Template() string { return r.s.Template }

// Node that the space is on.
func (r *row) Node() string { return r.s.Node }

// Instance of the daemon that the space belongs to.
func (r *row) Instance() string { return r.s.Instance }

// Labels as key=value, sorted.
func (r *row) Labels() string {
	var list []string
	for _, k := range slices.Sorted(maps.Keys(r.s.Labels)) {
		list = append(list, k+"="+r.s.Labels[k])
	}
	return strings.Join(list, ",")
}

// Label gives one label's value.
func (r *row) Label(key string) string { return r.s.Labels[key] }

func (r *row) ago(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return units.HumanDuration(max(r.now.Sub(t), 0)) + " ago"
}
