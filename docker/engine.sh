#!/usr/bin/env bash
# Makes sure that a Docker engine answers, the way `docker` itself would reach
# it (DOCKER_HOST and contexts included). Installs one on Debian and Ubuntu
# where there is none; says what to do everywhere else.
set -euo pipefail

say() { printf 'engine: %s\n' "$*" >&2; }
die() {
	say "$*"
	exit 1
}

# The client may be a wrapper without the engine's tools, so ask for the server.
answers() { timeout 10 docker version --format '{{.Server.Version}}' 2>&1; }

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

can_be_root() { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; }

wait_for_engine() {
	local deadline=$((SECONDS + $1)) said
	while [ "$SECONDS" -lt "$deadline" ]; do
		if said=$(answers) || denied "$said"; then return 0; fi
		sleep 0.5
	done
	return 1
}

denied() { case $1 in *"permission denied"*) return 0 ;; *) return 1 ;; esac; }

explain_denied() {
	die "an engine runs, but $(id -un) may not use its socket. Run this, then \`make\` again:
    sudo usermod -aG docker $(id -un) && newgrp docker"
}

remote() {
	[ -n "${DOCKER_HOST-}" ] && ! [[ $DOCKER_HOST == unix://* ]]
}

install_engine() {
	can_be_root || die "no engine, and no root or sudo to install one. As root: apt-get install docker.io iptables"
	command -v apt-get >/dev/null ||
		die "no engine. Install Docker Engine (https://docs.docker.com/engine/install/) and start it; this script installs it on Debian and Ubuntu only"
	say "installing docker.io and iptables with apt-get"
	as_root apt-get update -qq
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		docker.io iptables ca-certificates >&2
}

start_engine() {
	can_be_root || die "an engine is installed but does not run, and there is no root or sudo to start it. As root: service docker start"
	say "starting the engine"
	if as_root service docker start >/dev/null 2>&1 && wait_for_engine 30; then return; fi
	# No init, or one whose script may not raise its limits: run it ourselves.
	local log=/var/log/dockerd.log
	say "\`service docker start\` did not do it; starting dockerd itself, output in $log"
	as_root sh -c "setsid dockerd >>$log 2>&1 </dev/null &"
	wait_for_engine 60 || die "dockerd did not answer within 60 s; the end of $log:
$(as_root tail -5 "$log")"
}

if ! command -v docker >/dev/null || ! said=$(answers); then
	said=${said-}
	if denied "$said"; then explain_denied; fi
	! remote || die "DOCKER_HOST=$DOCKER_HOST does not answer: $said"
	command -v dockerd >/dev/null || [ -x /usr/sbin/dockerd ] || install_engine
	start_engine
	hash -r
fi
if ! said=$(answers); then
	if denied "$said"; then explain_denied; fi
	die "the engine does not answer: $said"
fi
say "version $said answers"
