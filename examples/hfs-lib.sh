# Shared by the hfs_* scripts: names, messages, and a lock between nodes. POSIX sh; read in with `.`, never run.
#
# The configuration is plain files below $HEKAFS_ROOT (default /etc/hekafs):
#   tenants/<tenant>/{credential,uid_range,gid_range,volumes/<volume>}
#   volumes/<volume>/{replicas,state,bricks/<number>}
# Whatever is added is built aside and renamed into place as a whole, so that readers never see half of it.
#
# Exit codes of the scripts: 0 done, 1 failed or refused, 2 wrong arguments.

LC_ALL=C
export LC_ALL
set -u

ROOT=${HEKAFS_ROOT:-/etc/hekafs}
PROGRAM=${0##*/}
MAX_NAME_BYTES=200
# UIDs and GIDs: 2^32-1 stands for "no change" in chown(2).
MAX_ID=4294967294

# die MESSAGE [WHAT TO DO]
die() {
	printf '%s: %s\n' "$PROGRAM" "$1" >&2
	[ $# -lt 2 ] || printf '  %s\n' "$2" >&2
	exit 1
}

# usage ARGUMENTS [PROBLEM]
usage() {
	[ $# -lt 2 ] || printf '%s: %s\n' "$PROGRAM" "$2" >&2
	printf 'Usage: %s %s\n' "$PROGRAM" "$1" >&2
	exit 2
}

# refused WHAT: a write has failed; says why when the gate is closed.
refused() {
	if [ -d "$ROOT/.hekafs" ] && [ ! -e "$ROOT/.hekafs/writable" ]; then
		printf '%s: %s: writes are refused now\n' "$PROGRAM" "$1" >&2
		while IFS='	' read -r code text remedy; do
			printf '  %s: %s\n    %s\n' "$code" "$text" "$remedy"
		done <"$ROOT/.hekafs/reason" >&2
		exit 1
	fi
	die "$1" "Check the permissions and the space of $ROOT."
}

# check_name WHAT NAME: names become file names.
check_name() {
	case $2 in
	'') problem='is empty' ;;
	.*) problem='begins with a dot' ;;
	-*) problem='begins with a dash' ;;
	*/*) problem='contains a slash' ;;
	*[[:cntrl:]]*) problem='contains a control character' ;;
	*)
		[ "${#2}" -gt "$MAX_NAME_BYTES" ] || return 0
		problem="is longer than $MAX_NAME_BYTES bytes"
		;;
	esac
	printf '%s: the %s name %s\n' "$PROGRAM" "$1" "$problem" >&2
	exit 2
}

# check_text WHAT TEXT: a value that is stored as one line.
check_text() {
	case $2 in
	'') problem='is empty' ;;
	*[[:cntrl:]]*) problem='contains a control character' ;;
	*) return 0 ;;
	esac
	printf '%s: the %s %s\n' "$PROGRAM" "$1" "$problem" >&2
	exit 2
}

# is_number TEXT MAX: a whole number from 1, written without leading zeros.
is_number() {
	case $1 in
	'' | 0* | *[!0-9]* | ????????????*) return 1 ;;
	esac
	[ "$1" -le "$2" ]
}

# check_range WHAT LOW HIGH
check_range() {
	is_number "$2" "$MAX_ID" && is_number "$3" "$MAX_ID" && [ "$2" -le "$3" ] && return 0
	printf '%s: the %s range %s to %s is not a range of numbers from 1 to %s\n' "$PROGRAM" "$1" "$2" "$3" "$MAX_ID" >&2
	exit 2
}

# need_tree DIRECTORY...: the configuration is there.
need_tree() {
	for needed; do
		[ ! -d "$ROOT/$needed" ] || continue
		[ -d "$ROOT/.hekafs" ] || [ -n "${HEKAFS_ROOT:-}" ] ||
			die "nothing is mounted at $ROOT" "Start hekafsd; see: hfs_config status"
		[ ! -d "$ROOT/.hekafs" ] || [ -e "$ROOT/.hekafs/writable" ] || refused "there is no $ROOT/$needed"
		die "there is no $ROOT/$needed" "Fill in the initial values with: hfs_config init"
	done
}

# read_range FILE: sets range_low and range_high; fails when the file is gone or holds something else.
read_range() {
	range_low='' range_high='' range_rest=''
	read -r range_low range_high range_rest 2>/dev/null <"$1" || return 1
	[ -z "$range_rest" ] && is_number "$range_low" "$MAX_ID" && is_number "$range_high" "$MAX_ID"
}

# The lock. It is the directory .hfs-locks/held while it has an entry. The entry's name, the token, says who holds it:
# NODE.PID.START.RANDOM. What is built aside lies inside of it.
# - Taken by renaming a prepared directory `held`, holder and all, into place: rename(2) replaces an empty directory and
#   fails on one with an entry, on one node as between nodes. There is never a lock without a holder.
# - Given back, or taken from a dead holder, by renaming its token away: that moves exactly this holder's entry, once,
#   whoever else tries. A holder that was only slow finds that what it has built is gone, and fails to publish it.
LOCKS=$ROOT/.hfs-locks
LOCK_WAIT_S=${HEKAFS_LOCK_WAIT:-60}
# A holder on another node counts as dead when it was watched holding the lock for so long.
LOCK_STALE_S=${HEKAFS_LOCK_STALE:-30}
token=''

# start_of PID: when a process was started, empty when there is none; tells apart processes that got the same number.
start_of() {
	stat=''
	read -r stat 2>/dev/null <"/proc/$1/stat" || :
	[ -n "$stat" ] || return 0
	# The second field, the name in parentheses, may hold anything; the 22nd is the start (proc(5)).
	# shellcheck disable=SC2086 # split into fields
	set -- ${stat##*) }
	printf '%s' "${20:-}"
}

# This machine as long as it is up, and this process namespace: where a PID means something.
node_id() {
	{
		uname -n
		cat /proc/sys/kernel/random/boot_id
		ls -Ldi /proc/self/ns/pid || :
	} 2>/dev/null | cksum | tr -dc '0-9'
}

random() {
	od -An -N8 -tx1 /dev/urandom | tr -dc '0-9a-f'
}

# is_dead TOKEN: surely; only processes of this node can be judged.
is_dead() {
	case $1 in "$node."*) ;; *) return 1 ;; esac
	pid=${1#*.}
	start=${pid#*.}
	pid=${pid%%.*}
	start=${start%%.*}
	[ "$(start_of "$pid")" != "$start" ]
}

# take_away TOKEN: ends somebody's holding. Of several that try, one moves it.
take_away() {
	gone=$LOCKS/gone.$token.$(random)
	mv -f "$LOCKS/held/$1" "$gone" 2>/dev/null && rm -rf "$gone"
}

# Removes what killed processes of this node have left, and what is older than a day.
sweep() {
	for left in "$LOCKS"/prepared.* "$LOCKS"/gone.*; do
		owner=${left#"$LOCKS"/*.}
		if [ -d "$left" ] && is_dead "$owner"; then rm -rf "$left"; fi
	done
	find "$LOCKS/." ! -name . -prune \( -name 'prepared.*' -o -name 'gone.*' \) -mtime +1 -exec rm -rf {} + 2>/dev/null || :
}

# The token in force, empty when nobody holds the lock.
current_holder() {
	for entry in "$LOCKS/held"/*; do
		[ -e "$entry" ] && printf '%s' "${entry##*/}"
		return 0
	done
}

