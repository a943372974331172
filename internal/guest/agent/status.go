package agent

import (
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/docker-space/docker-space/internal/guest/wire"
)

const codeKilled = 128 + int(syscall.SIGKILL)

// exitStatus tells an end as a shell does. A shell inside may have passed on
// the end of a child that the kernel killed, so its code counts too.
func exitStatus(ws syscall.WaitStatus, oom bool) wire.Status {
	s := wire.Status{Code: ws.ExitStatus()}
	if ws.Signaled() {
		s.Code = 128 + int(ws.Signal())
		s.Signal = strings.TrimPrefix(unix.SignalName(ws.Signal()), "SIG")
	}
	s.OOMKilled = oom && s.Code == codeKilled
	return s
}
