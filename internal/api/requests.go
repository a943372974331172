package api

// CreateRequest is the body of POST /api/spaces. Only Name is required. The
// first block is the original's, the second ours.
type CreateRequest struct {
	Name          string            `json:"name"`
	Memory        Text              `json:"memory,omitempty"`
	CPUs          Text              `json:"cpus,omitempty"`
	GPU           bool              `json:"gpu,omitempty"`
	Image         string            `json:"image,omitempty"`
	Template      string            `json:"template,omitempty"`
	Env           map[string]string `json:"env,omitempty"`
	EnvFileText   string            `json:"envFileText,omitempty"`
	EnvFileBase64 string            `json:"envFileBase64,omitempty"`
	EnvFilePath   string            `json:"envFilePath,omitempty"`
	RepoURL       string            `json:"repoUrl,omitempty"`
	RepoBranch    string            `json:"repoBranch,omitempty"`
	RepoDest      string            `json:"repoDest,omitempty"`

	GPUs     string            `json:"gpus,omitempty"`
	Network  string            `json:"network,omitempty"`
	Labels   map[string]string `json:"labels,omitempty"`
	ReadOnly bool              `json:"readOnly,omitempty"`
	Runtime  string            `json:"runtime,omitempty"`
	User     string            `json:"user,omitempty"`
	Workdir  string            `json:"workdir,omitempty"`
	ShmSize  Text              `json:"shmSize,omitempty"`
	Pull     string            `json:"pull,omitempty"`
}

// PatchRequest is the body of PATCH /api/spaces/{name}: limits changed on the
// live container. An absent field stays as it is.
type PatchRequest struct {
	Memory Text `json:"memory,omitempty"`
	CPUs   Text `json:"cpus,omitempty"`
}

// ExecRequest asks for one command, buffered (POST …/exec) or streamed (first
// text frame of …/exec/stream).
type ExecRequest struct {
	Command Command           `json:"command"`
	Env     map[string]string `json:"env,omitempty"`
	Workdir string            `json:"workdir,omitempty"`
	User    string            `json:"user,omitempty"`
	// TimeoutMs ends the command's whole process group after that long; 0 is
	// no limit.
	TimeoutMs int64 `json:"timeoutMs,omitempty"`
	// Stdin is text given to a buffered command; StdinBase64 the same for bytes.
	Stdin       string `json:"stdin,omitempty"`
	StdinBase64 string `json:"stdinBase64,omitempty"`

	// The rest is for the stream only.

	// Interactive keeps standard input open for stdin frames; otherwise the
	// command reads end of file at once.
	Interactive bool `json:"interactive,omitempty"`
	TTY         bool `json:"tty,omitempty"`
	Cols        int  `json:"cols,omitempty"`
	Rows        int  `json:"rows,omitempty"`
}

// ExecResult is the answer of a buffered exec. Stdout and Stderr are the bytes
// as text; where they are not UTF-8 the text carries U+FFFD and the Base64
// field the exact bytes.
type ExecResult struct {
	Stdout       string `json:"stdout"`
	Stderr       string `json:"stderr"`
	ExitCode     int    `json:"exitCode"`
	StdoutBase64 string `json:"stdoutBase64,omitempty"`
	StderrBase64 string `json:"stderrBase64,omitempty"`
	Signal       string `json:"signal,omitempty"`
	Truncated    bool   `json:"truncated,omitempty" doc:"output beyond the cap of 8 MiB per stream was dropped"`
	TimedOut     bool   `json:"timedOut,omitempty"`
	OOMKilled    bool   `json:"oomKilled,omitempty"`
}
