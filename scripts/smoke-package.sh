#!/bin/bash
# Installs the Debian package in a root directory and namespaces of its own: founds, mounts, writes, upgrades, removes, purges,
# installs again; prints a line for each thing that is as it should be, and ends with 1 at the first that is not.
usage() {
	cat <<'USAGE'
Usage: scripts/smoke-package.sh [--debootstrap] DEB

  --debootstrap   in a fresh Debian 12 that debootstrap makes (minutes, needs the mirror: npm run smoke); without it in an
                  overlay over this machine's root, which must have the packages that DEB depends on
USAGE
}
set -eu
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
clean=
[ "${1:-}" = --debootstrap ] && clean=yes && shift
[ $# = 1 ] && [ -f "$1" ] || {
	usage >&2
	exit 2
}
deb=$(readlink -f "$1")
work=$(mktemp -d "${TMPDIR:-/tmp}/hekafs-smoke.XXXXXX")
trap 'chattr -R -i "$work" 2>/dev/null || true; rm -rf --one-file-system "$work"' EXIT
mkdir -p "$work"/{root,upper,overlay-work,state,glusterd,debs}

# The same files under a later version: what an upgrade brings.
cp "$deb" "$work/debs/first.deb"
dpkg-deb -R "$deb" "$work/next"
sed -i 's/^Version: .*/&+next/' "$work/next/DEBIAN/control"
sed -i 's/"version": "[^"]*/&+next/' "$work/next/usr/lib/hekafs/package.json"
(cd "$work/next" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | xargs -0 md5sum >DEBIAN/md5sums)
dpkg-deb -Znone --root-owner-group -b "$work/next" "$work/debs/second.deb" >/dev/null
rm -rf "$work/next"

if [ -n "$clean" ]; then
	mirror=$(apt-cache policy | sed -n 's!^ *[0-9]* \(http[^ ]*/debian\) bookworm/main .*!\1!p' | head -n 1)
	debootstrap --variant=minbase bookworm "$work/root" ${mirror:+"$mirror"} >"$work/debootstrap.log" || {
		tail "$work/debootstrap.log" >&2
		exit 1
	}
	mount --bind "$work/debs" "$work/root/mnt"
	cp /etc/resolv.conf "$work/root/etc/resolv.conf" 2>/dev/null || true
	for file in /etc/apt/apt.conf.d/*proxy*; do [ ! -e "$file" ] || cp "$file" "$work/root/etc/apt/apt.conf.d/"; done
	# What needs the network is done before the namespace without one.
	printf '#!/bin/sh\nexit 101\n' >"$work/root/usr/sbin/policy-rc.d"
	chmod +x "$work/root/usr/sbin/policy-rc.d"
	chroot "$work/root" sh -c 'apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends /mnt/first.deb iproute2' >"$work/apt.log" 2>&1 || {
		umount "$work/root/mnt"
		tail -n 20 "$work/apt.log" >&2
		exit 1
	}
	umount "$work/root/mnt"
	echo "✔ apt-get installs it with its dependencies in a fresh Debian 12"
fi
unshare --mount --pid --fork --kill-child --net --uts --ipc bash "$here/smoke-package-inside.sh" "$work" "${clean:-no}"
