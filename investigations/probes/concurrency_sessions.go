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

// Pace that tells a person at a prompt from a program: time before the commit
// in the session, and time in it afterwards.
const (
	paceBefore = 2 * time.Second
	paceAfter  = 300 * time.Millisecond
)

func concurrencySessions() inv.Probe {
	return inv.Probe{
		ID: "concurrency.sessions", Step: inv.StepConcurrency, Phase: inv.PhaseLogs, Title: "Sessions at the commit",
		Asks:     "Which sessions were connected at the instant the row was deleted, and which of them can have done it?",
		Why:      "WAL holds neither a role nor a process: the actor is found by the sessions that were open when the transaction committed.",
		Negative: "Background workers, which do not log a connection; sessions that were opened before the log begins.",
		Needs:    "the PostgreSQL server log with log_connections and log_disconnections on",
		Timeout:  5 * time.Minute,
		Collect:  collectSessions,
		Read:     readSessions,
	}
}

var sessionNeedles = []sources.Needle{
	{Text: "connection authorized:", How: "a session began"},
	{Text: "disconnection: session time:", How: "a session ended"},
	{Text: "database system is ready to accept", How: "the server started"},
}

func collectSessions(ctx context.Context, c *inv.Collector) error {
	wanted := suspects(c.Facts)
	if len(wanted) == 0 {
		return nil
	}
	logs := inv.With[sources.LogSearcher](c)
	if len(logs) == 0 {
		return noLogs()
	}
	last := slices.MaxFunc(wanted, func(a, b inv.Fact) int { return a.Time.Compare(b.Time) })
	q := sources.LogQuery{Needles: sessionNeedles, Window: sources.Window{To: last.Time.Add(time.Hour)}, Limit: 200_000}
	for _, l := range logs {
		res, err := l.Ability.SearchLogs(ctx, q)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			blindTo(c, l.Source.Name(), err)
			continue
		}
		if !strings.HasPrefix(res.Coverage.Format, "postgres") {
			continue
		}
		if res.Dropped > 0 {
			res.Coverage.Limits = append(res.Coverage.Limits, plural(int(res.Dropped), "connection line")+" left out")
		}
		c.Cover(res.Coverage)
		for _, f := range wanted {
			events := openAt(f.Time)(res.Events)
			if err := c.KeepEvents(l.Source.Name(), res.Query+"  # sessions open at the moment", "sessions:"+f.Attr("xid"), events); err != nil {
				return err
			}
			if err := c.KeepEvents(l.Source.Name(), res.Query+"  # other programs of their roles", "roles:"+f.Attr("xid"), othersOf(events, res.Events)); err != nil {
				return err
			}
		}
	}
	return nil
}

// mostSuspects bounds the transactions whose actors are looked for.
const mostSuspects = 12

// suspects are the committed transactions whose actor matters: those that
// deleted, re-keyed, inserted or last updated the row, or removed its table.
func suspects(facts inv.Facts) inv.Facts {
	var out inv.Facts
	for _, kind := range []inv.FactKind{inv.TupleDeleted, inv.TupleRekeyed, inv.TableTruncated, inv.TableDropped, inv.TupleUpdated, inv.TupleInserted} {
		for _, f := range slices.Backward(facts.Of(kind)) {
			for _, end := range facts.Of(inv.XactCommitted).With("xid", f.Attr("xid")).With("server", f.Attr("server")) {
				known := slices.ContainsFunc(out, func(o inv.Fact) bool { return o.Attr("xid") == end.Attr("xid") })
				if !end.Time.IsZero() && end.Attr("branch") == "" && !known && len(out) < mostSuspects {
					out = append(out, end)
				}
			}
		}
	}
	return out
}

// othersOf are beginnings of other sessions under the same roles, a few for each
// role: they tell whether programs use it as well.
func othersOf(open, all []sources.Event) []sources.Event {
	const each = 10
	roles, kept := map[string]int{}, map[string]bool{}
	for _, e := range open {
		roles[e.Field("user")] = 0
		kept[sessionKey(e)] = true
	}
	return filter(all, func(e sources.Event) bool {
		n, ours := roles[e.Field("user")]
		key := e.Field("user") + " " + e.Field("application_name")
		if !ours || !isBegin(e) || kept[sessionKey(e)] || kept[key] || n >= each {
			return false
		}
		roles[e.Field("user")], kept[key] = n+1, true
		return true
	})
}

