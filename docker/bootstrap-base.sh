#!/usr/bin/env bash
# Makes sure that the base image is here: the one that is, else a pull, else
# one made from the distribution's package mirror, under the same name, for
# machines that reach no registry.
set -euo pipefail

base=${BASE_IMAGE:-debian:bookworm-slim}

say() { printf 'base image: %s\n' "$*" >&2; }

docker image inspect "$base" >/dev/null 2>&1 && exit 0
say "pulling $base"
timeout 300 docker pull -q "$base" >/dev/null 2>&1 && exit 0

if [ "$base" != debian:bookworm-slim ]; then
	say "$base cannot be pulled, and only debian:bookworm-slim can be made without a registry. Try: docker pull $base"
	exit 1
fi
as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}
if ! command -v mmdebstrap >/dev/null; then
	command -v apt-get >/dev/null || {
		say "$base cannot be pulled and mmdebstrap is not installed. Install mmdebstrap, or bring the image: docker load < image.tar"
		exit 1
	}
	say "installing mmdebstrap"
	as_root apt-get update -qq
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		mmdebstrap debian-archive-keyring >&2
fi

say "no registry answers; making $base from the distribution's package mirror (about 30 s)"
tar=$(mktemp)
trap 'rm -f "$tar"' EXIT
# Without a mirror named, mmdebstrap takes the distribution's own, with its
# updates and security fixes.
as_root mmdebstrap --quiet --variant=minbase --format=tar --include=ca-certificates \
	--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
	bookworm - ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >"$tar"
docker import -c 'CMD ["bash"]' -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
	"$tar" "$base" >/dev/null
say "made $base"
