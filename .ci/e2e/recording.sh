#!/usr/bin/env bash
# Without any PostgreSQL server the default drill opens as a recording and says so; the others say what they need.
# INQUEST_PG_BIN=none hides the servers that there are.
source "$(dirname "${BASH_SOURCE[0]}")/common.bash"
build

hidden() { INQUEST_PG_BIN=none "$@"; }

cd "$work"
hidden "$bin" drill --headless >"$work/out.txt" 2>"$work/err.txt" </dev/null || fail "the recording ended with status $?"
grep -q 'this is a recording' "$work/err.txt" || fail "it does not say that it is a recording"
grep -q '^fate:     NEVER-COMMITTED (established)' "$work/out.txt" || fail "the recorded fate is not never-committed, established"
grep -q '^grade:    fate right.*cause right' "$work/out.txt" || fail "the recording is not graded right"
[[ -s $work/inquest-vanished-dtro.md ]] || fail "no report was written"

hidden "$bin" drill --headless --json >"$work/findings.json" 2>"$work/err.txt" </dev/null || fail "with --json: status $?"
grep -q '"recording"' "$work/findings.json" || fail "the findings do not say that it is a recording"

status=0
hidden "$bin" drill psql-delete --headless >"$work/out.txt" 2>"$work/err.txt" </dev/null || status=$?
((status == 2)) || fail "a drill without a server: status $status, want 2"
[[ $(wc -l <"$work/err.txt") == 1 ]] || fail "a drill without a server is not answered in one line"
grep -q 'install postgresql' "$work/err.txt" || fail "it does not say what to install"
nothing_left "the recording"
