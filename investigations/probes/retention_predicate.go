package probes

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
	"inquest/sources/catalog"
)

func retentionPredicate() inv.Probe {
	return inv.Probe{
		ID: "retention.predicate", Step: inv.StepRetention, Phase: inv.PhaseRows, Title: "Rules for removal against the record",
		Asks:     "Which of the rules that are known (jobs, functions and logged statements that remove; triggers and rules that swallow inserts) take the record, by its last content and at the moment it went?",
		Why:      "A job whose condition does not hold for the row did not take it; one whose condition holds is a suspect, also when it was meant otherwise.",
		Negative: "Conditions that join other tables, depend on parameters or call other functions: those are named and not evaluated.",
		Needs:    "the row's last content (WAL, a dead version or a log) and a connection (--db)",
		Timeout:  time.Minute,
		Sends:    "for each rule whose condition is made of the table's columns, constants, now() and a few harmless functions:\nSELECT (condition) FROM (SELECT $1::type AS column, …) AS t   -- no table is read",
		Collect:  collectPredicates,
		Read:     readPredicates,
	}
}

// mostRules bounds how many rules are evaluated.
const mostRules = 24

func collectPredicates(ctx context.Context, c *inv.Collector) error {
	for _, s := range inv.With[sources.Querier](c) {
		for _, t := range closeTables(c, s.Source.Name()) {
			row, from := knownContent(c, s.Source.Name(), t)
			if row == nil || c.Facts.Of(inv.RowVisible).With("table", t.DisplayName()).With("server", s.Source.Name()).Any(inv.RowVisible) {
				continue
			}
			rules, err := rulesOver(ctx, c, s, t)
			if err != nil {
				return err
			}
			swallowing, err := swallowingRules(ctx, c, s, t)
			if err != nil {
				return err
			}
			rules = append(swallowing, rules...)
			var checked []checkedRule
			for _, r := range rules[:min(len(rules), mostRules)] {
				r.Row = from
				if err := r.check(ctx, s.Ability, &t, row); err != nil {
					return err
				}
				checked = append(checked, r.checkedRule)
			}
			if len(rules) > mostRules {
				c.Blind(fmt.Sprintf("%s: %s, of which the first %d were evaluated", t.DisplayName(), plural(len(rules), "rule"), mostRules), "")
			}
			if len(checked) == 0 {
				continue
			}
			if err := c.Keep(evidenceRules, s.Source.Name(), "rules that remove rows of "+t.DisplayName()+", held against the record's last content", t.DisplayName(), checked); err != nil {
				return err
			}
		}
	}
	return nil
}

// foundRule is a rule with what is needed to evaluate it.
type foundRule struct {
	checkedRule
	rule removalRule
}

func (r *foundRule) check(ctx context.Context, q sources.Querier, t *catalog.Table, row content) error {
	switch {
	case r.rule.why != "":
		r.verdictOnRow = verdictOnRow{Holds: holdsUnknown, Why: r.rule.why}
		return nil
	case r.rule.all:
		r.verdictOnRow = verdictOnRow{Holds: holdsTrue}
		return nil
	}
	v, err := evaluate(ctx, q, r.rule.cond, t, row, r.At)
	if v.Holds == holdsTrue && r.rule.open != "" {
		v.Holds, v.Why = holdsUnknown, r.rule.open
	}
	r.verdictOnRow = v
	return err
}

