#!/bin/bash
# The part of smoke-package.sh that runs in namespaces of its own: smoke-package-inside.sh WORK CLEAN. Not to be called by hand.
set -eu
work=$1 clean=$2
root=$work/root
mount --make-rprivate /
if [ "$clean" = no ]; then
	mount -t overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/overlay-work" overlay "$root"
	# The package brings its own.
	rm -f "$root"/usr/bin/node "$root"/usr/local/bin/{node,hekafsd,hfs_config}
fi
mkdir -p "$root/var/lib/hekafs" "$root/var/lib/glusterd"
# Bricks belong on ext4 or XFS, not on an overlay.
mount --bind "$work/state" "$root/var/lib/hekafs"
mount --bind "$work/glusterd" "$root/var/lib/glusterd"
mount --bind "$work/debs" "$root/mnt"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir -p "$root/run/gluster" "$root/run/lock"
hostname smoke
ip link set lo up
printf '127.0.0.1 localhost smoke\n' >"$root/etc/hosts"

chrooted() { env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive chroot "$root" "$@" </dev/null; }
step() { # step WHAT COMMAND…: the command must succeed within a minute
	local what=$1
	shift
	chrooted timeout --kill-after=5 60 "$@" >"$work/output" 2>&1 || {
		echo "✘ $what: exit code $? of: $*"
		cat "$work/output"
		chrooted sh -c 'tail -n 20 /var/log/hekafs/hekafsd.log' 2>/dev/null || true
		exit 1
	}
	echo "✔ $what"
}
shell() { step "$1" sh -c "$2"; }
# until_true SHELL_TEXT as words of a step: tries for 40 s.
wait_until='i=0; until eval "$0"; do i=$((i + 1)); [ $i -lt 400 ] || exit 1; sleep 0.1; done'
eventually() { step "$1" sh -c "$wait_until" "$2"; }

[ "$clean" = yes ] || shell "dpkg installs it" 'dpkg --force-unsafe-io -i /mnt/first.deb'
shell "there is no Node.js but its own" '! command -v node && /usr/lib/hekafs/bin/node --version'
shell "the configuration file is right" 'hekafsd --check-config'
shell "glusterd runs" 'glusterd -p /run/glusterd.pid'
eventually "glusterd answers" 'gluster --mode=script pool list'
step "mount -t hekafs" mount -t hekafs hekafs /etc/hekafs
shell "it is mounted, and says what to do" 'grep -q " /etc/hekafs fuse.hekafs " /proc/mounts && grep hfs_config /etc/hekafs/.hekafs/reason'
eventually "hfs_config serve founds a filesystem" 'hfs_config serve --found'
step "hfs_config init" hfs_config init
eventually "it is healthy" 'test -e /etc/hekafs/.hekafs/healthy'
shell "it can be written" 'echo kept >/etc/hekafs/file && cat /run/hekafs/hekafsd.pid >/tmp/pid'

shell "dpkg upgrades it" 'dpkg --force-unsafe-io -i /mnt/second.deb'
shell "the new program runs" 'hfs_config status --json | grep -qE "\"version\": ?\"[^\"]*[+]next\"" && [ "$(cat /run/hekafs/hekafsd.pid)" != "$(cat /tmp/pid)" ]'
eventually "the mount came back, healthy" 'test -e /etc/hekafs/.hekafs/healthy'
shell "with its files, and can be written" 'grep kept /etc/hekafs/file && echo more >>/etc/hekafs/file'

step "umount" umount /etc/hekafs
shell "nothing is mounted, nothing runs" '! grep hekafs /proc/mounts | grep fuse && ! kill -0 "$(cat /run/hekafs/hekafsd.pid 2>/dev/null || echo 999999)"'
shell "nothing can be written below the mount point" '! touch /etc/hekafs/lost'
step "hekafsd --daemonize" hekafsd --daemonize
eventually "healthy again" 'test -e /etc/hekafs/.hekafs/healthy'
shell "dpkg removes it; the daemon ends" 'dpkg -r hekafs && ! grep fuse.hekafs /proc/mounts && ! pgrep -f "lib/hekafs/[d]ist"'
shell "state and configuration stay" 'test -e /etc/hekafs.conf && test -e /var/lib/hekafs/state.json'
shell "dpkg purges it without a question" 'dpkg -P hekafs && test ! -e /etc/hekafs.conf && test ! -e /etc/hekafs && test ! -e /var/log/hekafs && test ! -e /run/hekafs'
shell "the brick stays" 'ls -A /var/lib/hekafs/bricks/*/file'

shell "dpkg installs it again" 'dpkg --force-unsafe-io -i /mnt/first.deb'
step "mount again" mount -t hekafs hekafs /etc/hekafs
eventually "healthy with the old brick" 'test -e /etc/hekafs/.hekafs/healthy'
shell "the files are there" '[ "$(cat /etc/hekafs/file)" = "$(printf "kept\nmore")" ]'
step "umount at the end" umount /etc/hekafs
chattr -i "$root/etc/hekafs" 2>/dev/null || true
shell "glusterd ends" 'kill "$(cat /run/glusterd.pid)"'
