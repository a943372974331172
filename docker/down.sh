#!/usr/bin/env bash
# Stops the spaced that this user runs, and nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=docker/instance.sh
. docker/instance.sh

pid=$(spaced_pid)
if [ -n "$pid" ]; then
	program=$(spaced_program "$pid")
	stop_spaced "$pid"
	echo "Stopped spaced (pid $pid, $program)."
elif [ -S "$socket" ] && [ ! -w "$socket" ]; then
	echo "A spaced that belongs to another user listens on $socket; it was left alone." >&2
	exit 1
else
	echo "No spaced runs on $socket."
fi
cat <<'END'
Spaces and their files are kept, and so is the engine. `make up` starts again; to remove a space:
  docker space rm NAME              its container; the workspace is kept
  docker space rm --volumes NAME    the workspace too
END
