package spec

import (
	"math"
	"strconv"
	"strings"

	units "github.com/docker/go-units"

	"github.com/docker-space/docker-space/internal/api"
)

// minMemory leaves room for the guest, a shell and the engine's own minimum of
// 6 MiB.
const minMemory = 32 << 20

// minCPUs is the smallest share the engine's scheduler periods can express
// usefully (10 ms of each 100 ms would be 0.1; the kernel refuses below 0.01).
const minCPUs = 0.01

// Memory reads an amount in Docker's notation ("2g", "512m"). A bare number is
// MiB, as the original has it. The answer is bytes.
func Memory(t api.Text, lim Limits) (int64, error) {
	s := strings.TrimSpace(string(t))
	if isDigits(s) {
		s += "m"
	}
	n, err := units.RAMInBytes(s)
	if err != nil || n < minMemory || n > lim.HostMemory {
		return 0, api.Invalid("memory", "invalid memory %q: give an amount from %s to %s, such as 512m or 2g (a bare number is MiB)",
			clip(string(t)), units.BytesSize(minMemory), units.BytesSize(float64(lim.HostMemory)))
	}
	return n, nil
}

// CPUs reads a number of cores.
func CPUs(t api.Text, lim Limits) (float64, error) {
	n, err := strconv.ParseFloat(strings.TrimSpace(string(t)), 64)
	if err != nil || math.IsNaN(n) || n < minCPUs || n > float64(lim.HostCPUs) {
		return 0, api.Invalid("cpus", "invalid cpus %q: give a number from %g to %d, such as 0.5 or 2",
			clip(string(t)), minCPUs, lim.HostCPUs)
	}
	return n, nil
}

// shmSize reads --shm-size in Docker's notation, where a bare number is bytes.
func shmSize(t api.Text, memory int64) (int64, error) {
	n, err := units.RAMInBytes(strings.TrimSpace(string(t)))
	if err != nil || n <= 0 || n > memory {
		return 0, api.Invalid("shmSize", "invalid shared memory size %q: give an amount up to the space's memory, %s",
			clip(string(t)), units.BytesSize(float64(memory)))
	}
	return n, nil
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
