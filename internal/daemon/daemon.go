package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/containerd/errdefs"
	"golang.org/x/sync/errgroup"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/engine"
	"github.com/docker-space/docker-space/internal/guest/bin"
	"github.com/docker-space/docker-space/internal/guest/link"
	"github.com/docker-space/docker-space/internal/server"
	"github.com/docker-space/docker-space/internal/space"
	"github.com/docker-space/docker-space/internal/spec"
	"github.com/docker-space/docker-space/internal/store"
)

const (
	// startTime is how long a start waits for the engine before it serves
	// without one.
	startTime = 20 * time.Second
	// stopTime is what open requests get to end.
	stopTime = 10 * time.Second
)

// Run is spaced from its start to its end, which is when ctx ends.
func Run(ctx context.Context, cfg Config, log *slog.Logger) error {
	release, err := lockState(cfg.StateDir)
	if err != nil {
		return err
	}
	defer release()
	db, err := store.Open(ctx, cfg.StateDir)
	if err != nil {
		return err
	}
	defer db.Close()
	eng, err := engine.New(ctx, engine.Config{
		Host: cfg.DockerHost, Instance: cfg.Instance, GuestBinary: guestBinary(cfg), Logger: log,
	})
	if err != nil {
		return err
	}
	defer eng.Close()
	guests := link.New(eng, log)
	defer guests.Close()
	spaces := space.New(space.Config{
		Engine: eng, Guest: guests, Journal: db, Activity: db, Logger: log, Node: cfg.Name, Instance: cfg.Instance,
		Defaults: spec.Limits{DefaultMemory: cfg.Memory, DefaultCPUs: cfg.CPUs, DefaultImage: cfg.Image},
	})
	listeners, err := listen(ctx, cfg, log)
	if err != nil {
		return err
	}
	srv, err := newServer(ctx, cfg, db, &node{cfg: cfg, engine: eng, url: pageURL(listeners)}, spaces, log)
	if err != nil {
		closeAll(listeners)
		return err
	}
	prepare(ctx, eng, spaces, log)
	tell(ctx, cfg, listeners, log)
	letGo := func() { guests.Close(); eng.LetGo() }
	return serve(ctx, srv, letGo, spaces, listeners)
}

func guestBinary(cfg Config) func(string) ([]byte, error) {
	if cfg.NoGuest {
		return func(string) ([]byte, error) {
			return nil, fmt.Errorf("the guest is switched off in spaced's configuration: %w", errdefs.ErrNotFound)
		}
	}
	return bin.Find
}

func newServer(ctx context.Context, cfg Config, db *store.Store, n *node, spaces *space.Service, log *slog.Logger) (*server.Server, error) {
	var err error
	if n.id, err = db.NodeID(ctx); err != nil {
		return nil, err
	}
	secret, err := db.SessionSecret(ctx)
	if err != nil {
		return nil, err
	}
	if cfg.APIKey == "" {
		made, err := ensureAdminKey(ctx, db, cfg.StateDir)
		if err != nil {
			return nil, err
		}
		if made {
			log.InfoContext(ctx, "made the admin key", "file", adminKeyFile, "folder", cfg.StateDir)
		}
	}
	return server.New(server.Config{
		Spaces: leasing{spaces}, System: n, Keys: keys{db, cfg.APIKey}, Logger: log,
		NodeID: n.id, SessionSecret: secret, AuthDisabled: cfg.AuthDisabled,
		AllowedHosts: append(cfg.AllowedHosts, cfg.Name), AllowedOrigins: cfg.AllowedOrigins,
	})
}

// leasing gives the rules the shape that the server asks for.
type leasing struct{ *space.Service }

// Acquire wakes a space and holds it awake.
func (l leasing) Acquire(ctx context.Context, name string) (server.Execution, error) {
	lease, err := l.Service.Acquire(ctx, name)
	if err != nil {
		return nil, err
	}
	return lease, nil
}

// prepare makes the first answers right: the guest's binary verified, creates
// cut short by a crash undone, the table filled. An engine that is away is not
// fatal: the workers go on trying.
func prepare(ctx context.Context, eng *engine.Client, spaces *space.Service, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	if err := eng.EnsureGuest(ctx); err != nil {
		log.WarnContext(ctx, "the guest's binary was not verified", "error", err)
	}
	if err := spaces.Sync(ctx); err != nil {
		log.WarnContext(ctx, "starting without the engine", "error", err)
	}
}

func tell(ctx context.Context, cfg Config, listeners []net.Listener, log *slog.Logger) {
	if cfg.AuthDisabled {
		log.WarnContext(ctx, "AUTHENTICATION IS DISABLED: whoever reaches this address owns every space")
	}
	for _, later := range cfg.Later {
		log.WarnContext(ctx, "a setting has no effect yet", "setting", later)
	}
	addrs := []string{}
	for _, l := range listeners {
		addrs = append(addrs, l.Addr().String())
		if a, ok := l.Addr().(*net.TCPAddr); ok && !a.IP.IsLoopback() {
			log.WarnContext(ctx, "listening beyond this machine, without encryption: use a tailnet or a proxy with TLS", "address", a.String())
		}
	}
	log.InfoContext(ctx, "spaced is ready", "version", api.Version, "instance", cfg.Instance, "listening", addrs, "state", cfg.StateDir)
}

// serve runs the workers and the listeners until ctx ends. letGo comes first
// then: it lets go of the commands in spaces, so that ended requests do not end
// them.
func serve(ctx context.Context, srv *server.Server, letGo func(), spaces *space.Service, listeners []net.Listener) error {
	g, ctx := errgroup.WithContext(ctx)
	web := srv.HTTP()
	for _, l := range listeners {
		g.Go(func() error {
			if err := web.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serve %s: %w", l.Addr(), err)
			}
			return nil
		})
	}
	g.Go(func() error { return spaces.Run(ctx) })
	g.Go(func() error { return srv.Run(ctx) })
	g.Go(func() error {
		<-ctx.Done()
		letGo()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		err := srv.CloseSockets(ctx)
		if errors.Join(err, web.Shutdown(ctx)) != nil {
			return web.Close()
		}
		return nil
	})
	return g.Wait()
}
