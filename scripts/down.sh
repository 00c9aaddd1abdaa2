# hekafs-up --down: undoes what hekafs-up noted in its record, and says what it keeps. Sourced by hekafs-up.
# shellcheck shell=bash

readonly STOP_LIMIT_S=40

# Directories below a mount point are made immutable while nothing is mounted on them (nobody writes there by accident).
unlock_directory() { [ ! -e "$1" ] || chattr -R -i -- "$1" 2>/dev/null || true; }

stop_hekafsd() {
	local daemon process path
	daemon=$(hekafsd_pid)
	if [ -n "$daemon" ] && [ -z "$(noted hekafsd)" ]; then
		fail "hekafsd (process $daemon) was not started by hekafs-up" "End it as it was started, or with: kill $daemon" 6
	fi
	if [ -n "$daemon" ]; then
		end_process "$(identity "$daemon")" "$STOP_LIMIT_S" || fail "hekafsd (process $daemon) does not end, not even with SIGKILL" "See /proc/$daemon/stack for what it waits for." 1
		say "hekafsd: stopped"
	fi
	# What a hekafsd that was killed leaves.
	[ -n "$(noted hekafsd)" ] || return 0
	our_gluster_processes | while IFS= read -r process; do end_process "$process" 10; done
	for path in $(mounts_below "$mountpoint") $(mounts_below "$run"); do
		umount -- "$path" 2>/dev/null || umount -l -- "$path" || fail "$path can't be unmounted" "See who uses it: fuser -vm $path" 1
	done
	chattr -i -- "$mountpoint" 2>/dev/null || true
	unlock_directory "$run"
	rm -rf --one-file-system -- "$run"
}

stop_glusterd() {
	local process
	process=$(noted glusterd | tail -n 1)
	[ -n "$process" ] || return 0
	if [ "$process" = systemd ]; then
		systemctl stop glusterd
	else
		runs "$process" || return 0
		end_process "$process" "$STOP_LIMIT_S" || fail "glusterd (process ${process%% *}) does not end" "See /var/log/glusterfs/glusterd.log" 1
	fi
	say "glusterd: stopped"
}

remove_links_and_directories() {
	local path
	while IFS= read -r path; do
		case $(readlink -- "$path") in "$root"/dist/*) rm -f -- "$path" && say "removed $path" ;; esac
	done < <(noted link)
	while IFS= read -r path; do
		[ -d "$path" ] || continue
		unlock_directory "$path"
		rmdir -- "$path" 2>/dev/null && say "removed $path" || say "kept $path: it is not empty"
	done < <(noted directory)
}

# Number of config servers that the node's own state file knows; 0 when there is none.
known_servers() {
	node -e 'console.log(JSON.parse(require("node:fs").readFileSync(process.argv[1])).set?.servers.length ?? 0)' "$state/state.json" 2>/dev/null || say 0
}

refuse_careless_purge() {
	[ -n "$purge" ] && [ -z "$force" ] || return 0
	[ "$(known_servers)" -le 1 ] || fail "this node is one of $(known_servers) config servers" "Let it leave first (hfs_config retire), or destroy its copy all the same with --force." 6
}

# What is below the two directories; they themselves may be mount points of the admin's (a disk of their own) and then stay, empty.
delete_data() {
	local path
	for path in "$state" "$log"; do
		[ -z "$(mounts_below "$path" | grep -vxF -- "$path")" ] || fail "something is mounted below $path" "Unmount it first." 6
		unlock_directory "$path"
		[ ! -d "$path" ] || find "$path" -xdev -mindepth 1 -delete || fail "$path can't be deleted" "See the messages above." 1
		rmdir -- "$path" 2>/dev/null || true
		say "deleted $path"
	done
}

down() {
	is_root || fail "not root" "Run it as root: sudo $0 --down"
	if [ ! -e "$record" ]; then
		say "nothing to undo: $record, in which hekafs-up notes what it did, does not exist"
		[ -z "$purge" ] || [ ! -e "$state" ] || fail "$state was not made by hekafs-up: not deleted" "Delete it yourself if you are sure." 6
		return 0
	fi
	refuse_careless_purge
	stop_hekafsd
	stop_glusterd
	remove_links_and_directories
	local packages
	packages=$(noted packages | tr '\n' ' ')
	if [ -n "$purge" ]; then
		delete_data
	else
		rm -f -- "$record"
		# The data outlives --down, and a later --down --purge must know that it is ours to delete.
		note "data"
		say "kept $state (this node's data) and $log; delete them with: $root/hekafs-up --down --purge"
	fi
	[ -z "$packages" ] || say "kept the Debian packages: $packages"
	say "kept $root (node_modules, dist)"
}
