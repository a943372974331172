package api

// Capabilities tells what a node can do. No field is ever null.
type Capabilities struct {
	GPU       bool   `json:"gpu"`
	GPUName   string `json:"gpuName"`
	GPUMemory string `json:"gpuMemory"`
	Arch      string `json:"arch" doc:"x64, arm64, … as Node.js names it"`
	Platform  string `json:"platform" doc:"linux, …"`
}

// CapabilityReport is GET /api/system/capabilities: the capabilities flat, with
// the node's size.
type CapabilityReport struct {
	Capabilities
	CPUs   int   `json:"cpus"`
	Memory int64 `json:"memory" doc:"bytes"`
}

// System is the body of GET /api/system. Memory, disk and uptime are strings
// for people ("23.5 GB", "41.2%", "1d 2h 3m"), as the original has them.
type System struct {
	Hostname     string       `json:"hostname"`
	Platform     string       `json:"platform"`
	Arch         string       `json:"arch"`
	CPUs         int          `json:"cpus"`
	LoadAverage  [3]float64   `json:"loadAverage"`
	Memory       Usage        `json:"memory"`
	Disk         *DiskUsage   `json:"disk"`
	Uptime       string       `json:"uptime"`
	Docker       Docker       `json:"docker"`
	Capabilities Capabilities `json:"capabilities"`

	Version  string `json:"version"`
	Protocol int    `json:"protocol"`
	Instance string `json:"instance"`
	Node     string `json:"node"`
	NodeID   string `json:"nodeId"`
	StateDir string `json:"stateDir"`
	URL      string `json:"url" doc:"address of the dashboard on this machine; empty where only the socket is open"`
}

// Usage of memory, as text.
type Usage struct {
	Total      string `json:"total"`
	Free       string `json:"free"`
	Used       string `json:"used"`
	Percentage string `json:"percentage"`
}

// DiskUsage of the file system that holds the state, as text.
type DiskUsage struct {
	Total      string `json:"total"`
	Used       string `json:"used"`
	Available  string `json:"available"`
	Percentage string `json:"percentage"`
}

// Docker tells about the engine.
type Docker struct {
	Version           string `json:"version"`
	Containers        int    `json:"containers"`
	ContainersRunning int    `json:"containersRunning"`
	ContainersPaused  int    `json:"containersPaused"`
	Images            int    `json:"images"`

	APIVersion string   `json:"apiVersion"`
	Runtimes   []string `json:"runtimes"`
}

// Health is GET /api/health, which needs no key.
type Health struct {
	Status       string       `json:"status" enum:"ok"`
	Version      string       `json:"version"`
	Name         string       `json:"name"`
	NodeID       string       `json:"nodeId"`
	Capabilities Capabilities `json:"capabilities"`
	Protocol     int          `json:"protocol"`
}

// Progress is one line of a create that was asked for progress by
// `Accept: application/x-ndjson`: steps and image pull. The last line carries
// Space or Error.
type Progress struct {
	Status string `json:"status,omitempty"`
	// ID is the image layer a pull line is about.
	ID      string `json:"id,omitempty"`
	Current int64  `json:"current,omitempty" doc:"bytes"`
	Total   int64  `json:"total,omitempty" doc:"bytes"`

	Space *Space `json:"space,omitempty"`
	Err   *Error `json:"failure,omitempty"`
}
