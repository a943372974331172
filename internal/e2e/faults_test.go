package e2e

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/poll"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/client"
)

// goneLimit is how soon a command must have ended whose client is gone.
const goneLimit = 5 * time.Second

// ownInstance gives a spaced of the test's own, changed before its start.
func ownInstance(t *testing.T, name string, change func(*instance)) *instance {
	t.Helper()
	needRoad(t)
	in, err := newInstance(name)
	assert.NilError(t, err)
	t.Cleanup(in.remove)
	t.Cleanup(func() {
		if t.Failed() {
			in.keepLog()
		}
	})
	change(in)
	assert.NilError(t, in.start())
	return in
}

// api gives a client on the instance's socket.
func (in *instance) api(t *testing.T) *client.Client {
	t.Helper()
	c, err := in.client()
	assert.NilError(t, err)
	t.Cleanup(c.Close)
	return c
}

// make creates a space and removes it with its workspace when t ends.
func (in *instance) make(t *testing.T, req api.CreateRequest) api.Space {
	t.Helper()
	c := in.api(t)
	in.tidy(t, req.Name)
	s, err := c.Create(t.Context(), req, "", nil)
	assert.NilError(t, err)
	return s
}

// tidy removes what there is of a space when t ends.
func (in *instance) tidy(t *testing.T, space string) {
	t.Helper()
	c := in.api(t)
	t.Cleanup(func() {
		_, err := c.Delete(context.Background(), space, true)
		var e *api.Error
		if err != nil && (!errors.As(err, &e) || e.Code != api.CodeSpaceNotFound) {
			t.Errorf("remove space %s: %v", space, err)
		}
	})
}

// sh is a request for a line of sh.
func sh(line string) api.ExecRequest {
	return api.ExecRequest{Command: api.Command{Argv: []string{"sh", "-c", line}}}
}

// refused checks that err is the API's answer with that status, code and text.
func refused(t *testing.T, err error, status int, code api.Code, says string) {
	t.Helper()
	var e *api.Error
	if !assert.Check(t, errors.As(err, &e), "not an answer of the API: %v", err) {
		return
	}
	assert.Check(t, is.Equal(e.Status, status), e.Message)
	assert.Check(t, is.Equal(e.Code, code), e.Message)
	assert.Check(t, is.Contains(e.Message, says))
}

// processes lists a space's commands as the engine sees them, so that looking
// needs nothing of the guest.
func (in *instance) processes(space string) string {
	out, err := exec.Command("docker", "top", in.engineName(space), "-eo", "pid,args").CombinedOutput()
	if err != nil {
		return err.Error() + ": " + string(out)
	}
	return string(out)
}

// runs polls until a process with that text does, or does not, run.
func (in *instance) runs(t *testing.T, space, text string, want bool, limit time.Duration) {
	t.Helper()
	poll.WaitOn(t, func(poll.LogT) poll.Result {
		list := in.processes(space)
		if strings.HasPrefix(strings.TrimSpace(list), "PID") && strings.Contains(list, text) == want {
			return poll.Success()
		}
		return poll.Continue("%q running should be %v:\n%s", text, want, list)
	}, poll.WithTimeout(limit), poll.WithDelay(50*time.Millisecond))
}

// answer is one HTTP answer, read whole.
type answer struct {
	status int
	header http.Header
	body   string
}

// ask sends one raw request.
func ask(t *testing.T, c *http.Client, method, url, body string, header http.Header) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	assert.NilError(t, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for k, v := range header {
		r.Header[k] = v
	}
	if h := r.Header.Get("Host"); h != "" {
		r.Host = h
	}
	resp, err := c.Do(r)
	assert.NilError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	assert.NilError(t, err)
	return answer{resp.StatusCode, resp.Header, string(b)}
}

// from gives an HTTP client that connects from a loopback address of its own,
// which is what spaced counts by.
func from(t *testing.T, ip string) *http.Client {
	t.Helper()
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	tr := &http.Transport{DialContext: d.DialContext, MaxIdleConnsPerHost: 16}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// onSocket gives an HTTP client on the instance's socket; its URL is
// http://spaced.
func (in *instance) onSocket(t *testing.T) *http.Client {
	t.Helper()
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", in.socket())
	}}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}