# prepare: the directory that becomes the lock, with everything in it.
prepare() {
	mkdir "$prepared" "$prepared/held" "$prepared/held/$token" &&
		mkdir "$prepared/held/$token/new" "$prepared/held/$token/old" &&
		printf '%s on %s, process %s, since %s\n' "$PROGRAM" "$(uname -n)" "$$" "$(date -u)" >"$prepared/held/$token/holder"
}

pause() {
	sleep 0.1 2>/dev/null || sleep 1
}

# take_lock: waits for it. Afterwards $new is a directory to build in and $old one to move things to be removed into.
take_lock() {
	node=$(node_id)
	token=$node.$$.$(start_of $$).$(random)
	umask 077
	[ -d "$LOCKS" ] || mkdir "$LOCKS" 2>/dev/null || [ -d "$LOCKS" ] || refused "can't make $LOCKS"
	trap give_back EXIT
	trap 'exit 1' HUP INT TERM
	prepared=$LOCKS/prepared.$token
	prepare 2>/dev/null || refused "can't write in $LOCKS"
	watched='' since=$(date +%s) began=$(date +%s)
	until mv -f "$prepared/held" "$LOCKS/" 2>/dev/null; do
		now=$(date +%s)
		holder=$(current_holder)
		[ "$holder" = "$watched" ] || { watched=$holder since=$now; }
		if [ -n "$holder" ]; then
			if is_dead "$holder" || [ $((now - since)) -ge "$LOCK_STALE_S" ]; then
				take_away "$holder"
				continue
			fi
		fi
		[ $((now - began)) -lt "$LOCK_WAIT_S" ] || lock_timeout "$holder"
		pause
	done
	new=$LOCKS/held/$token/new
	old=$LOCKS/held/$token/old
	rmdir "$prepared" 2>/dev/null || :
	sweep
}

lock_timeout() {
	[ -n "$1" ] || refused "can't take the lock $LOCKS/held"
	who=$(cat "$LOCKS/held/$1/holder" 2>/dev/null) || who=$1
	die "the configuration has been locked for $LOCK_WAIT_S s by $who" "Try again when it has ended."
}

# give_back: runs at every exit, also after a failure.
give_back() {
	[ -n "$token" ] || return 0
	[ ! -e "$LOCKS/held/$token" ] || take_away "$token" || :
	rm -rf "$LOCKS/prepared.$token"
	token=''
}

# publish PATH DIRECTORY: what was built at $new/PATH appears in DIRECTORY, as a whole.
publish() {
	mv -f "$new/$1" "$2/" 2>/dev/null && return 0
	[ -d "$new" ] || die "another node has taken the lock over; nothing was changed" "Try again."
	refused "can't put $1 into $2"
}

# withdraw FILE: it disappears as a whole.
withdraw() {
	mv -f "$1" "$old/${1##*/}" 2>/dev/null && return 0
	[ -d "$old" ] || die "another node has taken the lock over; nothing was changed" "Try again."
	refused "can't remove $1"
}
