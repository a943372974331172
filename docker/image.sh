#!/usr/bin/env bash
# Builds the sandbox image, full or slim, when it is missing or when something
# that it is made of has changed.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${1:-full}
case $target in
full) tag=docker-space/base:latest ;;
slim) tag=docker-space/base:slim ;;
*)
	echo "usage: $0 [full|slim]" >&2
	exit 2
	;;
esac
base=${BASE_IMAGE:-debian:bookworm-slim}
label=io.github.docker-space.build

docker/bootstrap-base.sh
hash=$({
	echo "$target $base $(docker image inspect --format '{{.Id}}' "$base")"
	find docker/Dockerfile docker/rootfs -type f -print0 | sort -z | xargs -0 sha256sum
} | sha256sum | cut -c1-32)
have=$(docker image inspect --format "{{index .Config.Labels \"$label\"}}" "$tag" 2>/dev/null || true)
if [ "$have" = "$hash" ]; then
	echo "image: $tag is up to date" >&2
	exit 0
fi

echo "image: building $tag" >&2
# Without buildx the client falls back to the engine's own builder after a
# warning; ask for that builder outright.
docker buildx version >/dev/null 2>&1 || export DOCKER_BUILDKIT=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! docker build --target "$target" --build-arg "BASE_IMAGE=$base" --label "$label=$hash" \
	-t "$tag" -f docker/Dockerfile . >"$log" 2>&1; then
	tail -40 "$log" >&2
	echo "image: building $tag failed; its last lines are above. The build needs the package mirrors of $base" >&2
	exit 1
fi
echo "image: built $tag in ${SECONDS} s" >&2
