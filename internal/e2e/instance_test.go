package e2e

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/docker-space/docker-space/internal/client"
)

const (
	instanceLabel = "io.github.docker-space.instance="
	startLimit    = 30 * time.Second
	stopLimit     = 20 * time.Second
)

// instance is one spaced with its own socket, state and label on the engine.
type instance struct {
	name, dir string
	// extra is added to spaced's own environment.
	extra []string
	// listen is spaced's TCP address; none when empty.
	listen string
	cmd    *exec.Cmd
	// ended is closed, after waitErr is set, when spaced is gone.
	ended   chan struct{}
	waitErr error
}

func newInstance(prefix string) (*instance, error) {
	// A unix socket's path is short by nature, so no long test name goes in.
	dir, err := os.MkdirTemp("", prefix)
	if err != nil {
		return nil, err
	}
	in := &instance{name: fmt.Sprintf("%s%d", prefix, os.Getpid()), dir: dir}
	plugins := filepath.Join(in.dockerConfig(), "cli-plugins")
	if err := os.MkdirAll(plugins, 0o755); err != nil {
		return nil, err
	}
	return in, os.Symlink(program("docker-space"), filepath.Join(plugins, "docker-space"))
}

func (in *instance) socket() string       { return filepath.Join(in.dir, "s.sock") }
func (in *instance) dockerConfig() string { return filepath.Join(in.dir, "docker") }
func (in *instance) log() string          { return filepath.Join(in.dir, "spaced.log") }

func (in *instance) state() string { return filepath.Join(in.dir, "state") }

func (in *instance) forgetState() { _ = os.RemoveAll(in.state()) }

// engineName of a space's container and volume.
func (in *instance) engineName(space string) string { return "space-" + in.name + "-" + space }

// start runs spaced and returns once it answers.
func (in *instance) start() error {
	log, err := os.OpenFile(in.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	in.cmd = exec.Command(program("spaced"), "--socket", in.socket(), "--listen", cmp.Or(in.listen, "off"),
		"--state-dir", in.state(), "--instance", in.name)
	in.cmd.Env = append(append(os.Environ(), "SPACED_IMAGE="+image()), in.extra...)
	in.cmd.Stdout, in.cmd.Stderr = log, log
	if err := in.cmd.Start(); err != nil {
		return err
	}
	in.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		in.waitErr = cmd.Wait()
		close(ended)
	}(in.cmd, in.ended)
	return in.ready()
}

func (in *instance) ready() error {
	c, err := in.client()
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := c.List(ctx, false); err == nil {
			return nil
		}
		select {
		case <-in.ended:
			return fmt.Errorf("spaced ended at its start: %w\n%s", in.waitErr, in.logTail())
		case <-ctx.Done():
			return fmt.Errorf("spaced does not answer after %s\n%s", startLimit, in.logTail())
		case <-tick.C:
		}
	}
}

func (in *instance) client() (*client.Client, error) {
	return client.New(client.Target{Socket: in.socket()})
}

// end signals spaced and waits until it is gone.
func (in *instance) end(sig syscall.Signal) error {
	if in.cmd == nil {
		return nil
	}
	defer func() { in.cmd = nil }()
	_ = in.cmd.Process.Signal(sig)
	select {
	case <-in.ended:
		return nil
	case <-time.After(stopLimit):
		_ = in.cmd.Process.Kill()
		<-in.ended
		return fmt.Errorf("spaced did not end within %s of %s", stopLimit, sig)
	}
}

// remove ends spaced and deletes all that carries the instance's label.
func (in *instance) remove() {
	if err := in.end(syscall.SIGTERM); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	for _, k := range kinds {
		if ids := in.labelled(k); len(ids) > 0 {
			if out, err := exec.Command("docker", append(k.remove, ids...)...).CombinedOutput(); err != nil {
				fmt.Fprintf(os.Stderr, "clean up instance %s: %v: %s\n", in.name, err, out)
			}
		}
	}
	_ = os.RemoveAll(in.dir)
}

// kind is one sort of thing on the engine.
type kind struct{ list, remove []string }

var (
	containers = kind{[]string{"ps", "-aq"}, []string{"rm", "-f"}}
	volumes    = kind{[]string{"volume", "ls", "-q"}, []string{"volume", "rm", "-f"}}
	networks   = kind{[]string{"network", "ls", "-q"}, []string{"network", "rm"}}
	kinds      = []kind{containers, volumes, networks}
)

// labelled gives what the engine holds of the instance.
func (in *instance) labelled(k kind, filters ...string) []string {
	args := append([]string{}, k.list...)
	args = append(args, "--filter", "label="+instanceLabel+in.name)
	out, err := exec.Command("docker", append(args, filters...)...).Output()
	if err != nil {
		return nil
	}
	return strings.Fields(string(out))
}

func (in *instance) logTail() string {
	b, err := os.ReadFile(in.log())
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-4000):])
}

// keepLog copies the log to where a failed run's artefacts are looked for.
func (in *instance) keepLog() {
	dir := filepath.Join(root(), "internal", "e2e", "artefacts")
	kept := filepath.Join(dir, in.name+"-spaced.log")
	b, err := os.ReadFile(in.log())
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(kept, b, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "keep spaced's log:", err)
		return
	}
	fmt.Fprintf(os.Stderr, "spaced's log is kept in %s; its end:\n", kept)
	_, _ = io.Copy(os.Stderr, bytes.NewReader(b[max(0, len(b)-3000):]))
}
