package space

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/docker-space/docker-space/internal/spec"
)

// Engine is what the rules need of a container engine. Every method honours
// its context. Errors carry containerd/errdefs kinds: NotFound, Conflict,
// InvalidArgument, Unavailable (the engine does not answer), and
// ResourceExhausted (disk or address pools are used up).
type Engine interface {
	Info(ctx context.Context) (Info, error)
	// Image looks up a local image; NotFound where it is absent.
	Image(ctx context.Context, ref string) (Image, error)
	// Pull fetches an image. NotFound where the registry has none or cannot be
	// reached.
	Pull(ctx context.Context, ref string, progress func(Pull)) error

	// Containers lists this instance's spaces, whatever their state.
	Containers(ctx context.Context) ([]Container, error)
	// Container looks one up by its id or engine name.
	Container(ctx context.Context, id string) (Container, error)
	// CreateContainer makes the hardened container of s, with its workspace
	// volume mounted, and does not start it.
	CreateContainer(ctx context.Context, s spec.Space, with Creation) (id string, err error)
	// OwnWorkspace makes the fresh workspace of a never started container belong
	// to the user that its commands run as.
	OwnWorkspace(ctx context.Context, id string) error
	Start(ctx context.Context, id string) error
	// Stop asks the main process to end and kills it after grace.
	Stop(ctx context.Context, id string, grace time.Duration) error
	Pause(ctx context.Context, id string) error
	Unpause(ctx context.Context, id string) error
	// Remove kills and removes a container, never a volume.
	Remove(ctx context.Context, id string) error
	// Update changes limits live; a zero value stays as it is.
	Update(ctx context.Context, id string, memory int64, cpus float64) error

	// Volumes lists this instance's workspaces.
	Volumes(ctx context.Context) ([]Volume, error)
	// Volume looks up the workspace of a space; Conflict where a volume of that
	// name is not ours.
	Volume(ctx context.Context, space string) (Volume, error)
	// CreateVolume makes the workspace of a space.
	CreateVolume(ctx context.Context, space string, token string) (Volume, error)
	// RemoveVolume deletes a workspace, only if it carries our labels.
	RemoveVolume(ctx context.Context, space string) error
	// VolumeSize measures a workspace in bytes.
	VolumeSize(ctx context.Context, space string) (int64, error)

	// Watch calls seen for each change of one of our containers until ctx ends
	// or the stream breaks; it calls ready once the stream is established.
	Watch(ctx context.Context, ready func(), seen func(Event)) error
	// Exec runs a command by the engine's own exec; the road where there is no
	// guest. An empty user is the container's own.
	Exec(ctx context.Context, id, user string, c Command, s Streams) (Exit, error)
}

// Guest is the channel to the helpers inside spaces.
type Guest interface {
	// Exec runs a command through the space's guest.
	Exec(ctx context.Context, container string, c Command, s Streams) (Exit, error)
	// ExecAs runs it as another user, in a guest process of its own.
	ExecAs(ctx context.Context, container, user string, c Command, s Streams) (Exit, error)
	// Do asks the space's guest by HTTP. The caller closes the answer's body,
	// which after a 101 is the raw stream (io.ReadWriteCloser), and bounds what
	// it reads.
	Do(ctx context.Context, container string, r *http.Request) (*http.Response, error)
	// Warm connects in the background, so that the first command need not wait.
	Warm(container string)
	// Forget drops the channel of a container that stopped or is gone.
	Forget(container string)
}

// Journal remembers creates in flight over a crash.
type Journal interface {
	// BeginCreate is durable when it returns.
	BeginCreate(ctx context.Context, p PendingCreate) error
	EndCreate(ctx context.Context, token string) error
	PendingCreates(ctx context.Context) ([]PendingCreate, error)
}

// Activity keeps when a space was last used, over restarts.
type Activity interface {
	LastActivity(ctx context.Context) (map[string]time.Time, error)
	SetLastActivity(ctx context.Context, at map[string]time.Time) error
}

// PendingCreate is one create in flight. Token marks what it made: the labels
// of its container and of its fresh volume carry it.
type PendingCreate struct {
	Token string
	Space string
}

// Creation is what CreateContainer needs beyond the spec.
type Creation struct {
	Image Image
	// Token goes into the container's labels (see PendingCreate).
	Token string
}

// Info tells about the engine and its host.
type Info struct {
	Version, APIVersion                 string
	OS, Arch                            string // GOARCH's words: amd64, arm64
	CPUs                                int
	Memory                              int64
	Runtimes                            []string
	Containers, Running, Paused, Images int
}

// Image is a local image.
type Image struct {
	ID, Ref    string
	Arch       string
	User       string
	Entrypoint []string
	Cmd        []string
	Labels     map[string]string
}

// Pull is one progress line of a pull.
type Pull struct {
	Layer, Status  string
	Current, Total int64
}

// State is the engine's state of a container in our words.
type State string

// The states of a container.
const (
	Running State = "running"
	Paused  State = "paused"
	// Stopped covers created, exited and dead.
	Stopped State = "stopped"
)

// Container is a space's container as the engine holds it. Spec is read back
// from labels and configuration.
type Container struct {
	ID, ImageID string
	Spec        spec.Space
	Token       string
	State       State
	Created     time.Time
	Started     time.Time // zero when it never ran
	ExitCode    int
	OOMKilled   bool
	// NoGuest is why the space has no guest; empty where it has one.
	NoGuest string
	// RunsAs is the user of its commands as the engine was told.
	RunsAs     string
	Entrypoint []string
	Cmd        []string
}

// Volume is a workspace.
type Volume struct {
	Name, Space, Token string
	Mountpoint         string
	Created            time.Time
}

// Event is a change of a container of ours.
type Event struct {
	Action    string // the engine's word: start, die, pause, unpause, destroy, …
	Container string
	Space     string
}

// Command is one command to run.
type Command struct {
	Argv    []string
	Env     map[string]string
	Workdir string
	TTY     bool
	// Cols and Rows of the terminal, 0 when not known.
	Cols, Rows int
	// Interactive keeps standard input open; otherwise the command reads end of
	// file at once.
	Interactive bool
}

// Streams connects a command. Stdout gets a terminal's output. Stdin may be
// nil. Control is closed or left silent when nothing more comes.
type Streams struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Control        <-chan Control
	// Started, when set, is called once the command runs.
	Started func()
}

// Control steers a running command: a resize when Cols is set, a kill of the
// whole process group when Kill is set, else a signal by name ("INT").
type Control struct {
	Cols, Rows int
	Signal     string
	Kill       bool
}

// Exit is how a command ended. Code is nil when that is not known.
type Exit struct {
	Code      *int
	Signal    string
	OOMKilled bool
	TimedOut  bool
	// Gone is set when the space was destroyed or stopped under the command.
	Gone bool
}
