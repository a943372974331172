package server

import (
	"context"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/space"
)

// Spaces is what the routes need of the rules. Errors are *api.Error or carry
// errdefs kinds. A mutation that has begun ends even when ctx does.
type Spaces interface {
	List(ctx context.Context, all bool) ([]api.Space, error)
	Get(ctx context.Context, name string) (api.Space, error)
	Create(ctx context.Context, req api.CreateRequest, opt space.CreateOptions) (api.Space, error)
	Patch(ctx context.Context, name string, req api.PatchRequest) (api.Space, error)
	Start(ctx context.Context, name string) error
	Stop(ctx context.Context, name string) error
	Restart(ctx context.Context, name string) error
	Destroy(ctx context.Context, name string, removeVolume bool) (freed *int64, err error)
	// Acquire wakes a space and holds it awake until Release.
	Acquire(ctx context.Context, name string) (Execution, error)
}

// Execution is a space held awake.
type Execution interface {
	// Exec runs a command; when ctx ends, its process group is killed.
	Exec(ctx context.Context, req api.ExecRequest, s space.Streams) (space.Exit, error)
	// Release may be called more than once.
	Release()
}

// System tells about this node.
type System interface {
	System(ctx context.Context) (api.System, error)
	Capabilities(ctx context.Context) (api.CapabilityReport, error)
	Health(ctx context.Context) api.Health
}

// Keys knows the API keys. Errors other than NotFound mean that it could not
// look.
type Keys interface {
	// LookupKey finds the key of a text.
	LookupKey(ctx context.Context, plaintext string) (Key, error)
	// KeyByID finds a key that is still valid.
	KeyByID(ctx context.Context, id string) (Key, error)
}

// Key is a valid API key without its secret.
type Key struct {
	ID, Name string
	Scope    Scope
}
