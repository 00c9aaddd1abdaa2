# What hekafs-up asks of processes and mounts, and its record of what it did. Sourced by bash; needs $run, $state, $mountpoint, $record.
# shellcheck shell=bash

# Writes down one thing that --down must undo, before anything else happens.
note() { grep -qxF -- "$1" "$record" 2>/dev/null || printf '%s\n' "$1" >>"$record"; }
# The values that were noted under a name, one a line.
noted() { sed -n "s|^$1 ||p" "$record" 2>/dev/null; }

# wait_for SECONDS COMMAND...: until the command succeeds; 1 when it did not in time.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.1
	done
}

under_systemd() { [ "$(cat /proc/1/comm 2>/dev/null)" = systemd ] && command -v systemctl >/dev/null; }
glusterd_answers() { timeout --kill-after=1 5 gluster --mode=script pool list >/dev/null 2>&1; }

# "PID START" of a process: the start time (field 22 of /proc/PID/stat, in clock ticks) tells it from a later one with its number.
identity() {
	[ -n "${1:-}" ] || return 1
	local stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	# The second field is the program's name in parentheses and may hold spaces.
	printf '%s %s\n' "$1" "$(awk '{print $20}' <<<"${stat##*) }")"
}
runs() { [ -n "$1" ] && [ "$(identity "${1%% *}")" = "$1" ]; }
ended() { ! runs "$1"; }

# end_process IDENTITY SECONDS: SIGTERM, and SIGKILL when it has not ended in time.
end_process() {
	runs "$1" || return 0
	kill -TERM "${1%% *}"
	wait_for "$2" ended "$1" && return 0
	kill -KILL "${1%% *}"
	wait_for 10 ended "$1"
}

# The hekafsd of this run directory, empty when there is none.
hekafsd_pid() {
	local pid
	pid=$(cat "$run/hekafsd.pid" 2>/dev/null) || return 0
	[[ $pid =~ ^[0-9]+$ ]] && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -q hekafsd && printf '%s\n' "$pid"
	return 0
}

# Mount points at a directory or below it, deepest first.
mounts_below() { awk -v top="$1" '$5 == top || index($5, top "/") == 1 {print $5}' /proc/self/mountinfo | sort -r; }
overlay_mounted() { awk -v top="$mountpoint" '$5 == top {for (i = 7; $i != "-"; i++); if ($(i + 1) == "fuse.hekafs") found = 1} END {exit !found}' /proc/self/mountinfo; }

# GlusterFS processes whose command line names a directory of ours, in our pid namespace: "PID START" a line.
our_gluster_processes() {
	local directory pid
	for directory in /proc/[0-9]*; do
		pid=${directory#/proc/}
		case $(cat "$directory/comm" 2>/dev/null) in gluster*) ;; *) continue ;; esac
		[ "$(readlink "$directory/ns/pid")" = "$(readlink /proc/self/ns/pid)" ] || continue
		tr '\0' '\n' <"$directory/cmdline" 2>/dev/null | grep -qF -e "$run/" -e "$state/" && identity "$pid"
	done
	return 0
}
