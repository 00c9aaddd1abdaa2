# Finds what tests left behind. Sourced by run-tests; needs $TMPDIR (the tests' own) and $HEKAFS_TEST_RUN (their mark, exported).
# shellcheck shell=bash

# FUSE and overlay mounts outside the directory for temporary files, one "type mount-point" a line. What lies in there and
# not below $TMPDIR belongs to somebody else on this machine. fusectl, the kernel's control files, is mounted by whoever needs it
# first (systemd, as a rule) and stays.
list_mounts() {
	awk '{for (i = 7; $i != "-"; i++); print $(i + 1), $5}' /proc/self/mountinfo | grep -E '^(fuse(\.[^ ]*|blk)?|overlay) ' |
		grep -vF -- " ${TMPDIR%/hekafs-run.*}/" || true
}
# Mounts below the tests' own directory, of whatever type.
own_mounts() { awk '{print $5}' /proc/self/mountinfo | grep -F -- "${TMPDIR%/tmp}/" || true; }
list_network() {
	command -v ip >/dev/null || return 0
	{
		ip -o link show type veth
		ip -o link show type bridge
		ip netns list
	} 2>/dev/null | awk '{print $1, $2}'
}

# Processes that inherited the mark, whatever they are and in whichever namespace, except this shell and its own children.
marked_processes() {
	local directory pid
	for directory in /proc/[0-9]*; do
		pid=${directory#/proc/}
		[ "$pid" != "$$" ] && [ "$pid" != "$BASHPID" ] || continue
		grep -zqsxF -- "HEKAFS_TEST_RUN=$HEKAFS_TEST_RUN" "$directory/environ" 2>/dev/null || continue
		[ "$(awk '/^PPid:/ {print $2}' "$directory/status" 2>/dev/null)" != "$BASHPID" ] || continue
		printf '%s %s\n' "$pid" "$(tr '\0' ' ' <"$directory/cmdline" 2>/dev/null | cut -c1-150)"
	done
}

remember_state() {
	mounts_before=$(list_mounts)
	network_before=$(list_network)
}

# Lines of $2 that are not in $1.
added() { comm -13 <(sort -u <<<"$1") <(sort -u <<<"$2") | grep . || true; }

# Names what is left; returns 1 when there is something. Ends nothing: who reads this should find out why.
find_leftovers() {
	local what found=0
	report() {
		[ -n "$2" ] || return 0
		printf 'left behind: %s:\n%s\n' "$1" "$2"
		found=1
	}
	report 'processes' "$(marked_processes)"
	what=$(added "$mounts_before" "$(list_mounts)")
	report 'mounts' "$what$(own_mounts)"
	report 'network devices or namespaces' "$(added "$network_before" "$(list_network)")"
	report 'files' "$(find "$TMPDIR" -mindepth 1 -maxdepth 1 2>/dev/null)"
	return $found
}
