package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"gotest.tools/v3/assert"
	"gotest.tools/v3/poll"

	"github.com/docker-space/docker-space/internal/api"
)

// outputMB is how much a command prints in the test of streams: far beyond any
// buffer. Ten times as much takes ten times as long and shows no more.
const outputMB = 1024

// memoryMB is how much spaced may grow by while that passes through it.
const memoryMB = 128

// counter counts what it throws away.
type counter struct{ n atomic.Int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}

// Output without end must pass through the daemon, not gather in it.
func TestStreamedOutputNeedsNoMemory(t *testing.T) {
	in := needRoad(t)
	in.make(t, api.CreateRequest{Name: "loud"})
	before := in.resident(t)
	var got counter
	stream, err := in.api(t).ExecStream(t.Context(), "loud",
		sh(fmt.Sprintf("head -c %dM /dev/zero", outputMB)), &got, io.Discard)
	assert.NilError(t, err)
	defer stream.Close()
	most := before
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for done := false; !done; {
		select {
		case <-stream.Done():
			done = true
		case <-tick.C:
			most = max(most, in.resident(t))
		}
	}
	exit, err := stream.Wait()
	assert.NilError(t, err)
	assert.Equal(t, *exit.Code, 0)
	assert.Equal(t, got.n.Load(), int64(outputMB)<<20)
	assert.Assert(t, most-before < memoryMB<<20, "spaced grew from %d to %d MiB", before>>20, most>>20)
}

// A buffered exec keeps the beginning, says that it cut, and lets the command
// end by itself.
func TestBufferedOutputIsCapped(t *testing.T) {
	in := needRoad(t)
	in.make(t, api.CreateRequest{Name: "verbose"})
	res, err := in.api(t).Exec(clientDeadline(t), "verbose", sh("yes | head -c 50M; exit 9"))
	assert.NilError(t, err)
	assert.Equal(t, res.ExitCode, 9)
	assert.Assert(t, res.Truncated)
	assert.Equal(t, len(res.Stdout), 8<<20)
	assert.Equal(t, res.Stdout[:4], "y\ny\n")
}

// Of 5,000 at once those beyond the stated limit are refused with 429, the
// rest run, and nothing is left open.
func TestFiveThousandAtOnceAreBounded(t *testing.T) {
	in := needRoad(t)
	c := in.api(t)
	in.make(t, api.CreateRequest{Name: "swarm"})
	_, err := c.Exec(t.Context(), "swarm", sh("true"))
	assert.NilError(t, err)
	before := in.descriptors(t)
	crowd := in.crowd(t)
	statuses := make([]int, 5000)
	var group errgroup.Group
	for i := range statuses {
		group.Go(func() error {
			got := ask(t, crowd, "POST", "http://spaced/api/spaces/swarm/exec", fmt.Sprintf(`{"command":"exit %d"}`, i%100), nil)
			statuses[i] = got.status
			return ranOrRefused(got, i%100)
		})
	}
	assert.NilError(t, group.Wait())
	count := map[int]int{}
	for _, s := range statuses {
		count[s]++
	}
	assert.Assert(t, count[200] > 0 && count[429] > 0, "%v", count)
	crowd.CloseIdleConnections()
	poll.WaitOn(t, func(poll.LogT) poll.Result {
		if now := in.descriptors(t); now <= before+5 {
			return poll.Success()
		} else {
			return poll.Continue("spaced has %d descriptors open, %d before", now, before)
		}
	}, poll.WithTimeout(30*time.Second))
	res, err := c.Exec(t.Context(), "swarm", sh("echo alive"))
	assert.NilError(t, err)
	assert.Equal(t, res.Stdout, "alive\n")
}

// ranOrRefused takes the two answers that a command of a crowd may get.
func ranOrRefused(got answer, code int) error {
	var res struct {
		ExitCode int
		Code     api.Code
	}
	if err := json.Unmarshal([]byte(got.body), &res); err != nil {
		return err
	}
	ran := got.status == http.StatusOK && res.ExitCode == code
	refused := got.status == http.StatusTooManyRequests && res.Code == api.CodeTooMany && got.header.Get("Retry-After") != ""
	if !ran && !refused {
		return fmt.Errorf("the answer is %d %v %s", got.status, got.header, got.body)
	}
	return nil
}

// crowd gives an HTTP client that opens its many connections a few at a time,
// because a unix socket refuses more than its queue holds.
func (in *instance) crowd(t *testing.T) *http.Client {
	t.Helper()
	turn := make(chan struct{}, 64)
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		turn <- struct{}{}
		defer func() { <-turn }()
		return (&net.Dialer{}).DialContext(ctx, "unix", in.socket())
	}}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// resident is the memory of spaced, in bytes.
func (in *instance) resident(t *testing.T) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", in.cmd.Process.Pid))
	assert.NilError(t, err)
	pages, err := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	assert.NilError(t, err)
	return pages * int64(os.Getpagesize())
}

// descriptors counts the files that spaced has open.
func (in *instance) descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", in.cmd.Process.Pid))
	assert.NilError(t, err)
	return len(open)
}