// rulesOver gathers the rules that remove rows of a table, with the moment at which
// each is to be evaluated.
func rulesOver(ctx context.Context, c *inv.Collector, s inv.Able[sources.Querier], t catalog.Table) ([]foundRule, error) {
	server := s.Source.Name()
	gone := goneAt(c, t, server)
	functions, err := functionBodies(ctx, s, t)
	if err != nil {
		return nil, err
	}
	commands := cronCommands(ctx, c, s)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var out []foundRule
	add := func(code, from, name, job, xid string, at time.Time) {
		for _, r := range removalRules(code, &t) {
			out = append(out, foundRule{checkedRule{Table: t.DisplayName(), Kind: "delete", From: from, Name: name, Job: job, Text: r.text, XID: xid, At: at}, r})
		}
	}
	for _, f := range functions {
		called := filter(commands, func(k cronCommand) bool { return callsFunction(k.command, f.name) })
		if len(called) == 0 {
			add(f.code, "function", f.name, "", gone.xid, gone.at)
		}
		for _, k := range called {
			at, xid := k.when(gone)
			add(f.code, "function", f.name, k.job, xid, at)
		}
	}
	for _, k := range commands {
		at, xid := k.when(gone)
		add(k.command, "cron", k.job, k.job, xid, at)
	}
	for _, f := range c.Facts.Of(inv.SessionAtCommit).With("joins", "statement") {
		if f.Attr("of") == gone.xid && gone.xid != "" && !strings.HasSuffix(f.Attr("statement"), "…") {
			add(f.Attr("statement"), "statement", "of pid "+f.Attr("pid"), "", gone.xid, gone.at)
		}
	}
	for _, e := range eventsOf(inv.Input{Record: c.Record, Facts: c.Facts, Evidence: c.Runs["retention.runs"].Evidence}, "") {
		if i := strings.Index(strings.ToLower(e.Message), "delete from"); i >= 0 {
			add(untilQuote(e.Message, i), "log", e.Source, orElse(e.Field("job"), e.Source), gone.xid, gone.at)
		}
	}
	return slices.CompactFunc(out, func(a, b foundRule) bool { return a.checkedRule == b.checkedRule }), nil
}

// untilQuote cuts a statement out of a line: up to the double quote that closes it
// when one stands right before it.
func untilQuote(line string, from int) string {
	text := line[from:]
	if from > 0 && line[from-1] == '"' {
		text, _, _ = strings.Cut(text, `"`)
	}
	return text
}

// removalMoment is when the record's row was removed, and by which transaction.
type removalMoment struct {
	at  time.Time
	xid string
}

// goneAt is the commit of the row's removal where it was read, else the present.
func goneAt(c *inv.Collector, t catalog.Table, server string) removalMoment {
	facts := c.Facts
	names := []string{t.DisplayName()}
	for _, leaf := range t.Stored() {
		names = append(names, leaf.DisplayName())
	}
	for _, d := range slices.Backward(facts.Of(inv.TupleDeleted).With("server", server)) {
		for _, end := range facts.Of(inv.XactCommitted).With("xid", d.Attr("xid")).With("server", server) {
			if slices.Contains(names, d.Attr("table")) && !end.Time.IsZero() {
				return removalMoment{end.Time, d.Attr("xid")}
			}
		}
	}
	return removalMoment{at: serverNow(c, server)}
}

// serverNow is the server's clock as it was asked first.
func serverNow(c *inv.Collector, server string) time.Time {
	for _, a := range answers(inv.Input{Evidence: c.Runs["database.server"].Evidence}, "identity") {
		if a.source == server {
			return pgTime(a.Text(0, "now"))
		}
	}
	return time.Time{}
}

// function is a function of the database with its source.
type function struct{ name, code string }

// functionsSQL gives whole bodies; that of a SQL-standard function (14 and later)
// stands elsewhere than in prosrc.
const functionsSQL = `SELECT p.oid::regprocedure::text AS name, left(%s, 30000) AS code
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND l.lanname IN ('sql', 'plpgsql') AND p.prokind IN ('f', 'p') AND strpos(lower(%[1]s), lower($1)) > 0 AND %[1]s ~* '\mdelete\s+from\M'
ORDER BY 1 LIMIT 100`

