package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/spec"
)

// DefaultConfigFile is read when it is there.
const DefaultConfigFile = "/etc/spaced/config.yaml"

// Config is what spaced was told, checked and with its defaults.
type Config struct {
	// Listen is a TCP address; empty for none. ListenAsked is whether it was
	// asked for: only then is an occupied port fatal.
	Listen      string
	ListenAsked bool
	Socket      string
	StateDir    string
	Instance    string
	DockerHost  string
	LogLevel    slog.Level
	LogJSON     bool
	Name        string
	// APIKey is an admin key given from outside; empty for the generated one.
	APIKey         string
	AuthDisabled   bool
	AllowedHosts   []string
	AllowedOrigins []string
	Image          string
	Memory         int64
	CPUs           float64
	// NoGuest makes every command an engine exec, for engines where the guest
	// cannot run.
	NoGuest bool
	// Later names what was set for a capability that is not there yet.
	Later []string
}

// Load reads the configuration: file, then environment over it, then flags
// over both. path is the file, which must exist when it was asked for; flags
// are by setting key. Errors name the key, its value and where it came from.
func Load(path string, asked bool, getenv func(string) string, flags map[string]string) (Config, error) {
	k := koanf.New("\x00")
	err := k.Load(file.Provider(path), yaml.Parser())
	if err != nil && (asked || !errors.Is(err, fs.ErrNotExist)) {
		return Config{}, fmt.Errorf("read configuration file %s: %w", path, err)
	}
	for _, key := range k.Keys() {
		if _, ok := settingOf(key); !ok {
			return Config{}, fmt.Errorf("unknown key %q in %s: see docs/SETUP.md for the keys there are", strings.ReplaceAll(key, "\x00", "."), path)
		}
	}
	env := environment(getenv)
	if env["port"] != nil { // listen is its longer form: the file's must not win over it
		k.Delete("listen")
	}
	if err := k.Load(confmap.Provider(env, ""), nil); err != nil {
		return Config{}, err
	}
	over := map[string]any{}
	for key, v := range flags {
		over[key] = v
	}
	if err := k.Load(confmap.Provider(over, ""), nil); err != nil {
		return Config{}, err
	}
	return read(k, getenv)
}

// environment gives the settings that variables set; an empty one is unset.
func environment(getenv func(string) string) map[string]any {
	set := map[string]any{}
	for _, s := range settings {
		for _, name := range s.env {
			if v := getenv(name); v != "" {
				set[s.key] = v
				break
			}
		}
	}
	return set
}

var instanceRule = regexp.MustCompile(`^[a-z0-9][a-z0-9_]{0,30}$`)

func read(k *koanf.Koanf, getenv func(string) string) (Config, error) {
	c := Config{
		DockerHost: k.String("dockerHost"), Name: k.String("name"), APIKey: k.String("apiKey"),
		Image: orDefault(k.String("image"), "docker-space/base"), AllowedHosts: words(k, "allowedHosts"), AllowedOrigins: words(k, "allowedOrigins"),
	}
	c.Instance = orDefault(k.String("instance"), ownInstance())
	if !instanceRule.MatchString(c.Instance) {
		return c, bad("instance", c.Instance, "use 1 to 31 lower-case letters, digits or '_'")
	}
	if c.Name == "" {
		c.Name, _ = os.Hostname()
	}
	for _, s := range settings {
		if s.later != "" && k.String(s.key) != "" {
			c.Later = append(c.Later, s.key+" ("+s.later+")")
		}
	}
	for _, step := range []func() error{
		func() error { return c.readPlaces(k, getenv) },
		func() error { return c.readListen(k) },
		func() error { return c.readLog(k) },
		func() error { return c.readAccess(k) },
		func() error { return c.readDefaults(k) },
	} {
		if err := step(); err != nil {
			return c, err
		}
	}
	return c, nil
}

// ownInstance is the system's for root, and each other user's own.
func ownInstance() string {
	if os.Getuid() == 0 {
		return "default"
	}
	return "u" + strconv.Itoa(os.Getuid())
}

