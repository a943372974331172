package agent

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// kin is a set of processes by pid. The start time tells a reused pid.
type kin map[int]stat

// stat is what /proc/PID/stat says, see proc(5).
type stat struct {
	pid, parent, group, session int
	start                       string
	zombie                      bool
}

// family finds the live processes of a command: its session and group, its
// descendants, and those of known that still live, with their descendants.
func family(pid int, known kin) kin {
	all := processes()
	found := kin{}
	for _, s := range all {
		k, ok := known[s.pid]
		if s.pid == pid || s.group == pid || s.session == pid || ok && k.start == s.start {
			found[s.pid] = s
		}
	}
	for grew := true; grew; {
		grew = false
		for _, s := range all {
			_, isChild := found[s.parent]
			if _, ok := found[s.pid]; isChild && !ok {
				found[s.pid], grew = s, true
			}
		}
	}
	for _, s := range all {
		if s.zombie {
			delete(found, s.pid)
		}
	}
	delete(found, os.Getpid())
	return found
}

// signal reaches the group as a whole and each process outside it.
func (k kin) signal(group int, sig syscall.Signal) {
	_ = syscall.Kill(-group, sig)
	for pid, s := range k {
		if s.group != group {
			_ = syscall.Kill(pid, sig)
		}
	}
}

func (k kin) anyAlive() bool {
	for pid, known := range k {
		if s, ok := readStat(pid); ok && s.start == known.start && !s.zombie {
			return true
		}
	}
	return false
}

func processes() []stat {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	var all []stat
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			if s, ok := readStat(pid); ok {
				all = append(all, s)
			}
		}
	}
	return all
}

func readStat(pid int) (stat, bool) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return stat{}, false
	}
	return parseStat(pid, b)
}

// parseStat skips the command's name, which may contain spaces and brackets.
func parseStat(pid int, b []byte) (stat, bool) {
	end := bytes.LastIndexByte(b, ')')
	if end < 0 {
		return stat{}, false
	}
	f := bytes.Fields(b[end+1:])
	if len(f) < 20 {
		return stat{}, false
	}
	number := func(i int) int { n, _ := strconv.Atoi(string(f[i])); return n }
	return stat{
		pid: pid, parent: number(1), group: number(2), session: number(3),
		start: string(f[19]), zombie: f[0][0] == 'Z' || f[0][0] == 'X',
	}, true
}
