package probes

import (
	"context"
	"fmt"
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
	server     bool // only in a PostgreSQL server log
}

var systemSigns = []systemSign{
	{"database system was interrupted", "the server had stopped uncleanly", inv.CrashRecovery, true},
	{"database system was not properly shut down", "crash recovery", inv.CrashRecovery, true},
	{"all server processes terminated; reinitializing", "crash recovery after a server process died", inv.CrashRecovery, true},
	{"server process (PID ", "a server process was killed", inv.SystemEvent, true},
	{"selected new timeline ID", "a new timeline began", inv.TimelineSwitch, true},
	{"received promote request", "the server was promoted", inv.SystemEvent, true},
	{"starting point-in-time recovery", "a point-in-time recovery began", inv.SystemEvent, true},
	{"recovery stopping before", "a recovery stopped short of the end", inv.TimelineSwitch, true},
	{"recovery stopping after", "a recovery stopped short of the end", inv.TimelineSwitch, true},
	{"received fast shutdown request", "the server was shut down", inv.SystemEvent, true},
	{"received immediate shutdown request", "the server was stopped without a clean shutdown", inv.SystemEvent, true},
	{"page verification failed", "a page failed its checksum", inv.SystemEvent, true},
	{"invalid page in block", "a page could not be read", inv.SystemEvent, true},
	{"could not write to file", "a write failed", inv.SystemEvent, true},
	{"could not extend file", "a file could not grow", inv.SystemEvent, true},
	{"Out of memory: Killed process", "the kernel killed a process for memory", inv.SystemEvent, false},
	{"I/O error, dev ", "a disk reported an I/O error", inv.SystemEvent, false},
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
		r.Facts = append(r.Facts, inv.Fact{
			Kind: s.kind, Ground: inv.GroundLog, Time: factTime(e.Event), Evidence: []string{e.evidence},
			Attrs: map[string]string{"what": s.what, "from": "log", "source": e.Source},
			Says:  fmt.Sprintf("%s at %s: %s", s.what, clock(e.Time), short(e.Message, 140)),
		})
		r.Moments = append(r.Moments, moment(e, short(e.Message, 160)))
	}
	if n := len(r.Facts); n > 0 {
		r.Outcome, r.Summary = inv.Found, fmt.Sprintf("%s; the last: %s", plural(n, "event"), r.Facts[n-1].Says)
		return r
	}
	if len(serverCoverage(in)) == 0 {
		return inv.Reading{
			Outcome: inv.BlindOutcome, Summary: "nothing of the kind in " + plural(len(in.Coverage), "log") + ", but none of them is the server's or the host's own log",
			Opens: "name the PostgreSQL server log and the host's system log with --logs",
		}
	}
	return r
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

// isSystemLog reports whether the event comes from the host rather than from a
// program's own log file.
func isSystemLog(e sources.Event) bool {
	return strings.HasPrefix(e.Format, "syslog") || e.Format == "dmesg" || strings.HasPrefix(e.Format, "journal")
}
