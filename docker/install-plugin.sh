#!/usr/bin/env bash
# Links bin/docker-space into the docker CLI's plugin folder, so that a rebuild
# is in use at once.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins
link=$folder/docker-space
mkdir -p "$folder"
if [ "$(readlink "$link" 2>/dev/null)" != "$PWD/bin/docker-space" ]; then
	ln -sfn "$PWD/bin/docker-space" "$link"
	echo "plugin: $link -> $PWD/bin/docker-space" >&2
fi