func openAt(t time.Time) func([]sources.Event) []sources.Event {
	return func(events []sources.Event) []sources.Event {
		ended, later := map[string]bool{}, map[string]bool{}
		step := stepOf(events)
		for _, e := range events {
			if isEnd(e) && endedBefore(e, t, step) {
				ended[sessionKey(e)] = true
			}
			if isBegin(e) && e.Time.After(t) {
				later[sessionKey(e)] = true
			}
		}
		var start *sources.Event
		out := filter(events, func(e sources.Event) bool {
			if isStart(e) {
				if e.Time.Before(t) {
					start = &e
				}
				return false
			}
			return !ended[sessionKey(e)] && (isEnd(e) && !later[sessionKey(e)] || e.Time.Before(t))
		})
		if start != nil {
			out = append([]sources.Event{*start}, filter(out, func(e sources.Event) bool { return !e.Time.Before(start.Time) })...)
		}
		return out
	}
}

// endedBefore reports that a line's moment surely lies before t: its time was cut
// to a step, and the session that committed may have left within the same one.
func endedBefore(e sources.Event, t time.Time, step time.Duration) bool {
	return !e.Time.Add(step).After(t)
}

func isStart(e sources.Event) bool {
	return strings.Contains(e.Message, "database system is ready to accept")
}
func isBegin(e sources.Event) bool { return strings.Contains(e.Message, "connection authorized") }
func isEnd(e sources.Event) bool   { return strings.Contains(e.Message, "disconnection: session time") }

// sessionKey is the session id where the format has it, else the pid.
func sessionKey(e sources.Event) string {
	if s := e.Field("session_id"); s != "" {
		return s
	}
	return e.Field("pid")
}

func readSessions(in inv.Input) inv.Reading {
	wanted := suspects(in.Facts)
	if len(wanted) == 0 {
		return inv.Reading{Outcome: inv.NotApplicable, Summary: "no committed change of the row is known whose actor could be looked for"}
	}
	if len(in.Coverage) == 0 {
		return inv.BlindReading(in.Blind)
	}
	r := inv.Reading{Outcome: inv.BlindOutcome, Summary: "the server log holds no connection lines", Opens: "ALTER SYSTEM SET log_connections = on; ALTER SYSTEM SET log_disconnections = on; SELECT pg_reload_conf()"}
	if blind, foreign := inForeignWords(in); foreign {
		r = blind
	}
	for _, end := range wanted {
		facts := sessionFacts(in, end)
		if len(facts) == 0 {
			continue
		}
		r.Facts = append(r.Facts, facts...)
		r.Outcome, r.Opens = inv.Found, ""
		r.Summary = fmt.Sprintf("%s open when xid %s committed", plural(len(facts), "session"), end.Attr("xid"))
		if len(facts) == 1 && facts[0].Attr("complete") == "true" {
			r.Summary = facts[0].Says
		}
	}
	return r
}

// sessionFacts are the sessions of client programs that were open at the end.
func sessionFacts(in inv.Input, end inv.Fact) []inv.Fact {
	events := eventsOf(in, "sessions:"+end.Attr("xid"))
	complete, why := sessionsComplete(in, events, end)
	ends := map[string]time.Time{}
	gone := map[string]bool{}
	step := stepOf(plain(events))
	for _, e := range events {
		if isEnd(e.Event) {
			ends[sessionKey(e.Event)] = e.Time
			gone[sessionKey(e.Event)] = endedBefore(e.Event, end.Time, step)
		}
	}
	var begins []logged
	for _, e := range events {
		if isBegin(e.Event) && e.Field("application_name") != ownName && e.Time.Before(end.Time) && !gone[sessionKey(e.Event)] && stillOpen(events, e, end) {
			begins = append(begins, e)
		}
	}
	programs := map[string][]string{}
	for _, e := range append(slices.Clone(events), eventsOf(in, "roles:"+end.Attr("xid"))...) {
		if u, app := e.Field("user"), e.Field("application_name"); isBegin(e.Event) && !slices.Contains(programs[u], app) {
			programs[u] = append(programs[u], app)
		}
	}
	out := make([]inv.Fact, 0, len(begins))
	for _, e := range begins {
		f := sessionFact(e, end, ends[sessionKey(e.Event)], len(begins), complete, why)
		f.Attrs["role-programs"] = strings.Join(programs[e.Field("user")], ",")
		out = append(out, f)
	}
	return out
}

