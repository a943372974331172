package link

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"gotest.tools/v3/assert"
	"gotest.tools/v3/poll"

	"github.com/docker-space/docker-space/internal/guest/agent"
	"github.com/docker-space/docker-space/internal/guest/wire"
	"github.com/docker-space/docker-space/internal/space"
)

// The test binary is its own guest: with this variable set it serves, dials or
// runs as cmd/space-guest does, on a socket of the test's.
const asGuest = "SPACE_TEST_AS_GUEST"

func TestMain(m *testing.M) {
	if os.Getenv(asGuest) != "" {
		beGuest(os.Getenv(asGuest), os.Args[1])
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func beGuest(socket, mode string) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	agent.Prepare()
	switch mode {
	case "dial":
		_ = agent.Dial(ctx, socket, agent.Stdio())
		return
	case "run":
		a := agent.New(os.Environ())
		defer a.Close()
		a.RunStdio(ctx)
		return
	}
	agent.ReserveThreads()
	ln, err := net.Listen("unix", socket)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	a := agent.New(os.Environ())
	defer a.Close()
	_ = a.Serve(ctx, ln)
}

// guest is a serving guest process, and the engine's exec to reach it.
type guest struct {
	t      testing.TB
	socket string
	proc   *exec.Cmd
	dials  atomic.Int32

	mu    sync.Mutex
	conns []*piped
}

func newGuest(t testing.TB) *guest {
	g := &guest{t: t, socket: filepath.Join(t.TempDir(), "guest.sock")}
	g.start()
	t.Cleanup(g.stop)
	return g
}

func (g *guest) command(mode string) *exec.Cmd {
	c := exec.Command(os.Args[0], mode)
	// The race detector would wait a second at each exit.
	c.Env = append(os.Environ(), asGuest+"="+g.socket, "GORACE=atexit_sleep_ms=0")
	return c
}

func (g *guest) start() {
	g.t.Helper()
	g.proc = g.command("serve")
	g.proc.Stderr = os.Stderr
	assert.NilError(g.t, g.proc.Start())
}

func (g *guest) stop() {
	_ = g.proc.Process.Signal(syscall.SIGTERM)
	_ = g.proc.Wait()
}

// Dial is the engine's exec: a process whose standard streams are the
// connection.
func (g *guest) Dial(_ context.Context, _, _ string, argv []string) (io.ReadWriteCloser, error) {
	g.dials.Add(1)
	assert.Check(g.t, argv[0] == wire.Path)
	p, err := pipeTo(g.command(argv[1]))
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	g.conns = append(g.conns, p)
	g.mu.Unlock()
	return p, nil
}

// pipeTo starts c with its standard streams as the connection.
func pipeTo(c *exec.Cmd) (*piped, error) {
	in, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	return &piped{Reader: out, Writer: in, in: in, out: out, proc: c}, nil
}

// cut breaks every connection, as the death of a dialler does.
func (g *guest) cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.conns {
		_ = c.Close()
	}
	g.conns = nil
}

func (g *guest) threads() int {
	names, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", g.proc.Process.Pid))
	assert.NilError(g.t, err)
	return len(names)
}

type piped struct {
	io.Reader
	io.Writer
	in, out io.Closer
	proc    *exec.Cmd
	client  bool // of an engine: killing it closes the connection
	once    sync.Once
}

func (p *piped) Close() error {
	p.once.Do(func() {
		_ = p.in.Close()
		_ = p.out.Close()
		if p.client {
			_ = p.proc.Process.Kill()
		}
		_ = p.proc.Wait()
	})
	return nil
}

func newPool(t testing.TB, d Dialer) *Pool {
	p := New(d, slog.New(slog.DiscardHandler))
	t.Cleanup(p.Close)
	return p
}

func sh(script string) space.Command { return space.Command{Argv: []string{"sh", "-c", script}} }

// lines is a writer that a test can wait on.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *lines) waitFor(t testing.TB, want string) string {
	t.Helper()
	eventually(t, "output "+want, func() bool { return strings.Contains(l.String(), want) })
	return l.String()
}

func (l *lines) pid(t testing.TB) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(l.waitFor(t, "\n")))
	assert.NilError(t, err)
	return n
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	poll.WaitOn(t, func(poll.LogT) poll.Result {
		if ok() {
			return poll.Success()
		}
		return poll.Continue("waiting for %s", what)
	}, poll.WithDelay(5*time.Millisecond), poll.WithTimeout(30*time.Second))
}

// alive tells a process from a zombie.
func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(b), ") Z ")
}

// freeze stops or continues the guest and its diallers, as a paused space does.
func (g *guest) freeze(on bool) {
	sig := syscall.SIGCONT
	if on {
		sig = syscall.SIGSTOP
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.conns {
		assert.NilError(g.t, c.proc.Process.Signal(sig))
	}
	assert.NilError(g.t, g.proc.Process.Signal(sig))
}
