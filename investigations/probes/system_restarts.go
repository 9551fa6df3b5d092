package probes

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
)

func systemRestarts() inv.Probe {
	return inv.Probe{
		ID: "system.restarts", Step: inv.StepSystem, Phase: inv.PhaseLogs, Title: "Crashes, restarts, failovers",
		Asks:     "Did the server crash, restart, fail over, get restored, or run out of memory or disk?",
		Why:      "After a crash, a failover or a restore an acknowledged commit can be gone without any delete.",
		Negative: "Events of hosts whose logs are not connected, and of times before the logs begin.",
		Needs:    "the PostgreSQL server log, and the system log of the database host (--logs, --journal)",
		Timeout:  5 * time.Minute,
		Collect: func(ctx context.Context, c *inv.Collector) error {
			_, err := search(ctx, c, sources.LogQuery{Needles: systemNeedles(), Limit: 500}, "system", nil)
			return err
		},
		Read: readRestarts,
	}
}

// systemSign is a text by which a log tells of a system event. The server texts
// are those of PostgreSQL 13 to 18; the others are the Linux kernel's.
type systemSign struct {
	text, what string
	kind       inv.FactKind
	server     bool   // only in a PostgreSQL server log
	how        string // what it tells of: failover, restore, damage or last-commit
	target     bool   // the recovery was told where to stop
}

var systemSigns = []systemSign{
	{"database system was interrupted", "the server had stopped uncleanly", inv.CrashRecovery, true, "", false},
	{"database system was not properly shut down", "crash recovery", inv.CrashRecovery, true, "", false},
	{"all server processes terminated; reinitializing", "crash recovery after a server process died", inv.CrashRecovery, true, "", false},
	{"last completed transaction was at log time", "the last commit that recovery found", inv.SystemEvent, true, "last-commit", false},
	{"server process (PID ", "a server process was killed", inv.SystemEvent, true, "", false},
	{"selected new timeline ID", "a new timeline began", inv.TimelineSwitch, true, "", false},
	{"received promote request", "the server was promoted", inv.SystemEvent, true, "failover", false},
	{"entering standby mode", "the server was started as a standby", inv.SystemEvent, true, "failover", false},
	{"started streaming WAL from primary", "the server streamed from a primary", inv.SystemEvent, true, "failover", false},
	{"starting point-in-time recovery", "a point-in-time recovery began", inv.SystemEvent, true, "restore", true},
	{"starting archive recovery", "a recovery from an archive began", inv.SystemEvent, true, "restore", false},
	{"starting backup recovery", "a recovery from a backup began", inv.SystemEvent, true, "restore", false},
	{"restored log file", "WAL was restored from an archive", inv.SystemEvent, true, "restore", false},
	{"recovery stopping before", "a recovery stopped short of the end", inv.TimelineSwitch, true, "restore", true},
	{"recovery stopping after", "a recovery stopped short of the end", inv.TimelineSwitch, true, "restore", true},
	{"received fast shutdown request", "the server was shut down", inv.SystemEvent, true, "", false},
	{"received immediate shutdown request", "the server was stopped without a clean shutdown", inv.SystemEvent, true, "", false},
	{"page verification failed", "a page failed its checksum", inv.SystemEvent, true, "damage", false},
	{"invalid page in block", "a page could not be read", inv.SystemEvent, true, "damage", false},
	{"could not read block", "a block could not be read", inv.SystemEvent, true, "damage", false},
	{"could not write to file", "a write failed", inv.SystemEvent, true, "damage", false},
	{"could not extend file", "a file could not grow", inv.SystemEvent, true, "", false},
	{"Out of memory: Killed process", "the kernel killed a process for memory", inv.SystemEvent, false, "", false},
	{"I/O error, dev ", "a disk reported an I/O error", inv.SystemEvent, false, "damage", false},
}

func systemNeedles() []sources.Needle {
	out := make([]sources.Needle, 0, len(systemSigns))
	for _, s := range systemSigns {
		out = append(out, sources.Needle{Text: s.text, How: s.what})
	}
	return out
}

