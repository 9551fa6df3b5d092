#!/usr/bin/env bash
# An interrupt at any stage of a run ends it with status 130, keeps the case and leaves no server and no folder behind.
source "$(dirname "${BASH_SOURCE[0]}")/common.bash"
set -m # a job of its own group, which does not ignore the interrupt
build

# interrupt SIGNAL TEXT: starts a drill and sends the signal once standard error says the text.
interrupt() {
	local signal=$1 text=$2 pid status=0
	: >"$work/err.txt"
	"$bin" drill --headless >"$work/out.txt" 2>"$work/err.txt" </dev/null &
	pid=$!
	until grep -q "$text" "$work/err.txt"; do
		kill -0 "$pid" 2>/dev/null || fail "the drill ended before it said: $text"
		sleep 0.005
	done
	kill -s "$signal" "$pid"
	wait "$pid" || status=$?
	((status == 130)) || fail "SIG$signal at '$text': status $status, want 130"
	nothing_left "SIG$signal at '$text'"
	echo "SIG$signal at '$text': status $status, nothing left"
}
interrupt INT 'starting a throwaway'
interrupt TERM 'starting a throwaway'
interrupt INT 'opening the case'
interrupt TERM 'opening the case'
interrupt INT 'source '
interrupt TERM 'probe '

# What was collected is a whole case.
found=0
for case in "$XDG_DATA_HOME"/inquest/*.inquest; do
	"$bin" verify "$case" >"$work/out.txt" || fail "$case is not intact"
	found=1
done
((found)) || fail "no case was kept"
