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

// How far before a commit its statements are looked for, and how near to it the
// last of them, or the COMMIT, must have been logged.
const (
	statementReach = 10 * time.Minute
	commitNear     = time.Second
	logJitter      = 10 * time.Millisecond // a line may be written just after its moment
)

func concurrencyStatements() inv.Probe {
	return inv.Probe{
		ID: "concurrency.statements", Step: inv.StepConcurrency, Phase: inv.PhaseLogs, Title: "Statements at the commit",
		Asks:     "Whose logged statements lead up to the commit that took or wrote the row?",
		Why:      "WAL holds neither a role nor a process; the statements of exactly one session around the commit name the actor.",
		Negative: "Functions, which log only their call; settings that log no statements, or only slow ones.",
		Needs:    "the PostgreSQL server log with log_statement mod or all, or log_min_duration_statement",
		Timeout:  5 * time.Minute,
		Collect:  collectStatements,
		Read:     readStatements,
	}
}

func collectStatements(ctx context.Context, c *inv.Collector) error {
	for _, end := range suspects(c.Facts) {
		w := sources.Window{From: end.Time.Add(-statementReach), To: end.Time.Add(commitNear)}
		var needles []sources.Needle
		for _, t := range tablesOfXact(c.Facts, end) {
			_, bare, _ := strings.Cut(t, ".")
			needles = append(needles, sources.Needle{Text: bare, How: "the table " + t, Whole: true})
		}
		if len(needles) == 0 {
			continue
		}
		q := sources.LogQuery{Needles: needles, Window: w, Limit: 2000}
		if _, err := search(ctx, c, q, "table:"+end.Attr("xid"), isServerLog); err != nil {
			return err
		}
		q = sources.LogQuery{Window: sources.Window{From: end.Time.Add(-commitNear), To: w.To}, Limit: 2000}
		if _, err := search(ctx, c, q, "near:"+end.Attr("xid"), isServerLog); err != nil {
			return err
		}
	}
	return nil
}

// tablesOfXact are the tables that the transaction wrote to, as WAL tells.
func tablesOfXact(facts inv.Facts, end inv.Fact) []string {
	var out []string
	add := func(t string) {
		if strings.Contains(t, ".") && !strings.HasPrefix(t, "pg_catalog.") && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	for _, f := range facts.With("xid", end.Attr("xid")).With("server", end.Attr("server")) {
		add(f.Attr("table"))
		for _, did := range []string{"deleted", "inserted", "updated"} {
			for t := range strings.SplitSeq(f.Attr(did), ",") {
				add(t)
			}
		}
	}
	return out
}

func readStatements(in inv.Input) inv.Reading {
	wanted := suspects(in.Facts)
	switch {
	case len(wanted) == 0:
		return inv.Reading{Outcome: inv.NotApplicable, Summary: "no committed change of the row is known whose statements could be looked for"}
	case len(in.Coverage) == 0:
		return inv.BlindReading(in.Blind)
	}
	r := inv.Reading{Outcome: inv.Absent, Summary: "no logged statement leads up to the commit"}
	if level := settingOf(in.Facts, "log_statement"); (level == "none" || level == "") && !durationsLogged(in) {
		r.Outcome, r.Summary, r.Opens = inv.BlindOutcome, "statements are not logged (log_statement = "+orElse(level, "unknown")+")", "ALTER SYSTEM SET log_statement = 'mod'"
	}
	for _, end := range wanted {
		facts := statementSessions(in, end)
		r.Facts = append(r.Facts, facts...)
		if len(facts) > 0 {
			r.Outcome, r.Opens, r.Summary = inv.Found, "", facts[0].Says
		}
	}
	if blind, foreign := inForeignWords(in); foreign && r.Outcome != inv.Found {
		return blind
	}
	if r.Outcome == inv.Absent && !slices.ContainsFunc(wanted, func(end inv.Fact) bool { return statementsComplete(in, end) }) {
		if logs := unplaced(in); len(logs) > 0 {
			return withoutZone(logs)
		}
		r.Outcome, r.Summary = inv.BlindOutcome, "no logged statement leads up to the commit, but the log does not cover it without a hole"
	}
	return r
}

// statementSessions are the sessions whose statements on the transaction's
// tables lead up to its commit.
func statementSessions(in inv.Input, end inv.Fact) []inv.Fact {
	wanted := writesOfXact(in, end)
	bySession := map[string][]logged{}
	var order []string
	for _, e := range append(eventsOf(in, "table:"+end.Attr("xid")), eventsOf(in, "near:"+end.Attr("xid"))...) {
		key := sessionKey(e.Event)
		if key == "" || unclear(e.Event) || e.Field("application_name") == ownName {
			continue
		}
		if bySession[key] == nil {
			order = append(order, key)
		}
		bySession[key] = append(bySession[key], e)
	}
	var found []leadUp
	for _, key := range order {
		if l, ok := leadsUp(in, bySession[key], wanted, end.Time); ok {
			found = append(found, l)
		}
	}
	complete := statementsComplete(in, end)
	out := make([]inv.Fact, 0, len(found))
	for _, l := range found {
		out = append(out, l.fact(end, len(found), complete))
	}
	return out
}

// writesOfXact are what a session's statement must do, and to which table, to be
// one of the transaction's: its deletes when it deleted, for they are what is
// asked about; else what it did.
func writesOfXact(in inv.Input, end inv.Fact) map[string]bool {
	out := map[string]bool{}
	mine := in.Facts.With("xid", end.Attr("xid")).With("server", end.Attr("server"))
	for _, kind := range []struct {
		fact inv.FactKind
		op   string
	}{{inv.TableTruncated, "truncate"}, {inv.TableDropped, "drop"}, {inv.TupleDeleted, "delete"}, {inv.TupleRekeyed, "update"}} {
		for _, f := range mine.Of(kind.fact) {
			out[kind.op+" "+f.Attr("table")] = true
		}
	}
	removal := len(out) > 0
	for _, f := range mine.Of(inv.XactContents) {
		for did, op := range map[string]string{"deleted": "delete", "inserted": "create", "updated": "update"} {
			if removal && did != "deleted" {
				continue
			}
			for t := range strings.SplitSeq(f.Attr(did), ",") {
				out[op+" "+t] = t != ""
			}
		}
	}
	return out
}

// leadUp is one session's statements before a commit.
type leadUp struct {
	write logged    // the last statement on one of the transaction's tables
	began time.Time // of its transaction, as far as the log shows
	last  time.Time // of what the session had logged last before the commit
}

// leadsUp decides whether a session's statements can have made the commit: it
// wrote to one of the tables, did not end that transaction before, and had
// something running when the commit came.
func leadsUp(in inv.Input, lines []logged, wanted map[string]bool, commit time.Time) (leadUp, bool) {
	slices.SortStableFunc(lines, func(a, b logged) int { return a.Time.Compare(b.Time) })
	var l leadUp
	explicit, wrote := false, false
	step := lines[0].step
	for _, e := range lines {
		if e.Time.After(commit.Add(logJitter)) {
			break
		}
		if isBegin(e.Event) || isEnd(e.Event) {
			if !endedBefore(e.Event, commit, step) {
				continue
			}
			l, explicit, wrote = leadUp{}, false, false // another session: a process id is handed out again
			continue
		}
		text := statementText(e.Event)
		word, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(text)), " ")
		switch strings.Trim(word, ";") {
		case "":
			continue
		case "BEGIN", "START":
			l, explicit, wrote = leadUp{began: e.Time}, true, false
		case "COMMIT", "END":
			if commit.Sub(e.latest()) > commitNear {
				l, explicit, wrote = leadUp{}, false, false
			}
		case "ROLLBACK", "ABORT":
			l, explicit, wrote = leadUp{}, false, false
		}
		if st, ok := parseStatement(text); ok && wanted[st.op+" "+meantTable(in, st.table)] {
			l.write, wrote = e, true
		}
		if l.began.IsZero() {
			l.began = e.Time
		}
		l.last = e.Time
	}
	if !wrote {
		return l, false
	}
	running := commit.Sub(l.last) <= commitNear+step
	if !explicit {
		running = commit.Sub(l.write.Time) <= commitNear+step
	}
	return l, running
}

