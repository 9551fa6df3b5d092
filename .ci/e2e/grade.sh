#!/usr/bin/env bash
# Every practice incident is made for real and investigated. A confident wrong answer fails; a weaker one than the drill
# accepts is printed and fails only when there are several: what a loaded machine can show of a moment varies.
source "$(dirname "${BASH_SOURCE[0]}")/common.bash"
build
export INQUEST_CASES=$work/cases

cd "$work"
"$bin" drill --grade >"$work/grade.txt" 2>"$work/progress.txt" </dev/null || true
cat "$work/grade.txt"
grep -q '^overclaims: 0 of' "$work/grade.txt" || fail "there are overclaims"
read -r right all < <(sed -n 's/^mechanism: *\([0-9]*\) of \([0-9]*\)$/\1 \2/p' "$work/grade.txt")
((all >= 80)) || fail "only $all drills were played"
((all - right <= 3)) || fail "$((all - right)) drills came out weaker than they should"
nothing_left "the grading"
