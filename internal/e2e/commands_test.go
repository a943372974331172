package e2e

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

type command = func(ts *testscript.TestScript, neg bool, args []string)

// commands are the scripts' own words.
func (in *instance) commands() map[string]command {
	return map[string]command{
		"exits":       positive(exits),
		"blob":        positive(blob),
		"pipe":        positive(in.pipe),
		"same":        positive(same),
		"at-once":     positive(in.atOnce),
		"container":   positive(in.container),
		"workspace":   positive(in.workspace),
		"stdout-is":   positive(func(ts *testscript.TestScript, args []string) { outputIs(ts, "stdout", args) }),
		"stderr-is":   positive(func(ts *testscript.TestScript, args []string) { outputIs(ts, "stderr", args) }),
		"no-trace-of": positive(in.noTraceOf),
	}
}

// positive refuses a leading `!`, which these words do not take.
func positive(f func(ts *testscript.TestScript, args []string)) command {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg {
			ts.Fatalf("this command takes no !")
		}
		f(ts, args)
	}
}

// exits CODE PROGRAM ARG… runs a program that must exit with CODE.
func exits(ts *testscript.TestScript, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := exitCode(ts, ts.Exec(args[1], args[2:]...)); got != want {
		ts.Fatalf("%s exited with %d, not %d", strings.Join(args[1:], " "), got, want)
	}
}

func exitCode(ts *testscript.TestScript, err error) int {
	if err == nil {
		return 0
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		ts.Fatalf("the program did not run: %v", err)
	}
	return exit.ExitCode()
}

// blob FILE MEGABYTES writes random bytes.
func blob(ts *testscript.TestScript, args []string) {
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	defer f.Close()
	_, err = io.CopyN(f, rand.Reader, n<<20)
	ts.Check(err)
}

// pipe IN OUT PROGRAM ARG… runs a program with its standard input and output
// connected to files.
func (in *instance) pipe(ts *testscript.TestScript, args []string) {
	from, err := os.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer from.Close()
	to, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	defer to.Close()
	var stderr strings.Builder
	cmd := in.command(args[2], args[3:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = from, to, &stderr
	if err := cmd.Run(); err != nil {
		ts.Fatalf("%s: %v\n%s", strings.Join(args[2:], " "), err, stderr.String())
	}
}

// command runs as the scripts' programs do.
func (in *instance) command(name string, args ...string) *exec.Cmd {
	if name == "docker-space" {
		name = program(name)
	}
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), in.env()...)
	return cmd
}

// same A B compares two files without printing them.
func same(ts *testscript.TestScript, args []string) {
	if a, b := sum(ts, args[0]), sum(ts, args[1]); a != b {
		ts.Fatalf("%s (%s) and %s (%s) differ", args[0], a, args[1], b)
	}
}

func sum(ts *testscript.TestScript, file string) string {
	f, err := os.Open(ts.MkAbs(file))
	ts.Check(err)
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	ts.Check(err)
	return fmt.Sprintf("%d bytes, sha256 %x", n, h.Sum(nil))
}

// at-once N PROGRAM ARG… runs N copies of a program, each of which must exit
// with 0 and print the same.
func (in *instance) atOnce(ts *testscript.TestScript, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	outputs, errs := make([]string, n), make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			out, err := in.command(args[1], args[2:]...).CombinedOutput()
			outputs[i], errs[i] = string(out), err
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			ts.Fatalf("copy %d of %d: %v\n%s", i+1, n, err, outputs[i])
		}
	}
	if distinct := slices.Compact(slices.Sorted(slices.Values(outputs))); len(distinct) != 1 {
		ts.Fatalf("the %d copies printed %d different things: %q", n, len(distinct), distinct)
	}
}

// outputIs compares the last program's whole output, with Go's escapes.
func outputIs(ts *testscript.TestScript, stream string, args []string) {
	want, err := strconv.Unquote(`"` + strings.Join(args, " ") + `"`)
	ts.Check(err)
	if got := ts.ReadFile(stream); got != want {
		ts.Fatalf("%s is %q, not %q", stream, got, want)
	}
}
