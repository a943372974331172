package daemon

// setting is one value of the configuration: its name in the file, its
// variables (the first is ours, the rest are aliases), and its flag, if any.
type setting struct {
	key   string
	env   []string
	flag  string
	usage string
	// later says which capability will read it; it has no effect until then.
	later string
}

// settings is everything spaced can be told.
var settings = []setting{
	{key: "listen", env: []string{"SPACED_LISTEN"}, flag: "listen", usage: "TCP address for API and dashboard, or off (default 127.0.0.1:7777)"},
	{key: "port", env: []string{"SPACED_PORT", "PORT"}},
	{key: "socket", env: []string{"SPACED_SOCKET"}, flag: "socket", usage: "unix socket to listen on"},
	{key: "stateDir", env: []string{"SPACED_STATE_DIR"}, flag: "state-dir", usage: "folder of the database and the admin key"},
	{key: "instance", env: []string{"SPACED_INSTANCE"}, flag: "instance", usage: "which spaces of the engine are this daemon's"},
	{key: "dockerHost", env: []string{"SPACED_DOCKER_HOST", "DOCKER_HOST"}, flag: "docker-host", usage: "the engine's address"},
	{key: "logLevel", env: []string{"SPACED_LOG_LEVEL"}, flag: "log-level", usage: "debug, info, warn or error"},
	{key: "logFormat", env: []string{"SPACED_LOG_FORMAT"}, flag: "log-format", usage: "text or json"},
	{key: "name", env: []string{"SPACED_NAME"}, flag: "name", usage: "this node's name (default: the host's)"},
	{key: "apiKey", env: []string{"SPACED_API_KEY", "API_KEY"}},
	{key: "authDisabled", env: []string{"SPACED_AUTH_DISABLED", "CLAWDSPACE_AUTH_DISABLED"}},
	{key: "allowedHosts", env: []string{"SPACED_ALLOWED_HOSTS"}},
	{key: "allowedOrigins", env: []string{"SPACED_ALLOWED_ORIGINS"}},
	{key: "image", env: []string{"SPACED_IMAGE", "CLAWDSPACE_IMAGE"}},
	{key: "memory", env: []string{"SPACED_MEMORY"}},
	{key: "cpus", env: []string{"SPACED_CPUS"}},
	{key: "guest", env: []string{"SPACED_GUEST"}},

	{key: "gpuImage", env: []string{"SPACED_GPU_IMAGE", "CLAWDSPACE_GPU_IMAGE"}, later: "GPU spaces"},
	{key: "idleTimeoutMs", env: []string{"SPACED_IDLE_TIMEOUT_MS", "IDLE_TIMEOUT_MS"}, later: "automatic sleep"},
	{key: "nodesRefreshMs", env: []string{"SPACED_NODES_REFRESH_MS", "NODES_REFRESH_MS"}, later: "many nodes"},
	{key: "nodes", env: []string{"SPACED_NODES"}, later: "many nodes"},
	{key: "onlyNodes", env: []string{"CLAWDSPACE_NODES"}, later: "many nodes"},
	{key: "historyIngestMs", env: []string{"SPACED_HISTORY_INGEST_MS", "HISTORY_INGEST_MS"}, later: "the audit log"},
	{key: "auditPath", env: []string{"SPACED_AUDIT_PATH", "CLAWDSPACE_AUDIT_PATH"}, later: "the audit log"},
	{key: "templatesDir", env: []string{"SPACED_TEMPLATES_DIR", "CLAWDSPACE_TEMPLATES_DIR"}, later: "templates"},
}

func settingOf(key string) (setting, bool) {
	for _, s := range settings {
		if s.key == key {
			return s, true
		}
	}
	return setting{}, false
}
