#!/bin/bash
# coverage.sh DIR: from the V8 coverage in DIR (NODE_V8_COVERAGE), checks that the pure folders are covered to 100 % of their lines.
set -eu
cd "$(dirname "$0")/.."
# The folders that do no I/O (docs/ARCHITECTURE.md).
pure=(src/membership src/volfile src/fuse/wire)
include=() exclude=()
for folder in "${pure[@]}"; do
	[ -d "$folder" ] || continue
	include+=(--include "$folder/**")
	for compiled in $(find "dist/$folder" -name '*.js'); do
		# A file with nothing but types compiles to nothing that could run.
		grep -qvE '^[[:space:]]*(//.*|/?\*.*|export \{\};|)$' "$compiled" || {
			source=${compiled#dist/}
			exclude+=(--exclude "${source%.js}.ts")
		}
	done
done
exec npx c8 report --temp-directory "$1" --all --exclude-after-remap "${include[@]}" "${exclude[@]}" \
	--check-coverage --lines 100 --functions 0 --branches 0 --statements 0 --reporter text
