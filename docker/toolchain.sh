#!/usr/bin/env bash
# Checks that the Go of this machine can build the project, or says what to
# install.
set -euo pipefail
cd "$(dirname "$0")/.."

need=$(awk '$1 == "go" {print $2}' go.mod)
how="Install Go $need or newer from https://go.dev/dl/, for example:
    curl -fsSL https://go.dev/dl/go$need.linux-$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/').tar.gz | sudo tar -C /usr/local -xz
    export PATH=/usr/local/go/bin:\$PATH"
if ! command -v go >/dev/null; then
	echo "Go is not installed, and the project is built with it. $how" >&2
	exit 1
fi
# GOVERSION is the toolchain that go.mod selects; older Go fetches it by itself
# where it may.
have=$(go env GOVERSION 2>&1) || {
	echo "go does not accept go.mod: $have. $how" >&2
	exit 1
}
if [ "$(printf '%s\n' "$need" "${have#go}" | sort -V | head -1)" != "$need" ]; then
	echo "Go ${have#go} is too old; the project needs $need. $how" >&2
	exit 1
fi
