# shellcheck shell=bash
# Sourced by up.sh and down.sh: where this user's spaced is, and its process.

# The same places as spaced's own defaults (docs/SETUP.md).
if [ "$(id -u)" = 0 ]; then
	socket=${SPACED_SOCKET:-/run/spaced.sock}
	state=${SPACED_STATE_DIR:-/var/lib/spaced}
else
	state=${SPACED_STATE_DIR:-${XDG_STATE_HOME:-$HOME/.local/state}/spaced}
	runtime=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}
	[ -n "${XDG_RUNTIME_DIR-}" ] || [ -d "$runtime" ] || runtime=$state
	socket=${SPACED_SOCKET:-$runtime/spaced.sock}
fi

# spaced_pid prints the process that listens on the socket, when it is a spaced
# that this user may signal. Asking the kernel needs no pid file that could lie.
spaced_pid() {
	local inode fd pid
	inode=$(awk -v s="$socket" '$4 == "00010000" && $8 == s {print $7; exit}' /proc/net/unix)
	[ -n "$inode" ] || return 0
	fd=$(find /proc/[0-9]*/fd -lname "socket:\[$inode\]" 2>/dev/null | head -1) || true
	pid=$(cut -d/ -f3 <<<"$fd")
	[ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = spaced ] && echo "$pid"
	return 0
}

# spaced_program prints the path that a process was started from.
spaced_program() {
	local exe
	exe=$(readlink "/proc/$1/exe" 2>/dev/null) || true
	echo "${exe% (deleted)}"
}

# stop_spaced ends a process and waits until it is gone.
stop_spaced() {
	local deadline=$((SECONDS + 30))
	kill -TERM "$1"
	while kill -0 "$1" 2>/dev/null; do
		if [ "$SECONDS" -ge "$deadline" ]; then
			echo "spaced (pid $1) did not stop within 30 s; its log is $state/spaced.log" >&2
			return 1
		fi
		sleep 0.1
	done
}
