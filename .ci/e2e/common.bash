# shellcheck shell=bash
# What the end-to-end scripts share. Each is run by itself from anywhere: bash .ci/e2e/drill.sh
set -euo pipefail
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export LC_ALL=C.UTF-8

# A folder of its own for everything, so that whatever is left behind is seen. Root's servers run as another user, who
# must be able to enter it.
work=$(mktemp -d "${TMPDIR:-/tmp}/inquest-e2e-XXXXXX")
chmod 711 "$work"
mkdir "$work/tmp" "$work/home"
chmod 711 "$work/tmp"
# The Go tools keep using their own caches.
GOPATH=$(go env GOPATH) GOCACHE=$(go env GOCACHE) GOMODCACHE=$(go env GOMODCACHE)
export GOPATH GOCACHE GOMODCACHE
export TMPDIR=$work/tmp HOME=$work/home XDG_DATA_HOME=$work/home/data TZ=UTC
unset INQUEST_CASES INQUEST_CONFIG XDG_CONFIG_HOME PGHOST PGPORT PGUSER PGDATABASE PGSERVICE PGPASSWORD

on_exit=()
cleanup() {
	local status=$? command
	for command in "${on_exit[@]}"; do $command || true; done
	if ((status != 0)); then echo "FAILED: $(basename "$0") (status $status); what there was:" && ls -la "$work" "$TMPDIR" && tail -n 40 "$work"/*.txt 2>/dev/null; fi
	rm -rf "$work"
}
trap cleanup EXIT

fail() {
	echo "$*" >&2
	exit 1
}

# build sets bin to the program: the one CI built, else one built here.
build() {
	bin=${INQUEST_BIN:-}
	if [[ -z $bin ]]; then
		bin=$work/inquest
		(cd "$repo" && go build -o "$bin" ./cmd/inquest)
	fi
}

# ours lists the processes that name this script's folder: servers, and the program itself.
ours() {
	local f line
	for f in /proc/[0-9]*/cmdline; do
		line=$({ tr '\0' ' ' <"$f"; } 2>/dev/null) || continue # ended meanwhile
		if [[ $line == *"$TMPDIR/inquest-"* ]]; then echo "$line"; fi
	done
}

# nothing_left fails when a server or a temporary folder is still there a few seconds after the program ended.
nothing_left() {
	local try left=
	for try in $(seq 50); do
		left=$(ours; find "$TMPDIR" -mindepth 1 -maxdepth 1)
		if [[ -z $left ]]; then return; fi
		sleep 0.1
	done
	fail "$1 left behind after $((try / 10)) s:
$left"
}
