package agent

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// cgroup reads the space's own limits, in version 1 or 2 of the kernel's
// control groups. An empty path means that the kernel does not tell.
type cgroup struct {
	pidsMax     int    // 0: no limit
	pidsCurrent string // file
	oomEvents   string // file with a line "oom_kill N"
}

func findCgroup(root string) cgroup {
	var c cgroup
	for _, dir := range []string{filepath.Join(root, "pids"), root} {
		if limit, ok := readInt(filepath.Join(dir, "pids.max")); ok && limit > 0 {
			c.pidsMax, c.pidsCurrent = limit, filepath.Join(dir, "pids.current")
			break
		}
	}
	for _, file := range []string{"memory/memory.oom_control", "memory.events"} {
		path := filepath.Join(root, file)
		if _, err := os.Stat(path); err == nil {
			c.oomEvents = path
			break
		}
	}
	return c
}

// readInt gives false for a missing file and for "max".
func readInt(path string) (int, bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	return n, err == nil
}

// pids counts the processes and threads of the space.
func (c cgroup) pids() int {
	n, _ := readInt(c.pidsCurrent)
	return n
}

// oomKills counts the processes that the kernel killed for want of memory.
func (c cgroup) oomKills() int {
	if c.oomEvents == "" {
		return 0
	}
	b, err := os.ReadFile(c.oomEvents)
	if err != nil {
		return 0
	}
	lines := bufio.NewScanner(bytes.NewReader(b))
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), "oom_kill "); ok {
			n, _ := strconv.Atoi(value)
			return n
		}
	}
	return 0
}
