package agent

import (
	"os"
	"strconv"
	"syscall"
)

// childOOMScore makes the kernel kill a command before the guest.
const childOOMScore = "500"

// start runs the command on its streams. The error is errNoProcess or a
// *notRun.
func (a *Agent) start(c *command, s *stdio) (*process, error) {
	p, err := a.reaper.start(c.tty, func() (int, error) {
		return syscall.ForkExec(c.path, c.argv, &syscall.ProcAttr{
			Dir: c.dir, Env: c.env, Sys: attributes(c.tty),
			Files: []uintptr{uintptr(s.child[0]), uintptr(s.child[1]), uintptr(s.child[2])},
		})
	})
	s.closeChild()
	if err != nil {
		s.close()
		return nil, explain(c.argv[0], err)
	}
	// Best effort: the command may already be gone.
	_ = os.WriteFile("/proc/"+strconv.Itoa(p.pid)+"/oom_score_adj", []byte(childOOMScore), 0o644)
	return p, nil
}