// stillOpen reports that no later session has the same key: an operating system
// hands process ids out again.
func stillOpen(events []logged, e logged, end inv.Fact) bool {
	return !slices.ContainsFunc(events, func(o logged) bool {
		return isBegin(o.Event) && sessionKey(o.Event) == sessionKey(e.Event) && o.Time.After(e.Time) && o.Time.Before(end.Time)
	})
}

// ownName is the application_name of inquest's own sessions, which are no evidence.
const ownName = "inquest"

func sessionFact(e logged, end inv.Fact, ended time.Time, count int, complete bool, why string) inv.Fact {
	app := e.Field("application_name")
	f := inv.Fact{
		Kind: inv.SessionAtCommit, Ground: inv.GroundLog, Time: e.Time, Until: ended, Evidence: []string{e.evidence},
		Attrs: map[string]string{
			"of": end.Attr("xid"), "pid": e.Field("pid"), "user": e.Field("user"), "database": e.Field("dbname"),
			"application": app, "application-known": fmt.Sprint(app != "" || complete), "client": e.Field("remote_host"),
			"count": itoa(count), "complete": fmt.Sprint(complete), "incomplete-why": why,
			"pace": pace(e.latest(), end.Time, ended), "source": e.Source,
		},
	}
	who := orElse(e.Field("user"), "an unknown role")
	if app != "" {
		who += " in " + app
	}
	f.Says = fmt.Sprintf("xid %s committed while pid %s (%s) was connected since %s", end.Attr("xid"), e.Field("pid"), who, clock(e.Time))
	if count == 1 && complete {
		f.Says += ", the only session then"
	}
	return f
}

// pace is human when the session lasted well before and after the commit, as a
// person's does who types, looks and leaves; pauses when it did so a little;
// else program or unknown.
func pace(began, commit, ended time.Time) string {
	before, after := commit.Sub(began), ended.Sub(commit)
	stayed := ended.IsZero() || after >= paceAfter
	switch {
	case began.IsZero() || commit.IsZero():
		return "unknown"
	case before >= paceBefore && stayed:
		return "human"
	case before >= paceAfter && stayed:
		return "pauses"
	default:
		return "program"
	}
}

// backgroundActors are libraries whose workers change rows without a connection
// line.
var backgroundActors = []string{"pg_cron", "timescaledb", "pg_partman_bgw", "citus", "pglogical", "pg_squeeze"}

// sessionsComplete reports whether no session can have been missed: connections
// and disconnections were logged since the server's start, without a hole, and
// nothing on the server changes rows from a background worker.
func sessionsComplete(in inv.Input, events []logged, end inv.Fact) (bool, string) {
	for _, name := range []string{"log_connections", "log_disconnections"} {
		if v := settingOf(in.Facts, name); v != "on" && v != "all" && !strings.Contains(v, "authorization") {
			return false, name + " is " + orElse(v, "not known")
		}
	}
	if language := foreignWords(in); language != "" {
		return false, "the server writes its log in another language (lc_messages = " + language + ")"
	}
	libs := settingOf(in.Facts, "shared_preload_libraries")
	for _, b := range backgroundActors {
		if strings.Contains(libs, b) {
			return false, b + " can change rows from a background worker"
		}
	}
	i := slices.IndexFunc(events, func(e logged) bool { return isStart(e.Event) })
	if i < 0 {
		return false, "the log does not reach back to the server's start"
	}
	for _, c := range in.Coverage {
		if c.Source == events[i].Source && c.Covers(sources.Window{From: events[i].Time, To: end.Time}) && len(c.Limits) == 0 {
			return true, ""
		}
	}
	return false, "the log has a hole between the server's start and the commit"
}
