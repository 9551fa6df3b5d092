package probes

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
)

// requestReachSQL is how far around the moment the id was handed out statements
// are looked for.
const requestReachSQL = 3 * time.Second

func concurrencyRequest() inv.Probe {
	return inv.Probe{
		ID: "concurrency.request", Step: inv.StepConcurrency, Phase: inv.PhaseRows, Title: "Statements as the id was handed out",
		Asks:     "Which statements did the server log at the moment the id was handed out, and is an insert of the record among them?",
		Why:      "An insert that was logged and left no row version was refused or swallowed; none at all means that it never came.",
		Negative: "Sessions on another server; settings that log no statements.",
		Needs:    "a log that shows when the id was handed out, and the PostgreSQL server log with log_statement mod or all",
		Timeout:  time.Minute,
		Collect:  collectRequest,
		Read:     readRequest,
	}
}

// firstIssue is the earliest moment at which a log shows the id handed out.
func firstIssue(facts inv.Facts) (inv.Fact, bool) {
	var first inv.Fact
	for _, f := range facts.Of(inv.IDIssued) {
		if !f.Time.IsZero() && (first.Time.IsZero() || f.Time.Before(first.Time)) {
			first = f
		}
	}
	return first, !first.Time.IsZero()
}

func collectRequest(ctx context.Context, c *inv.Collector) error {
	issued, ok := firstIssue(c.Facts)
	if !ok || c.Facts.Any(inv.TupleInserted) {
		return nil // its insert was read: what it was is known
	}
	q := sources.LogQuery{Window: sources.Around(issued.Time, requestReachSQL), Limit: 3000}
	_, err := search(ctx, c, q, "issue", isServerLog)
	return err
}

func readRequest(in inv.Input) inv.Reading {
	issued, ok := firstIssue(in.Facts)
	switch {
	case !ok:
		return inv.Reading{Outcome: inv.NotApplicable, Summary: "no log shows when the id was handed out"}
	case in.Facts.Any(inv.TupleInserted):
		return inv.Reading{Outcome: inv.NotApplicable, Summary: "the insert itself was read"}
	case len(serverCoverage(in)) == 0:
		return inv.BlindReading(in.Blind)
	}
	inserts := insertsNear(in)
	level := setEverywhere(in.Facts, "log_statement", logsWrites)
	apart := sessionsApart(in, issued)
	if blind, foreign := inForeignWords(in); foreign && len(inserts) == 0 {
		return blind
	}
	r := inv.Reading{Outcome: inv.Absent, Facts: inserts, Summary: "no insert into its tables was logged as the id was handed out"}
	if len(inserts) > 0 {
		r.Outcome, r.Summary = inv.Found, plural(len(inserts), "insert")+" into its tables logged then, and none names the id; the first: "+inserts[0].Says
		if own := inv.Facts(inserts).With("joins", "id"); len(own) > 0 {
			r.Summary = own[0].Says
		}
	}
	if !logsWrites(level) {
		if len(inserts) == 0 {
			r.Outcome, r.Summary, r.Opens = inv.BlindOutcome, "statements are not logged (log_statement = "+orElse(level, "unknown")+")", "ALTER SYSTEM SET log_statement = 'mod'"
		}
		return r
	}
	f, ok := issueCovered(in, issued, len(inserts))
	if !ok {
		if len(inserts) == 0 {
			r.Outcome, r.Summary = inv.BlindOutcome, "no insert into its tables was logged as the id was handed out, but the log does not cover that moment without a hole"
			if logs := unplaced(in); len(logs) > 0 {
				r = withoutZone(logs)
			}
		}
		return r
	}
	r.Facts = append(r.Facts, f)
	if level == "all" {
		for _, e := range apart {
			s := f
			s.Evidence = []string{e.evidence}
			s.Attrs = maps.Clone(f.Attrs)
			s.Attrs["inserts"], s.Attrs["session"] = "0", sessionKey(e.Event)
			s.Says = fmt.Sprintf("the session of pid %s named the id at %s, just before it was handed out, and logged no insert into its table", e.Field("pid"), clock(e.Time))
			r.Facts = append(r.Facts, s)
		}
	}
	return r
}

// sessionsApart are the sessions that named the id before it was handed out and
// logged no insert into its tables around that moment: the request's own.
func sessionsApart(in inv.Input, issued inv.Fact) []logged {
	n := newNaming(in)
	named, inserted := map[string]logged{}, map[string]bool{}
	var order []string
	for _, e := range eventsOf(in, "issue") {
		key := sessionKey(e.Event)
		if key == "" || e.Field("application_name") == ownName || unclear(e.Event) {
			continue
		}
		if st, ok := parseStatement(statementText(e.Event)); ok && st.op == "create" && n.isTable(st.table) {
			inserted[key] = true
		}
		_, seen := named[key]
		if !seen && !e.Time.After(issued.Time) && n.inStatement(e.Event) && strings.Contains(e.Raw, n.values[0]) {
			named[key] = e
			order = append(order, key)
		}
	}
	var out []logged
	for _, key := range order {
		if !inserted[key] {
			out = append(out, named[key])
		}
	}
	return out
}

// insertsNear are the logged inserts into tables that the id can be a key of.
func insertsNear(in inv.Input) []inv.Fact {
	n := newNaming(in)
	var out []inv.Fact
	for _, e := range eventsOf(in, "issue") {
		f, ok := statementFact(in, e)
		if !ok || f.Attr("op") != "create" || !n.isTable(f.Attr("table")) || e.Field("application_name") == ownName {
			continue
		}
		f.Attrs["joins"] = "time"
		if n.inStatement(e.Event) && strings.Contains(e.Raw, n.values[0]) {
			f.Attrs["joins"] = "id"
		}
		out = append(out, f)
	}
	for i := range out {
		out[i].Attrs["unique"] = fmt.Sprint(len(out) == 1)
	}
	return out
}

// issueCovered states that every statement that changes rows would stand in the
// log around the moment the id was handed out.
func issueCovered(in inv.Input, issued inv.Fact, inserts int) (inv.Fact, bool) {
	if foreignWords(in) != "" {
		return inv.Fact{}, false
	}
	w := sources.Around(issued.Time, requestReachSQL/2)
	zone := serverZone(in)
	for _, c := range serverCoverage(in) {
		if c.ZoneUnknown && zone != nil {
			c = zoned(c, zone)
		}
		if !c.Covers(w) || slices.ContainsFunc(c.Limits, func(l string) bool { return strings.Contains(l, "left out") }) {
			continue
		}
		return inv.Fact{
			Kind: inv.LogCovers, Ground: inv.GroundLog, Time: issued.Time, Evidence: issued.Evidence,
			Attrs: map[string]string{"of": "issue", "statements": "true", "inserts": itoa(inserts), "source": c.Source},
			Says:  fmt.Sprintf("%s was read without a hole around %s, statements that change rows are logged, and it has %s into tables that the id fits", c.Source, clock(issued.Time), plural(inserts, "insert")),
		}, true
	}
	return inv.Fact{}, false
}