func (l leadUp) fact(end inv.Fact, count int, complete bool) inv.Fact {
	app := l.write.Field("application_name")
	f := inv.Fact{
		Kind: inv.SessionAtCommit, Ground: inv.GroundLog, Time: l.began, Evidence: []string{l.write.evidence},
		Attrs: map[string]string{
			"of": end.Attr("xid"), "joins": "statement", "pid": l.write.Field("pid"), "user": l.write.Field("user"), "database": l.write.Field("dbname"),
			"application": app, "application-known": fmt.Sprint(app != ""), "client": l.write.Field("remote_host"), "count": itoa(count),
			"complete": fmt.Sprint(complete && count == 1), "pace": "unknown", "started": l.began.Add(l.write.step).UTC().Format(time.RFC3339Nano),
			"statement": short(statementText(l.write.Event), 300), "source": l.write.Source, "backend": l.write.Field("backend_type"),
		},
	}
	if end.Time.Sub(l.began) >= paceBefore+l.write.step {
		f.Attrs["pace"] = "human"
	}
	f.Says = fmt.Sprintf("pid %s (%s) logged %q at %s, which leads up to the commit of xid %s", orElse(f.Attrs["pid"], "unknown"),
		orElse(f.Attrs["user"], "an unknown role"), short(statementText(l.write.Event), 120), clock(l.write.Time), end.Attr("xid"))
	return f
}

// durationsLogged reports that every statement is logged with its duration, as it
// ends.
func durationsLogged(in inv.Input) bool {
	always := func(v string) bool { return v == "0" }
	return always(setEverywhere(in.Facts, "log_min_duration_statement", always))
}

// statementsComplete reports whether every statement that changes rows would be
// in the log around the commit.
func statementsComplete(in inv.Input, end inv.Fact) bool {
	if !logsWrites(setEverywhere(in.Facts, "log_statement", logsWrites)) && !durationsLogged(in) {
		return false
	}
	if foreignWords(in) != "" {
		return false
	}
	w := sources.Window{From: end.Time.Add(-commitNear), To: end.Time.Add(time.Microsecond)}
	return slices.ContainsFunc(serverCoverage(in), func(c sources.Coverage) bool {
		if zone := serverZone(in); c.ZoneUnknown && zone != nil {
			c = zoned(c, zone)
		}
		return c.Covers(w)
	})
}
