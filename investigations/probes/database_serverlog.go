package probes

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
)

// How far around the end of a transaction the server log is read, and how near
// an error must stand to be a candidate for its reason.
const (
	logReach  = 2 * time.Second
	errorNear = 20 * time.Millisecond
)

func databaseServerlog() inv.Probe {
	return inv.Probe{
		ID: "database.serverlog", Step: inv.StepDatabase, Phase: inv.PhaseLogs, Title: "Server log",
		Asks:     "What did PostgreSQL log about the id, and at the moments its transactions ended?",
		Why:      "WAL says that a transaction was rolled back, never why: an error, a deadlock, a killed session or a plain ROLLBACK leave the same record.",
		Negative: "Statements, when log_statement is none; errors below log_min_messages; a log that was rotated away.",
		Needs:    "the PostgreSQL server log (--logs, or read over SQL with pg_read_binary_file)",
		Timeout:  5 * time.Minute,
		Collect:  collectServerlog,
		Read:     readServerlog,
	}
}

// abilityServerLog is what a PostgreSQL source calls reading its own log.
const abilityServerLog = "server log over SQL"

func collectServerlog(ctx context.Context, c *inv.Collector) error {
	for _, st := range c.Statuses {
		for _, a := range st.Abilities {
			if a.Name == abilityServerLog && !a.OK {
				c.Blind(st.Source+": its server log could not be read over SQL: "+a.Why, orElse(a.Opens, "name the server log with --logs (Debian: /var/log/postgresql)"))
			}
		}
	}
	if _, err := search(ctx, c, sources.LogQuery{Needles: c.Record.Needles()}, "id", isServerLog); err != nil {
		return err
	}
	for _, f := range ends(c.Facts) {
		q := sources.LogQuery{Window: window(f).Widen(logReach), Limit: 2000}
		if _, err := search(ctx, c, q, "end:"+f.Attr("xid"), isServerLog); err != nil {
			return err
		}
	}
	return nil
}

// ends are the transaction ends that have a time.
func ends(facts inv.Facts) inv.Facts {
	return facts.Where(func(f inv.Fact) bool {
		switch f.Kind {
		case inv.XactAborted, inv.XactCommitted, inv.XactUnfinished:
			return !f.Time.IsZero()
		}
		return false
	})
}

func window(f inv.Fact) sources.Window {
	if f.Until.IsZero() {
		return sources.Window{From: f.Time, To: f.Time.Add(time.Microsecond)}
	}
	return sources.Window{From: f.Time, To: f.Until}
}

func readServerlog(in inv.Input) inv.Reading {
	covers := serverCoverage(in)
	events := eventsOf(in, "")
	if len(covers) == 0 && len(events) == 0 {
		if len(in.Blind) > 0 {
			return inv.BlindReading(in.Blind)
		}
		return inv.Reading{
			Outcome: inv.BlindOutcome, Summary: "none of the logs is a PostgreSQL server log",
			Opens: "name it with --logs (Debian: /var/log/postgresql), or GRANT EXECUTE ON FUNCTION pg_read_binary_file(text,bigint,bigint,boolean)",
		}
	}
	r := inv.Reading{Outcome: inv.Absent}
	n := newNaming(in)
	for _, e := range eventsOf(in, "id") {
		if n.inStatement(e.Event) {
			r.Moments = append(r.Moments, moment(e, line(e.Event)))
			r.Facts = append(r.Facts, nameFacts(in, e)...)
		}
	}
	if list := loggedContents(in, eventsOf(in, "id")); len(list) > 0 {
		r.Recovered = list[len(list)-1:]
	}
	for _, end := range ends(in.Facts) {
		near := eventsOf(in, "end:"+end.Attr("xid"))
		if end.Kind != inv.XactCommitted {
			errs := abortErrors(in, end, near)
			r.Facts = append(r.Facts, errs...)
			for _, f := range errs {
				r.Moments = append(r.Moments, inv.Moment{Time: f.Time, Source: f.Attr("source"), Summary: f.Says, Evidence: f.Evidence[0]})
			}
		}
		if f, ok := covered(in, covers, end); ok {
			r.Facts = append(r.Facts, f)
		}
	}
	return summariseServerlog(in, r, covers)
}