func functionBodies(ctx context.Context, s inv.Able[sources.Querier], t catalog.Table) ([]function, error) {
	for _, body := range []string{"coalesce(pg_get_function_sqlbody(p.oid), p.prosrc)", "p.prosrc"} {
		q := sources.Query{SQL: fmt.Sprintf(functionsSQL, body), Args: []string{t.Name}, Note: "functions that delete from the table"}
		tab, err := s.Ability.Query(ctx, q)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			continue // 13 has no pg_get_function_sqlbody
		}
		var out []function
		for i := range tab.Rows {
			out = append(out, function{tab.Text(i, "name"), tab.Text(i, "code")})
		}
		return out, nil
	}
	return nil, nil
}

// cronCommand is a scheduled command of pg_cron, with the runs of it that stand
// beside a removal.
type cronCommand struct {
	job, command string
	runs         []cronRun
}

type cronRun struct {
	xid     string
	started time.Time
}

// when is the moment at which the command is to be evaluated: when its run beside
// the removal began, for its now() is that; else the removal's.
func (k cronCommand) when(gone removalMoment) (time.Time, string) {
	for _, r := range k.runs {
		if r.xid == gone.xid && !r.started.IsZero() {
			return r.started, gone.xid
		}
	}
	return gone.at, gone.xid
}

// cronCommands are the commands of pg_cron: those that ran beside a removal, as the
// job runs' probe kept them, and those that are scheduled now.
func cronCommands(ctx context.Context, c *inv.Collector, s inv.Able[sources.Querier]) []cronCommand {
	var out []cronCommand
	at := func(job, command string) *cronCommand {
		i := slices.IndexFunc(out, func(k cronCommand) bool { return k.job == job && k.command == command })
		if i < 0 {
			out = append(out, cronCommand{job: job, command: command})
			i = len(out) - 1
		}
		return &out[i]
	}
	for _, e := range c.Runs["retention.runs"].Evidence {
		xid, ok := strings.CutPrefix(e.Tag, "cron:")
		var t sources.Table
		if !ok || e.Source != s.Source.Name() || e.Decode(&t) != nil {
			continue
		}
		for i := range t.Rows {
			k := at(orElse(t.Text(i, "job"), "cron job "+t.Text(i, "jobid")), t.Text(i, "command"))
			k.runs = append(k.runs, cronRun{xid, pgTime(t.Text(i, "started"))})
		}
	}
	k, err := findCron(ctx, c, s)
	if err != nil || k == nil {
		return out
	}
	t, err := k.ask(ctx, c, sources.Query{SQL: cronJobsSQL, Args: []string{k.here}, Note: "scheduled commands"})
	if err != nil || t == nil {
		return out
	}
	for i := range t.Rows {
		at(t.Text(i, "job"), t.Text(i, "command"))
	}
	return out
}

func readPredicates(in inv.Input) inv.Reading {
	facts := inv.Facts(ruleFacts(in))
	if len(facts) == 0 {
		if len(in.Blind) > 0 {
			return inv.BlindReading(in.Blind)
		}
		return inv.Reading{Outcome: inv.NotApplicable, Summary: "no rule for removal is known that could be held against the record's content"}
	}
	r := inv.Reading{Facts: facts, Outcome: inv.Absent}
	facts = facts.Where(func(f inv.Fact) bool { return f.Attr("kind") == "delete" || f.Attr("holds") != holdsFalse })
	if len(facts) == 0 {
		r.Summary = "no rule for removal is known, and nothing that swallows inserts took the record: " + r.Facts[0].Says
		return r
	}
	takes, open := facts.With("holds", holdsTrue), facts.With("holds", holdsUnknown)
	switch {
	case len(takes) > 0:
		r.Outcome, r.Summary = inv.Found, takes[0].Says
	case len(open) > 0:
		r.Outcome, r.Summary = inv.BlindOutcome, open[0].Says
		r.Opens = "read the rule against the recovered content"
	default:
		r.Summary = plural(len(facts), "rule") + " for removal known, and none takes the record: " + facts[0].Says
	}
	return r
}
