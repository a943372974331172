package daemon

import (
	"os"
	"path/filepath"
	"testing"

	"gotest.tools/v3/assert"
)

// load reads a configuration of a file's text, variables and flags.
func load(t *testing.T, text string, env, flags map[string]string) (Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	assert.NilError(t, os.WriteFile(path, []byte(text), 0o600))
	return Load(path, true, func(name string) string { return env[name] }, flags)
}

func TestFlagsGoOverVariablesOverTheFile(t *testing.T) {
	const text = "name: file\nimage: file\nlogLevel: debug\n"
	c, err := load(t, text,
		map[string]string{"SPACED_NAME": "env", "SPACED_IMAGE": "env", "SPACED_LOG_LEVEL": ""},
		map[string]string{"name": "flag"})
	assert.NilError(t, err)
	assert.Equal(t, c.Name, "flag")
	assert.Equal(t, c.Image, "env")
	assert.Equal(t, c.LogLevel.String(), "DEBUG", "an empty variable is unset")
}

// port and listen are two spellings of one thing, so the layers count for them
// together.
func TestThePortOfAVariableGoesOverTheFilesListen(t *testing.T) {
	const file = "listen: 127.0.0.1:1111\n"
	for want, given := range map[string]struct{ env, flags map[string]string }{
		"127.0.0.1:1111": {},
		"127.0.0.1:2222": {env: map[string]string{"PORT": "2222"}},
		"127.0.0.1:3333": {env: map[string]string{"PORT": "2222", "SPACED_LISTEN": "127.0.0.1:3333"}},
		"127.0.0.1:4444": {env: map[string]string{"PORT": "2222"}, flags: map[string]string{"listen": "127.0.0.1:4444"}},
	} {
		c, err := load(t, file, given.env, given.flags)
		assert.NilError(t, err)
		assert.Equal(t, c.Listen, want)
		assert.Assert(t, c.ListenAsked)
	}
}

func TestTheOriginalsVariablesAreAliases(t *testing.T) {
	const key = "0123456789abcdef"
	c, err := load(t, "", map[string]string{
		"PORT": "7001", "API_KEY": key, "CLAWDSPACE_IMAGE": "i", "CLAWDSPACE_AUTH_DISABLED": "1",
		"IDLE_TIMEOUT_MS": "5", "NODES_REFRESH_MS": "5", "HISTORY_INGEST_MS": "5", "CLAWDSPACE_NODES": "n",
		"CLAWDSPACE_GPU_IMAGE": "g", "CLAWDSPACE_AUDIT_PATH": "/a", "CLAWDSPACE_TEMPLATES_DIR": "/t",
	}, nil)
	assert.NilError(t, err)
	assert.Equal(t, c.Listen, "127.0.0.1:7001")
	assert.Equal(t, c.APIKey, key)
	assert.Equal(t, c.Image, "i")
	assert.Assert(t, c.AuthDisabled)
	assert.Equal(t, len(c.Later), 7, "%v", c.Later)

	c, err = load(t, "", map[string]string{"SPACED_PORT": "7002", "PORT": "7001"}, nil)
	assert.NilError(t, err)
	assert.Equal(t, c.Listen, "127.0.0.1:7002", "our own name goes first")
}

func TestDefaults(t *testing.T) {
	c, err := load(t, "", nil, nil)
	assert.NilError(t, err)
	assert.Equal(t, c.Listen, "127.0.0.1:7777")
	assert.Assert(t, !c.ListenAsked && !c.AuthDisabled && !c.NoGuest && !c.LogJSON)
	assert.Equal(t, c.Image, "docker-space/base")
	assert.Equal(t, c.Memory, int64(2<<30))
	assert.Equal(t, c.CPUs, 1.0)
	assert.Equal(t, c.Instance, ownInstance())
	assert.Assert(t, c.Name != "")
}

func TestAFurtherInstanceGetsPlacesOfItsOwn(t *testing.T) {
	own, err := load(t, "", nil, nil)
	assert.NilError(t, err)
	other, err := load(t, "instance: other\nlisten: off\n", nil, nil)
	assert.NilError(t, err)
	assert.Assert(t, own.Socket != other.Socket && own.StateDir != other.StateDir)
	assert.Equal(t, other.Listen, "")
}

func TestListsAreListsInTheFileAndCommasInVariables(t *testing.T) {
	c, err := load(t, "allowedHosts: [a, b]\n", map[string]string{"SPACED_ALLOWED_ORIGINS": "http://x:1, https://y"}, nil)
	assert.NilError(t, err)
	assert.DeepEqual(t, c.AllowedHosts, []string{"a", "b"})
	assert.DeepEqual(t, c.AllowedOrigins, []string{"http://x:1", "https://y"})
}

func TestBadValuesNameTheirKey(t *testing.T) {
	for text, want := range map[string]string{
		"instance: A-b":                   `invalid instance "A-b" (SPACED_INSTANCE)`,
		"port: 0":                         `invalid port "0" (SPACED_PORT, PORT)`,
		"port: 65536":                     `invalid port "65536"`,
		"listen: nowhere":                 `invalid listen "nowhere" (SPACED_LISTEN)`,
		"stateDir: here":                  `invalid stateDir "here" (SPACED_STATE_DIR)`,
		"socket: s.sock":                  `invalid socket "s.sock" (SPACED_SOCKET)`,
		"logLevel: loud":                  `invalid logLevel "loud"`,
		"logFormat: xml":                  `invalid logFormat "xml"`,
		"authDisabled: perhaps":           `invalid authDisabled "perhaps"`,
		"allowedOrigins: [example.com]":   `invalid allowedOrigins "example.com"`,
		"guest: maybe":                    `invalid guest "maybe"`,
		"apiKey: secret":                  "apiKey is shorter than 16 characters",
		"memory: 2x":                      "memory",
		"cpus: .nan":                      "cpus",
		"socket: /" + string(long(120)):   `invalid socket`,
		"listen: [1, 2]":                  `listen`,
		"listen: {host: a}":               `unknown key "listen.host"`,
		"lissten: off":                    `unknown key "lissten"`,
		"security:\n  deep:\n    er: yes": `unknown key "security.deep.er"`,
		"name: [":                         "config.yaml",
	} {
		_, err := load(t, text, nil, nil)
		assert.ErrorContains(t, err, want, "%s", text)
	}
	_, err := load(t, "apiKey: secret", nil, nil)
	assert.Assert(t, err != nil && !contains(err, `"secret"`), "a key stays out of errors: %v", err)
}

func TestAFileThatWasAskedForMustBeThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.yaml")
	none := func(string) string { return "" }
	_, err := Load(path, true, none, nil)
	assert.ErrorContains(t, err, path)
	_, err = Load(path, false, none, nil)
	assert.NilError(t, err)
}