func summariseServerlog(in inv.Input, r inv.Reading, covers []sources.Coverage) inv.Reading {
	errs, stmts := inv.Facts(r.Facts).Of(inv.LogError), inv.Facts(r.Facts).Of(inv.LogStatement)
	switch {
	case len(errs) > 0:
		r.Outcome, r.Summary = inv.Found, errs[0].Says
	case len(stmts) > 0:
		r.Outcome, r.Summary = inv.Found, stmts[0].Says
	case foreignWords(in) == "" && len(ends(in.Facts)) > 0 && !inv.Facts(r.Facts).Any(inv.LogCovers):
		r.Outcome = inv.BlindOutcome
		r.Summary = "no line names the id in " + plural(len(covers), "server log") + searchedRange(covers) + ", but the moments at which its transactions ended are not covered at error level"
		if logs := unplaced(in); len(logs) > 0 {
			r.Opens = withoutZone(logs).Opens
		}
	case foreignWords(in) != "":
		blind, _ := inForeignWords(in)
		blind.Facts, blind.Moments = r.Facts, r.Moments
		return blind
	default:
		r.Summary = "nothing about the id or its transactions in " + plural(len(covers), "server log") + searchedRange(covers)
	}
	return r
}

// serverCoverage are the coverages of PostgreSQL logs.
func serverCoverage(in inv.Input) []sources.Coverage {
	seen := map[string]bool{}
	return filter(in.Coverage, func(c sources.Coverage) bool {
		ok := strings.HasPrefix(c.Format, "postgres") && !seen[c.Source]
		if ok {
			seen[c.Source] = true
		}
		return ok
	})
}

// covered states that the server log was read over the end of a transaction at
// a level that includes errors.
func covered(in inv.Input, covers []sources.Coverage, end inv.Fact) (inv.Fact, bool) {
	level := setEverywhere(in.Facts, "log_min_messages", logsErrors)
	if !logsErrors(level) || foreignWords(in) != "" {
		return inv.Fact{}, false
	}
	w := window(end).Widen(errorNear)
	for _, c := range covers {
		zone := serverZone(in)
		if c.ZoneUnknown && zone != nil {
			c = zoned(c, zone)
		}
		if c.Covers(w) {
			return inv.Fact{
				Kind: inv.LogCovers, Ground: inv.GroundLog, Time: end.Time, Evidence: orFirst(in, end),
				Attrs: map[string]string{"of": end.Attr("xid"), "level": level, "source": c.Source},
				Says:  fmt.Sprintf("%s was read without a hole around %s, and log_min_messages is %s", c.Source, clock(end.Time), level),
			}, true
		}
	}
	return inv.Fact{}, false
}

// logsErrors reports a value of log_min_messages by which errors are logged.
func logsErrors(level string) bool {
	return level != "" && !slices.Contains([]string{"log", "fatal", "panic"}, level)
}

// orFirst is the evidence of what was read around the end, or of the end itself
// when not one line stood there.
func orFirst(in inv.Input, end inv.Fact) []string {
	for _, e := range in.Evidence {
		if e.Tag == "end:"+end.Attr("xid") {
			return []string{e.ID}
		}
	}
	return end.Evidence
}

func zoned(c sources.Coverage, loc *time.Location) sources.Coverage {
	in := func(t time.Time) time.Time {
		if t.IsZero() {
			return t
		}
		return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), loc).UTC()
	}
	c.From, c.To, c.ZoneUnknown = in(c.From), in(c.To), false
	gaps := make([]sources.Gap, 0, len(c.Gaps))
	for _, g := range c.Gaps {
		gaps = append(gaps, sources.Gap{From: in(g.From), To: in(g.To), Reason: g.Reason})
	}
	c.Gaps = gaps
	return c
}
