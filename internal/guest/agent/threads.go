package agent

import (
	"runtime"
	"runtime/debug"
	"sync"

	"golang.org/x/sys/unix"
)

const (
	maxProcs = 4
	// reserved threads are started while there is room for them: a Go program
	// that needs a thread and gets none dies.
	reserved   = 14
	maxThreads = 256
)

// Prepare fits the process to life inside a space: few threads, and orphans
// are adopted so that a kill finds them.
func Prepare() {
	runtime.GOMAXPROCS(min(runtime.NumCPU(), maxProcs))
	debug.SetMaxThreads(maxThreads)
	_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
}

// ReserveThreads starts the threads that a serving guest may come to need, by
// holding them all at once: the runtime keeps idle threads for later.
func ReserveThreads() {
	var all, done sync.WaitGroup
	all.Add(reserved)
	for range reserved {
		done.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			all.Done()
			all.Wait()
		})
	}
	done.Wait()
}
