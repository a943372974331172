package daemon

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/space"
)

// node tells about this machine and its engine.
type node struct {
	cfg    Config
	id     string
	url    string
	engine interface {
		Info(ctx context.Context) (space.Info, error)
	}

	mu   sync.Mutex
	info space.Info
	read time.Time
}

// infoAge is how old what the engine says of itself may be: a page that asks
// often must not make the engine count its images each time.
const infoAge = 3 * time.Second

func (n *node) engineInfo(ctx context.Context) (space.Info, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if time.Since(n.read) < infoAge {
		return n.info, nil
	}
	info, err := n.engine.Info(ctx)
	if err == nil {
		n.info, n.read = info, time.Now()
	}
	return info, err
}

// Health needs neither key nor engine.
func (n *node) Health(context.Context) api.Health {
	return api.Health{
		Status: "ok", Version: api.Version, Name: n.cfg.Name, NodeID: n.id,
		Capabilities: capabilities(), Protocol: api.Protocol,
	}
}

// Capabilities gives what the node can do, and its size.
func (n *node) Capabilities(context.Context) (api.CapabilityReport, error) {
	m, err := readMemory()
	return api.CapabilityReport{Capabilities: capabilities(), CPUs: runtime.NumCPU(), Memory: m.total}, err
}

// System gives the node, its load and its engine.
func (n *node) System(ctx context.Context) (api.System, error) {
	info, err := n.engineInfo(ctx)
	if err != nil {
		return api.System{}, err
	}
	m, err := readMemory()
	if err != nil {
		return api.System{}, err
	}
	var up unix.Sysinfo_t
	if err := unix.Sysinfo(&up); err != nil {
		return api.System{}, fmt.Errorf("read the uptime: %w", err)
	}
	host, _ := os.Hostname()
	caps := capabilities()
	return api.System{
		Hostname: host, Platform: caps.Platform, Arch: caps.Arch, CPUs: runtime.NumCPU(),
		LoadAverage: loadAverage(), Memory: m.usage(), Disk: diskUsage(n.cfg.StateDir), Uptime: uptime(time.Duration(up.Uptime) * time.Second),
		Docker: api.Docker{
			Version: info.Version, APIVersion: info.APIVersion, Runtimes: info.Runtimes,
			Containers: info.Containers, ContainersRunning: info.Running, ContainersPaused: info.Paused, Images: info.Images,
		},
		Capabilities: caps, Version: api.Version, Protocol: api.Protocol,
		Instance: n.cfg.Instance, Node: n.cfg.Name, NodeID: n.id, StateDir: n.cfg.StateDir, URL: n.url,
	}, nil
}

func capabilities() api.Capabilities {
	arch := runtime.GOARCH
	if arch == "amd64" { // as Node.js names it
		arch = "x64"
	}
	return api.Capabilities{Arch: arch, Platform: runtime.GOOS}
}

type memory struct{ total, available int64 }

// readMemory takes the kernel's own estimate of what is available.
func readMemory() (memory, error) {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return memory{}, fmt.Errorf("read the memory: %w", err)
	}
	defer f.Close()
	var m memory
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), ":")
		kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		switch name {
		case "MemTotal":
			m.total = kib << 10
		case "MemAvailable":
			m.available = kib << 10
		}
	}
	return m, nil
}

func (m memory) usage() api.Usage {
	used := m.total - m.available
	return api.Usage{Total: gigabytes(m.total), Free: gigabytes(m.available), Used: gigabytes(used), Percentage: percent(used, m.total)}
}

// diskUsage of the file system that holds dir, as df counts it; nil where it
// cannot be told.
func diskUsage(dir string) *api.DiskUsage {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return nil
	}
	size := st.Bsize
	total, used, avail := int64(st.Blocks)*size, int64(st.Blocks-st.Bfree)*size, int64(st.Bavail)*size
	return &api.DiskUsage{Total: gigabytes(total), Used: gigabytes(used), Available: gigabytes(avail), Percentage: percent(used, used+avail)}
}

func loadAverage() (load [3]float64) {
	b, _ := os.ReadFile("/proc/loadavg")
	fields := strings.Fields(string(b))
	for i := range min(len(load), len(fields)) {
		load[i], _ = strconv.ParseFloat(fields[i], 64)
	}
	return load
}

func gigabytes(n int64) string { return fmt.Sprintf("%.1f GB", float64(n)/(1<<30)) }

func percent(part, whole int64) string {
	if whole <= 0 {
		return "0.0%"
	}
	return fmt.Sprintf("%.1f%%", 100*float64(part)/float64(whole))
}

func uptime(d time.Duration) string {
	m := int(d.Minutes())
	days, hours, minutes := m/1440, m/60%24, m%60
	switch {
	case days > 0:
		return fmt.Sprintf("%dd %dh %dm", days, hours, minutes)
	case hours > 0:
		return fmt.Sprintf("%dh %dm", hours, minutes)
	}
	return fmt.Sprintf("%dm", minutes)
}
