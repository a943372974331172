package cli

import (
	"path/filepath"

	"github.com/docker/cli/cli/command"
)

// engineEnv tells a started daemon of the engine that the docker CLI was told
// to use, by --context, --host or a chosen context. It is empty for the default.
func engineEnv(docker *command.DockerCli) []string {
	endpoint := docker.DockerEndpoint()
	name := docker.CurrentContext()
	if endpoint.Host == "" || name == command.DefaultContextName && endpoint.Host == defaultHost {
		return nil
	}
	env := []string{"DOCKER_HOST=" + endpoint.Host}
	if name != command.DefaultContextName && endpoint.TLSData != nil {
		dir := docker.ContextStore().GetStorageInfo(name).TLSPath
		env = append(env, "DOCKER_TLS_VERIFY=1", "DOCKER_CERT_PATH="+filepath.Join(dir, "docker"))
	}
	return env
}

// defaultHost is where the docker CLI looks when nothing is configured.
const defaultHost = "unix:///var/run/docker.sock"
