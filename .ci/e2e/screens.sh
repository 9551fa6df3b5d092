#!/usr/bin/env bash
# The terminal UI in a real terminal, by keyboard alone: from Home over the practice incident to the exported report.
source "$(dirname "${BASH_SOURCE[0]}")/common.bash"
build

tm() { tmux -L "inquest-e2e-$$" -f /dev/null "$@"; }
end_tmux() { tm kill-server 2>/dev/null; }
on_exit+=(end_tmux)

screen() { tm capture-pane -p; }

# flat is the screen as one line, without frames: a sentence may be wrapped anywhere, for paths differ in length.
flat() { screen | tr '\n' ' ' | sed 's/[│╭╮╰╯─]/ /g; s/  */ /g'; }

# see TEXT [SECONDS]: waits until the screen shows the text.
see() {
	local text=$1 n=$((${2:-10} * 20))
	for _ in $(seq "$n"); do
		if screen | grep -qE -- "$text" || flat | grep -qE -- "$text"; then return; fi
		sleep 0.05
	done
	screen >"$work/screen.txt"
	fail "the screen never showed: $text"
}
press() { tm send-keys "$@"; }

# go_through COLUMNS LINES
go_through() {
	local cases=$work/cases-$1
	echo "a terminal of $1 by $2"
	tm new-session -d -x "$1" -y "$2" "env INQUEST_CASES=$cases TERM=screen-256color '$bin' 2>$work/err.txt; echo ended with \$?; sleep 600"
	see 'No investigation yet'
	press '?'
	see 'Start a new investigation'
	press Escape
	see 'No investigation yet'
	press t
	see 'vanished-dtro'
	press Enter
	see 'Row lineage|Database logs' 60
	see '[Cc]hecklist'
	press R
	see 'checklist has ended' 60
	see '[Nn]ever committed'
	see 'established'
	press h # the causes
	see '▸ Causes'
	press Escape
	see '[Cc]hecklist'
	press c # coverage
	see '▸ Coverage'
	press Escape
	see '[Cc]hecklist'
	press w # the report as it will be written
	see '▸ Report'
	see 'What happened'
	press Escape
	see '[Cc]hecklist'
	press e
	see 'File to write'
	press Enter
	see 'the report is in'
	compgen -G "$cases/*.md" >/dev/null || fail "no report was written to $cases"
	grep -q 'rolled back' "$cases"/*.md || fail "the report does not say what happened"
	press q
	see 'Drills|Investigations'
	press q
	see 'Investigations'
	see 'e7a4bff2-adc7-4847-a9d8-2573'
	press q
	see 'ended with 0' 20
	"$bin" verify "$cases"/*.inquest >/dev/null || fail "the case is not intact"
	if [[ -s $work/err.txt ]]; then fail "something was printed on standard error: $(cat "$work/err.txt")"; fi
	tm kill-server
	sleep 0.2
	nothing_left "the screen"
}
go_through 120 40
go_through 80 24

# Straight into the drill, and an interrupt in the middle of it.
echo "a drill from the shell, interrupted"
tm new-session -d -x 100 -y 30 "env INQUEST_CASES=$work/cases-c TERM=screen-256color '$bin' drill; echo ended with \$?; sleep 600"
see 'Row lineage|Database logs' 60
press R
press C-c
press C-c
see 'ended with (0|130)' 20
tm kill-server
sleep 0.2
nothing_left "the interrupted drill"

# And while it is being built.
echo "a drill from the shell, left while it is built"
tm new-session -d -x 100 -y 30 "env INQUEST_CASES=$work/cases-d TERM=screen-256color '$bin' drill; echo ended with \$?; sleep 600"
see 'throwaway PostgreSQL|[Ss]tarting' 20
press C-c
press C-c
see 'ended with (0|130)' 30
tm kill-server
sleep 0.2
nothing_left "the drill that was left while it was built"

# A first case by the form: a pasted id in quotes, a log that is not there and one that is, and a command; then the case
# is left, opened again and given its sources anew.
echo "a case by the form"
mkdir "$work/logs"
printf '%s\n' '{"time":"2025-11-27T14:58:03Z","level":"info","msg":"order created","order_id":"R-48213","status":201}' >"$work/logs/app.log"
paste() { tm set-buffer -- "$1"; tm paste-buffer -p; }
tm new-session -d -x 80 -y 24 "env INQUEST_CASES=$work/cases-f TERM=screen-256color '$bin' 2>$work/err.txt; echo ended with \$?; sleep 600"
see 'No investigation yet'
press n
see 'type the id that is missing'
paste '"R-48213",
'
see 'Record id +R-48213 +│'
press Tab Tab Tab Tab
paste "$work/logs/none.log"
see 'no such file or folder'
press C-s
see 'Open the case all the same'
press n
press C-u
paste "$work/logs/app.log"
see 'ready log:app.log'
press Tab
press 'yesterdax'
see 'no time yet'
press C-u
press '27/11/2025 14:58' Tab
see '= Thu 27 Nov 2025 14:58:00 UTC'
paste "command copy=cat '$work/logs/app.log'"
press Tab
see 'ready cmd:copy'
press C-s
see 'press R to run'
press R
see 'checklist has ended' 60
see 'Undetermined'
press q
see '1 investigation '
press Enter
see 'C names sources'
press R
see 'no source is connected'
press C
see 'Where to look'
press Tab
paste "$work/logs/app.log"
see 'ready log:app.log'
press C-s
see 'or r for this step|probes? could not look|press A'
press R
see 'checklist has ended' 60
press q
see '1 investigation '
press q
see 'ended with 0' 20
"$bin" verify "$work"/cases-f/*.inquest >/dev/null || fail "the case of the form is not intact"
if [[ -s $work/err.txt ]]; then fail "something was printed on standard error: $(cat "$work/err.txt")"; fi
tm kill-server
sleep 0.2
nothing_left "the form"

# A mistake in the program: the terminal is given back, and the shell goes on in it.
echo "a panic"
(cd "$repo" && go build -o "$work/demo" ./ui/uitest/demo)
tm new-session -d -x 80 -y 24 "env TERM=screen-256color PS1='shell> ' bash --norc --noprofile -i"
see 'shell>'
press "'$work/demo' panic; echo status \$?" Enter
see 'to go on with'
press e # a mistake beside the screen is a message
see 'made a mistake here'
press t # one in the screen ends it
see 'the screen broke'
see 'status 1'
press 'stty -a | tr " ;" "\n\n" | grep -xe icanon -e echo | wc -l' Enter
see '^2$'
tm kill-server
