package agent

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/docker-space/docker-space/internal/guest/wire"
)

// openPTY makes a terminal: its master in the poller, its slave as a plain
// descriptor for the child. See pty(7).
func openPTY() (*os.File, int, error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, -1, fmt.Errorf("cannot open a terminal in the space: %w", os.NewSyscallError("open /dev/ptmx", err))
	}
	slave, err := openSlave(fd)
	if err != nil {
		_ = unix.Close(fd)
		return nil, -1, fmt.Errorf("cannot open a terminal in the space: %w", err)
	}
	return os.NewFile(uintptr(fd), "/dev/ptmx"), slave, nil
}

func openSlave(master int) (int, error) {
	if err := unix.IoctlSetPointerInt(master, unix.TIOCSPTLCK, 0); err != nil {
		return -1, os.NewSyscallError("ioctl TIOCSPTLCK", err)
	}
	n, err := unix.IoctlGetUint32(master, unix.TIOCGPTN)
	if err != nil {
		return -1, os.NewSyscallError("ioctl TIOCGPTN", err)
	}
	slave, err := unix.Open(fmt.Sprintf("/dev/pts/%d", n), unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	return slave, os.NewSyscallError("open /dev/pts", err)
}

// resize tells the terminal its size; a zero is not a size.
func resize(master *os.File, size wire.Size) {
	if size.Cols == 0 || size.Rows == 0 {
		return
	}
	onFD(master, func(fd int) {
		_ = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Col: size.Cols, Row: size.Rows})
	})
}

// foreground gives the process group that a key on the terminal would reach.
func foreground(master *os.File) int {
	group := 0
	onFD(master, func(fd int) { group, _ = unix.IoctlGetInt(fd, unix.TIOCGPGRP) })
	return group
}

func onFD(f *os.File, do func(fd int)) {
	raw, err := f.SyscallConn()
	if err == nil {
		_ = raw.Control(func(fd uintptr) { do(int(fd)) })
	}
}

// attributes put a command into a session of its own, so that one number names
// all of it; a terminal becomes that session's.
func attributes(tty bool) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Setctty: tty, Ctty: 0}
}
