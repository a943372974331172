#!/usr/bin/env bash
# Sets everything up and ends with a first command in the space `dev`. Safe to
# run again: what is there already is left as it is.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=docker/instance.sh
. docker/instance.sh

docker/toolchain.sh
docker/engine.sh
make -s build
docker/install-plugin.sh
docker/image.sh full

answers() { SPACE_AUTOSTART=0 timeout 10 bin/docker-space version >/dev/null 2>&1; }

start_spaced() {
	(umask 077 && mkdir -p "$state")
	local log=$state/spaced.log deadline=$((SECONDS + 20))
	setsid "$PWD/bin/spaced" >>"$log" 2>&1 </dev/null &
	local pid=$!
	while ! answers; do
		if ! kill -0 "$pid" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
			echo "spaced did not start; the end of $log:" >&2
			tail -15 "$log" >&2
			exit 1
		fi
		sleep 0.1
	done
	echo "daemon: started spaced (log: $log)" >&2
}

pid=$(spaced_pid)
if [ -n "$pid" ] && [ "$(spaced_program "$pid")" = "$PWD/bin/spaced" ] &&
	! cmp -s "/proc/$pid/exe" bin/spaced; then
	echo "daemon: spaced was rebuilt; restarting it, what runs in spaces goes on" >&2
	stop_spaced "$pid"
	pid=
fi
if answers; then
	echo "daemon: spaced answers already" >&2
elif [ -n "$pid" ] || [ -S "$socket" ] && [ ! -w "$socket" ]; then
	# Its own words name the socket and what to do.
	SPACE_AUTOSTART=0 bin/docker-space version >/dev/null || exit 1
else
	start_spaced
fi

if ! docker space inspect dev >/dev/null 2>&1; then
	echo "space: creating dev" >&2
	docker space create --quiet dev >/dev/null
fi
# Both lines are for the space's shell.
# shellcheck disable=SC2016
echo '$ docker space exec dev -- bash -lc '\''echo "hello from $(hostname)"; python3 --version'\'
# shellcheck disable=SC2016
docker space exec dev -- bash -lc 'echo "hello from $(hostname)"; python3 --version'

dashboard=$(docker space dashboard --no-open 2>/dev/null) || dashboard="this daemon listens on $socket only"
cat <<END

Ready. Try next:
  docker space shell dev                     a shell in the space
  docker space run --rm scratch -- id        a space for one command
  docker space ls                            what there is
Dashboard: $dashboard
Stop it all: make down
END
