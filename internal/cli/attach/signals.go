package attach

import (
	"os"
	"os/signal"
	"syscall"
)

// names of the signals that are passed on, without SIG.
var names = map[os.Signal]string{
	syscall.SIGINT:  "INT",
	syscall.SIGTERM: "TERM",
	syscall.SIGHUP:  "HUP",
	syscall.SIGQUIT: "QUIT",
	syscall.SIGUSR1: "USR1",
	syscall.SIGUSR2: "USR2",
}

// catch sends the signals to pass on to c, except those that this process was
// started to ignore (nohup).
func catch(c chan<- os.Signal) {
	for sig := range names {
		if !signal.Ignored(sig) {
			signal.Notify(c, sig)
		}
	}
}

func ends(sig os.Signal) bool { return sig == syscall.SIGINT || sig == syscall.SIGTERM }
