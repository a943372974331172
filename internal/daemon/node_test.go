package daemon

import (
	"context"
	"errors"
	"regexp"
	"testing"
	"time"

	"gotest.tools/v3/assert"

	"github.com/docker-space/docker-space/internal/space"
)

func TestUptimeReadsAsTheOriginals(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0m": 59 * time.Second, "3m": 3*time.Minute + time.Second, "2h 0m": 2 * time.Hour,
		"1d 2h 3m": 26*time.Hour + 3*time.Minute, "400d 0h 1m": 400*24*time.Hour + time.Minute,
	} {
		assert.Equal(t, uptime(d), want)
	}
}

func TestSizesAndShares(t *testing.T) {
	assert.Equal(t, gigabytes(23<<30+1<<29), "23.5 GB")
	assert.Equal(t, percent(412, 1000), "41.2%")
	assert.Equal(t, percent(1, 0), "0.0%")
	u := memory{total: 8 << 30, available: 6 << 30}.usage()
	assert.Equal(t, u.Used+" "+u.Free+" "+u.Percentage, "2.0 GB 6.0 GB 25.0%")
	assert.Assert(t, diskUsage("/no/such/folder") == nil)
}

// engineInfo is an engine that counts how often it is asked.
type engineInfo struct {
	asked int
	err   error
}

func (e *engineInfo) Info(context.Context) (space.Info, error) {
	e.asked++
	return space.Info{Version: "20.10"}, e.err
}

func TestSystemTellsTheNode(t *testing.T) {
	e := &engineInfo{}
	n := &node{cfg: Config{Name: "box", Instance: "i", StateDir: t.TempDir()}, id: "id", engine: e}
	for range 3 {
		s, err := n.System(t.Context())
		assert.NilError(t, err)
		assert.Equal(t, s.Node+s.Instance+s.NodeID+s.Docker.Version, "boxiid20.10")
		assert.Equal(t, s.Platform, "linux")
		assert.Assert(t, s.Arch != "amd64", "as Node.js names it")
		for _, size := range []string{s.Memory.Total, s.Memory.Used, s.Disk.Total, s.Disk.Available} {
			assert.Assert(t, regexp.MustCompile(`^\d+\.\d GB$`).MatchString(size), size)
		}
		assert.Assert(t, regexp.MustCompile(`^(\d+d )?(\d+h )?\d+m$`).MatchString(s.Uptime), s.Uptime)
	}
	assert.Equal(t, e.asked, 1, "a page that asks often must not burden the engine")
	c, err := n.Capabilities(t.Context())
	assert.NilError(t, err)
	assert.Assert(t, c.Memory > 0 && c.CPUs > 0)
	assert.Equal(t, n.Health(t.Context()).NodeID, "id")
}

func TestAFailedAnswerOfTheEngineIsNotKept(t *testing.T) {
	e := &engineInfo{err: errors.New("away")}
	n := &node{engine: e}
	_, err := n.System(t.Context())
	assert.ErrorContains(t, err, "away")
	e.err = nil
	_, err = n.System(t.Context())
	assert.NilError(t, err)
}
