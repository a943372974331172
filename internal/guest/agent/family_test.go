package agent

import (
	"os"
	"testing"

	"gotest.tools/v3/assert"
)

func TestAStatLineWithAnAwkwardName(t *testing.T) {
	line := "42 (a) b (c) S 7 42 40 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 12345 1 1\n"
	s, ok := parseStat(42, []byte(line))
	assert.Assert(t, ok)
	assert.Equal(t, s, stat{pid: 42, parent: 7, group: 42, session: 40, start: "12345"})
	_, ok = parseStat(42, []byte("42 (cut"))
	assert.Assert(t, !ok)
}

func TestAReusedPidIsNotFamily(t *testing.T) {
	self, ok := readStat(os.Getppid())
	assert.Assert(t, ok)
	other := self
	other.start = "1"
	assert.Assert(t, kin{self.pid: self}.anyAlive())
	assert.Assert(t, !kin{self.pid: other}.anyAlive())
	_, ok = family(1<<30, kin{self.pid: other})[self.pid]
	assert.Assert(t, !ok)
}
