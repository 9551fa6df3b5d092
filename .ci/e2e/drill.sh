#!/usr/bin/env bash
# The README's first command as it is written, on a fresh clone and without a terminal: it settles the practice incident,
# writes the report and leaves nothing behind.
source "$(dirname "${BASH_SOURCE[0]}")/common.bash"

git clone -q "file://$repo" "$work/clone"
cd "$work/clone"
command=$(grep -m1 '^go run ./cmd/inquest drill' README.md) || fail "README.md has no line that begins with: go run ./cmd/inquest drill"
echo "$command"
$command >"$work/out.txt" 2>"$work/err.txt" </dev/null || fail "$command ended with status $?"

grep -q '^fate:     NEVER-COMMITTED (established)' "$work/out.txt" || fail "the fate is not never-committed, established"
grep -q '^cause:    rolled-back (application)' "$work/out.txt" || fail "the cause is not rolled-back"
grep -q '^grade:    fate right.*cause right' "$work/out.txt" || fail "the drill is not graded right"
report=$(sed -n 's/^report:   //p' "$work/out.txt")
[[ -s $report ]] || fail "there is no report at '$report'"
grep -q 'e7a4bff2-adc7-4847-a9d8-25734601b405' "$report" || fail "the report does not name the record"
case=$(sed -n 's/^case:     //p' "$work/out.txt")
[[ $(stat -c %a "$case") == 600 ]] || fail "the case file is not for its owner alone"
[[ -z $(git status --porcelain) ]] || fail "the command changed the clone"
nothing_left "$command"