func readRestarts(in inv.Input) inv.Reading {
	if len(in.Coverage) == 0 {
		return inv.BlindReading(in.Blind)
	}
	r := inv.Reading{Outcome: inv.Absent, Summary: "none of these in " + plural(len(in.Coverage), "log") + searchedRange(in.Coverage)}
	for _, e := range eventsOf(in, "system") {
		s, ok := signOf(e.Event)
		if !ok {
			continue
		}
		r.Facts = append(r.Facts, s.facts(e)...)
		r.Moments = append(r.Moments, moment(e, short(e.Message, 160)))
	}
	if n := len(r.Facts); n > 0 {
		r.Outcome, r.Summary = inv.Found, fmt.Sprintf("%s; the last: %s", plural(n, "event"), r.Facts[n-1].Says)
		return r
	}
	if blind, foreign := inForeignWords(in); foreign && len(serverCoverage(in)) > 0 {
		return blind
	}
	if len(serverCoverage(in)) == 0 && !slices.ContainsFunc(in.Coverage, isHostLog) {
		return inv.Reading{
			Outcome: inv.BlindOutcome, Summary: "nothing of the kind in " + plural(len(in.Coverage), "log") + ", but none of them is the server's or the host's own log",
			Opens: "name the PostgreSQL server log and the host's system log with --logs",
		}
	}
	if len(serverCoverage(in)) == 0 {
		r.Summary = "nothing of the kind in the host's log" + searchedRange(in.Coverage) + "; the PostgreSQL server log, which tells of its crashes, was not among the logs"
	}
	return r
}

// facts are what a line with the sign states. A standby streams by habit, so its
// signs speak of a failover only where a promotion stands in the log too; that is
// for the judge, who has the timeline.
func (s systemSign) facts(e logged) []inv.Fact {
	f := inv.Fact{
		Kind: s.kind, Ground: inv.GroundLog, Time: factTime(e.Event), Until: e.until(), Evidence: []string{e.evidence},
		Attrs: map[string]string{"what": s.what, "from": "log", "source": e.Source, "how": s.how, "target": fmt.Sprint(s.target)},
		Says:  fmt.Sprintf("%s at %s: %s", s.what, clock(e.Time), short(e.Message, 140)),
	}
	if s.how == "last-commit" {
		if t, ok := quotedTime(strings.TrimPrefix(e.Message, s.text)); ok {
			f.Attrs["last-commit"] = t.Format(time.RFC3339Nano)
		}
	}
	out := []inv.Fact{f}
	if m := damagedBlock.FindStringSubmatch(e.Message); m != nil {
		b := f
		b.Kind = inv.BlockDamaged
		b.Attrs = map[string]string{"file": m[2], "block": m[1], "from": "log", "source": e.Source, "zeroed": fmt.Sprint(strings.Contains(e.Message, "zeroing out page"))}
		out = append(out, b)
	}
	return out
}

// damagedBlock finds the block in "invalid page in block 5 of relation
// base/16389/16402" and "could not read block 5 in file "base/16389/16402"".
var damagedBlock = regexp.MustCompile(`\bblock (\d+) (?:of relation|in file) "?((?:base|pg_tblspc)/[\w./]*?\d+)(?:\.\d+)?"?(?:[;:\s]|$)`)

// quotedTime reads a time as the server prints it in its messages.
func quotedTime(s string) (time.Time, bool) {
	s = strings.Trim(strings.TrimSpace(s), `"`)
	for _, layout := range []string{"2006-01-02 15:04:05.999999-07", "2006-01-02 15:04:05.999999-07:00", "2006-01-02 15:04:05.999999 MST"} {
		if t, err := time.Parse(layout, s); err == nil && (t.Location() == time.UTC || !strings.HasSuffix(layout, "MST")) {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// signOf finds the sign of an event. A server's text counts only at the start
// of a server log line, for a logged statement may quote anything; the kernel's
// only in a system log.
func signOf(e sources.Event) (systemSign, bool) {
	for _, s := range systemSigns {
		switch {
		case s.server && isServerLog(e) && strings.HasPrefix(e.Message, s.text):
			if s.text == "server process (PID " && !strings.Contains(e.Message, "was terminated by signal") {
				continue
			}
			return s, true
		case !s.server && isSystemLog(e) && strings.Contains(e.Message, s.text):
			return s, true
		}
	}
	return systemSign{}, false
}

// isHostLog reports whether a coverage is that of the host's own log. It speaks of
// the host alone: of the server's crashes only the server's log tells.
func isHostLog(c sources.Coverage) bool {
	return strings.HasPrefix(c.Format, "syslog") || c.Format == "dmesg" || strings.HasPrefix(c.Format, "journal")
}

// isSystemLog reports whether the event comes from the host rather than from a
// program's own log file.
func isSystemLog(e sources.Event) bool {
	return strings.HasPrefix(e.Format, "syslog") || e.Format == "dmesg" || strings.HasPrefix(e.Format, "journal")
}