// readPlaces settles socket and state folder. A further instance of the same
// user gets places of its own.
func (c *Config) readPlaces(k *koanf.Koanf, getenv func(string) string) error {
	suffix := ""
	if c.Instance != ownInstance() {
		suffix = "-" + c.Instance
	}
	c.StateDir = k.String("stateDir")
	if c.StateDir == "" {
		dir, err := stateHome(getenv)
		if err != nil {
			return err
		}
		c.StateDir = dir + suffix
	}
	c.Socket = k.String("socket")
	if c.Socket == "" {
		c.Socket = filepath.Join(socketDir(getenv, c.StateDir), "spaced"+suffix+".sock")
	}
	for key, v := range map[string]string{"stateDir": c.StateDir, "socket": c.Socket} {
		if !filepath.IsAbs(v) {
			return bad(key, v, "give an absolute path")
		}
	}
	// The kernel's sockaddr_un holds 108 bytes, the last a NUL.
	if len(c.Socket) > 107 {
		return bad("socket", c.Socket, "the path of a unix socket holds at most 107 bytes: choose a shorter one")
	}
	return nil
}

func stateHome(getenv func(string) string) (string, error) {
	if os.Getuid() == 0 {
		return "/var/lib/spaced", nil
	}
	if dir := getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "spaced"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no place for the state: set SPACED_STATE_DIR: %w", err)
	}
	return filepath.Join(home, ".local", "state", "spaced"), nil
}

// socketDir falls back to the state folder, which only its owner may enter.
func socketDir(getenv func(string) string, stateDir string) string {
	if os.Getuid() == 0 {
		return "/run"
	}
	if dir := getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		return dir
	}
	dir := fmt.Sprintf("/run/user/%d", os.Getuid())
	if st, err := os.Stat(dir); err == nil && st.IsDir() {
		return dir
	}
	return stateDir
}

func (c *Config) readListen(k *koanf.Koanf) error {
	listen, port := k.String("listen"), k.String("port")
	switch {
	case listen == "off":
		return nil
	case listen != "":
		if _, _, err := net.SplitHostPort(listen); err != nil {
			return bad("listen", listen, "give host:port, such as 127.0.0.1:7777, or off")
		}
		c.Listen, c.ListenAsked = listen, true
	case port != "":
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return bad("port", port, "give a number from 1 to 65535")
		}
		c.Listen, c.ListenAsked = net.JoinHostPort("127.0.0.1", port), true
	default:
		c.Listen = "127.0.0.1:7777"
	}
	return nil
}

func (c *Config) readLog(k *koanf.Koanf) error {
	level := orDefault(k.String("logLevel"), "info")
	if err := c.LogLevel.UnmarshalText([]byte(level)); err != nil {
		return bad("logLevel", level, "use debug, info, warn or error")
	}
	switch format := orDefault(k.String("logFormat"), "text"); format {
	case "text":
	case "json":
		c.LogJSON = true
	default:
		return bad("logFormat", format, "use text or json")
	}
	return nil
}

func (c *Config) readAccess(k *koanf.Koanf) (err error) {
	if v := k.String("authDisabled"); v != "" {
		if c.AuthDisabled, err = strconv.ParseBool(v); err != nil {
			return bad("authDisabled", v, "use true or false")
		}
	}
	if c.APIKey != "" && len(c.APIKey) < 16 {
		return errors.New("apiKey is shorter than 16 characters: make a longer one (openssl rand -hex 32), or leave it out to have one generated")
	}
	for _, o := range c.AllowedOrigins {
		if u, err := url.Parse(o); err != nil || u.Scheme == "" || u.Host == "" {
			return bad("allowedOrigins", o, "give origins such as http://localhost:5173")
		}
	}
	return nil
}

func (c *Config) readDefaults(k *koanf.Koanf) (err error) {
	// Checked against what any host could have; the host's own size caps it later.
	wide := spec.Limits{HostMemory: 1 << 50, HostCPUs: 1 << 16}
	if c.Memory, err = spec.Memory(api.Text(orDefault(k.String("memory"), "2g")), wide); err != nil {
		return err
	}
	if c.CPUs, err = spec.CPUs(api.Text(orDefault(k.String("cpus"), "1")), wide); err != nil {
		return err
	}
	switch guest := orDefault(k.String("guest"), "on"); guest {
	case "on":
	case "off":
		c.NoGuest = true
	default:
		return bad("guest", guest, "use on or off")
	}
	return nil
}

// words reads a list, or one string with commas as variables have it.
func words(k *koanf.Koanf, key string) []string {
	if list := k.Strings(key); len(list) > 0 {
		return list
	}
	return strings.FieldsFunc(k.String(key), func(r rune) bool { return r == ',' || r == ' ' })
}

func orDefault(v, def string) string {
	if v == "" {
		return def
	}
	return v
}

func bad(key, value, remedy string) error {
	s, _ := settingOf(key)
	return fmt.Errorf("invalid %s %q (%s): %s", key, value, strings.Join(s.env, ", "), remedy)
}
