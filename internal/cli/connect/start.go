package connect

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/client"
)

const (
	startTimeout = 15 * time.Second
	pollEvery    = 50 * time.Millisecond
)

// Connect gives a client of the daemon that answers; where none does, it starts
// one in the background and says so once.
func (f *Finder) Connect(ctx context.Context) (*client.Client, error) {
	c, err := f.Find(ctx)
	if err == nil {
		return compatible(ctx, c)
	}
	if !errors.Is(err, errNone) {
		return nil, err
	}
	program, err := f.mayStart(err)
	if err != nil {
		return nil, err
	}
	limit := f.StartTimeout
	if limit == 0 {
		limit = startTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return f.start(ctx, program)
}

// compatible refuses a daemon that is older than this client can use.
func compatible(ctx context.Context, c *client.Client) (*client.Client, error) {
	h, err := c.Health(ctx)
	if err == nil && h.Protocol < api.Protocol {
		err = fmt.Errorf("the spaced at %s is too old (version %q, protocol %d; this client needs %d); stop it and start the one that came with this client",
			c.Target(), h.Version, h.Protocol, api.Protocol)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// mayStart gives the program to start, or says why none is found and none is
// started.
func (f *Finder) mayStart(none error) (string, error) {
	if f.Getenv("SPACE_AUTOSTART") == "0" {
		return "", fmt.Errorf("%w, and SPACE_AUTOSTART=0 forbids starting one; start it with: spaced", none)
	}
	program, err := f.Program()
	if err != nil {
		return "", fmt.Errorf("%w, and there is no spaced program to start: %w", none, err)
	}
	return program, nil
}

// start runs the daemon unless another plugin is starting one at this moment,
// and waits until one answers.
func (f *Finder) start(ctx context.Context, program string) (*client.Client, error) {
	dir := f.stateDir()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the folder for spaced's log: %w; name another by SPACED_STATE_DIR", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "spaced.start.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot start spaced: %w", err)
	}
	defer lock.Close()
	log := logFile{path: filepath.Join(dir, "spaced.log")}

	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var exited <-chan error
	for {
		if c := f.healthy(ctx); c != nil {
			return c, nil
		}
		if exited == nil && tryLock(lock) {
			if exited, err = f.launch(program, &log); err != nil {
				return nil, err
			}
		}
		select {
		case err := <-exited:
			return nil, f.failed(ctx, err, log)
		case <-ctx.Done():
			return nil, notInTime(ctx, log)
		case <-tick.C:
		}
	}
}

// healthy gives a client once a daemon answers a request, not just accepts.
func (f *Finder) healthy(ctx context.Context) *client.Client {
	c, err := f.Find(ctx)
	if err != nil {
		return nil
	}
	if _, err := c.Health(ctx); err != nil {
		c.Close()
		return nil
	}
	return c
}

// launch starts the program in a session of its own, so that it outlives the
// terminal, and gives a channel that tells when it ended.
func (f *Finder) launch(program string, log *logFile) (<-chan error, error) {
	out, err := log.open()
	if err != nil {
		return nil, fmt.Errorf("cannot open spaced's log: %w", err)
	}
	defer out.Close()
	// Not this command's context: the daemon stays.
	cmd := exec.CommandContext(context.Background(), program)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = ownSession()
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "SPACED_SOCKET="+f.ownSocket())
	if f.DockerEnv != nil {
		cmd.Env = append(cmd.Env, f.DockerEnv()...)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start spaced: %w", err)
	}
	fmt.Fprintf(f.Err, "Started %s in the background (log: %s)\n", program, log.path)
	exited := make(chan error, 1)
	// The goroutine ends with the daemon, or with this process before it.
	go func() { exited <- cmd.Wait() }()
	return exited, nil
}

func (f *Finder) failed(ctx context.Context, err error, log logFile) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	how := "ended at once"
	if err != nil {
		how = "failed to start: " + err.Error()
	}
	return fmt.Errorf("spaced %s; its log %s ends with:\n%s", how, log.path, log.tail())
}

func notInTime(ctx context.Context, log logFile) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return context.Canceled
	}
	return fmt.Errorf("spaced was started but does not answer yet; its log %s ends with:\n%s", log.path, log.tail())
}
