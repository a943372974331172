// Package spec turns what people ask for (flags, JSON bodies, later templates
// and compose files) into one Space spec, and checks it. It does no I/O: what
// the host can give comes in as Limits.
package spec

// Space is everything that decides what a space is, after defaults and checks.
// It is written to the container's labels and configuration, which are the
// truth from then on.
type Space struct {
	Name     string
	Image    string
	Template string
	// Memory in bytes; swap is never added to it.
	Memory int64
	// CPUs as a number of cores, a fraction allowed.
	CPUs float64
	// PidsLimit is the most processes and threads at once.
	PidsLimit int64
	// ShmSize of /dev/shm in bytes; 0 is the engine's default (64 MiB).
	ShmSize int64
	// TmpSize of the tmpfs on /tmp in bytes.
	TmpSize int64
	// Env is set on the container and so seen by every command.
	Env map[string]string
	// Labels are the user's own.
	Labels   map[string]string
	Network  Network
	ReadOnly bool
	// Runtime is the OCI runtime; empty is the engine's default.
	Runtime string
	// User as asked for ("1000", "1000:1000", "node"); empty means the image's
	// own user or, where that is root, FallbackUser.
	User string
	// Workdir that commands start in.
	Workdir string
	Pull    PullPolicy
}

// Network is the network mode of a space.
type Network string

// The modes.
const (
	NetworkInternet Network = "internet"
	NetworkLAN      Network = "lan"
	NetworkNone     Network = "none"
)

// PullPolicy says when an image is pulled, in docker create's words.
type PullPolicy string

// The policies.
const (
	PullMissing PullPolicy = "missing"
	PullAlways  PullPolicy = "always"
	PullNever   PullPolicy = "never"
)

// Fixed parts of every space.
const (
	// FallbackUser runs the commands of images that would run as root.
	FallbackUser = "1001:1001"
	// Workspace is where the persistent volume is mounted.
	Workspace = "/workspace"
	// DefaultPids bounds a fork bomb while leaving room for a build on many cores.
	DefaultPids = 512
)

// Limits is what a node can give and what it gives when nothing is asked for.
type Limits struct {
	HostMemory    int64
	HostCPUs      int
	DefaultMemory int64
	DefaultCPUs   float64
	DefaultImage  string
}
