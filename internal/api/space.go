package api

import "time"

// Status is the state of a space.
type Status string

// The states. Missing is a kept workspace: a volume without its container,
// listed only with ?all=true.
const (
	StatusRunning Status = "running"
	StatusPaused  Status = "paused"
	StatusStopped Status = "stopped"
	StatusMissing Status = "missing"
)

// Space is one space as lists and single answers give it. The first block is
// the original's and is never null; the second is ours.
type Space struct {
	Name         string    `json:"name"`
	ID           string    `json:"id" doc:"first 12 hex digits of the container id; empty for a kept workspace"`
	Status       Status    `json:"status" enum:"running,paused,stopped,missing"`
	Created      time.Time `json:"created"`
	Started      string    `json:"started" doc:"RFC 3339, empty when it never ran"`
	Image        string    `json:"image"`
	Memory       int64     `json:"memory" doc:"limit in bytes"`
	CPUs         float64   `json:"cpus"`
	LastActivity time.Time `json:"lastActivity"`
	Volume       Volume    `json:"volume"`

	Instance string            `json:"instance"`
	Node     string            `json:"node"`
	Network  string            `json:"network" enum:"internet,lan,none"`
	Template string            `json:"template"`
	Labels   map[string]string `json:"labels"`
	// Detail is given for a single space only.
	Detail *Detail `json:"detail,omitempty"`
}

// Volume is the workspace's named volume. Mountpoint is its path on the
// engine's host.
type Volume struct {
	Name       string `json:"name"`
	Mountpoint string `json:"mountpoint"`
}

// Detail is what `docker space inspect` adds.
type Detail struct {
	ContainerID string   `json:"containerId"`
	ImageID     string   `json:"imageId"`
	User        string   `json:"user" doc:"uid:gid or name that commands run as"`
	Workdir     string   `json:"workdir"`
	Entrypoint  []string `json:"entrypoint" doc:"the image's own entrypoint; not started, shown for information"`
	Cmd         []string `json:"cmd" doc:"the image's own command; not started, shown for information"`
	EnvNames    []string `json:"envNames" doc:"names of the environment variables set at create"`
	ReadOnly    bool     `json:"readOnly"`
	Runtime     string   `json:"runtime"`
	PidsLimit   int64    `json:"pidsLimit"`
	ShmSize     int64    `json:"shmSize"`
	ExitCode    *int     `json:"exitCode" doc:"of a stopped container; null when it runs or is not known"`
	OOMKilled   bool     `json:"oomKilled"`
	// NetworkEnforced is false while the mode's rules are not applied inside
	// the space; NetworkNote then says so.
	NetworkEnforced bool   `json:"networkEnforced"`
	NetworkNote     string `json:"networkNote,omitempty"`
	Guest           Guest  `json:"guest"`
}

// Guest says how commands reach a space.
type Guest struct {
	Mode   string `json:"mode" enum:"guest,engine" doc:"guest: through the helper inside; engine: one engine exec each"`
	Reason string `json:"reason,omitempty" doc:"why there is no guest"`
}

// Envelopes of the original's answers.
type (
	// SpaceList is the body of GET /api/spaces.
	SpaceList struct {
		Spaces []Space `json:"spaces"`
	}
	// SpaceBody is the body of every answer about one space.
	SpaceBody struct {
		Space Space `json:"space"`
	}
	// Message is the body of lifecycle and delete answers.
	Message struct {
		Message string `json:"message"`
		// FreedBytes is what a deleted workspace held; absent when it was kept.
		FreedBytes *int64 `json:"freedBytes,omitempty"`
	}
)
