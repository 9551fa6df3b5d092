package probes

import (
	"fmt"
	"strings"
	"testing"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
)

// serverLine is a line of a PostgreSQL log, so many milliseconds after a moment.
func pgLine(ms int, pid, app, message string) sources.Event {
	return sources.Event{
		Time: removedAt.Truncate(time.Millisecond).Add(time.Duration(ms) * time.Millisecond), Source: "log:pg", Format: "postgres-stderr", Message: message,
		Fields: map[string]string{"pid": pid, "application_name": app, "user": app, "error_severity": "LOG"}, Raw: message + pid + time.Duration(ms).String(),
	}
}

var removedAt = time.Date(2025, 11, 27, 14, 58, 3, 5_400_000, time.UTC) // 5.4 ms: within a step of the log

// TestSessionThatLeftInTheSameMillisecond: a log cuts its times to milliseconds, so a session that committed at 5.4 ms and
// left at 5.7 ms is logged as gone at 5 ms. It is the one that did it, and must stay a candidate.
func TestSessionThatLeftInTheSameMillisecond(t *testing.T) {
	end := inv.Fact{Kind: inv.XactCommitted, Time: removedAt, Attrs: map[string]string{"xid": "710", "server": "db:x"}}
	lines := []sources.Event{
		pgLine(-9000, "1", "", "database system is ready to accept connections"),
		pgLine(-4000, "10", "psql", "connection authorized: user=jane"),
		pgLine(-20, "11", "api", "connection authorized: user=api"),
		pgLine(0, "11", "api", "disconnection: session time: 0:00:00.020"),
		pgLine(-30, "12", "gone", "connection authorized: user=gone"),
		pgLine(-1, "12", "gone", "disconnection: session time: 0:00:00.029"),
		pgLine(9000, "10", "psql", "disconnection: session time: 0:00:13"),
	}
	kept := openAt(removedAt)(lines)
	in := inv.Input{
		Evidence: []inv.Evidence{kept1(t, "sessions:710", kept)},
		Facts: inv.Facts{
			{Kind: inv.Setting, Attrs: map[string]string{"name": "log_connections", "value": "on", "server": "db:x"}},
			{Kind: inv.Setting, Attrs: map[string]string{"name": "log_disconnections", "value": "on", "server": "db:x"}},
		},
		Coverage: []sources.Coverage{{Source: "log:pg", From: removedAt.Add(-time.Hour), To: removedAt.Add(time.Hour), Format: "postgres-stderr"}},
	}
	got := sessionFacts(in, end)
	if len(got) != 2 || got[0].Attr("pid") != "10" || got[1].Attr("pid") != "11" || got[0].Attr("count") != "2" {
		t.Fatalf("%+v", got)
	}
}

func kept1(t *testing.T, tag string, events []sources.Event) inv.Evidence {
	t.Helper()
	return stored(t, "E1", inv.EvidenceEvents, "log:pg", tag, events)
}

// TestLeadsUpAcrossSessions: a process id is handed out again; what the earlier owner ran is not the later one's.
func TestLeadsUpAcrossSessions(t *testing.T) {
	commit := removedAt
	in := inv.Input{Record: inv.Record{ID: "42"}, Facts: inv.Facts{{Kind: inv.TableProperty, Attrs: map[string]string{"name": "candidate", "table": "public.orders"}}}}
	wanted := map[string]bool{"delete public.orders": true}
	run := func(events ...sources.Event) bool {
		var lines []logged
		for _, e := range events {
			lines = append(lines, logged{Event: e})
		}
		_, ok := leadsUp(in, withSteps(lines), wanted, commit)
		return ok
	}
	remove := pgLine(-500, "7", "a", "statement: DELETE FROM orders WHERE id = 42")
	if !run(remove) {
		t.Error("a delete just before the commit does not lead up to it")
	}
	if run(remove, pgLine(-400, "7", "a", "disconnection: session time: 0:00:01"), pgLine(-300, "7", "b", "connection authorized: user=b"), pgLine(-100, "7", "b", "statement: COMMIT")) {
		t.Error("the next owner of the process id is taken for the deleting session")
	}
	if !run(remove, pgLine(0, "7", "a", "disconnection: session time: 0:00:01")) {
		t.Error("a session that left in the millisecond of its commit no longer leads up to it")
	}
}

// TestWholeSeconds: a log of whole seconds tells of an interval, and nothing in it is before or after what else happened then.
func TestWholeSeconds(t *testing.T) {
	whole := func(s int, message string) logged {
		e := pgLine(0, "7", "a", message)
		e.Time = removedAt.Truncate(time.Second).Add(time.Duration(s) * time.Second)
		return logged{Event: e, evidence: "E1"}
	}
	list := withSteps([]logged{whole(0, "statement: DELETE FROM orders WHERE id = 42"), whole(-60, "x")})
	f, ok := statementFact(inv.Input{}, list[0])
	if !ok || !f.Time.Equal(list[0].Time) || !f.Until.Equal(list[0].Time.Add(time.Second)) {
		t.Fatalf("%+v", f)
	}
	end := inv.Fact{Kind: inv.XactCommitted, Time: removedAt.Add(500 * time.Millisecond), Attrs: map[string]string{"xid": "710"}}
	if began := (leadUp{write: list[0], began: list[0].Time}).fact(end, 1, true).Attr("started"); began != list[0].Time.Add(time.Second).Format(time.RFC3339Nano) {
		t.Errorf("it began at the latest at %s", began)
	}
	failed := whole(0, "could not obtain lock on row in relation \"orders\"")
	failed.Fields["error_severity"] = "ERROR"
	abort := inv.Fact{Kind: inv.XactAborted, Time: removedAt, Attrs: map[string]string{"xid": "700"}}
	if got := abortErrors(inv.Input{Record: inv.Record{ID: "42"}}, abort, withSteps([]logged{failed})); len(got) != 1 || got[0].Attr("unique") == "true" {
		t.Errorf("an error of the same second is taken for the transaction's: %+v", got)
	}
	if withSteps([]logged{{Event: pgLine(0, "7", "a", "x")}})[0].step != time.Millisecond {
		t.Error("a log of milliseconds is taken for one of seconds")
	}
}

// TestNoZoneIsNotAbsent: what stands in a log without a zone can stand at any hour, so nothing at a moment is absent in it.
func TestNoZoneIsNotAbsent(t *testing.T) {
	facts := inv.Facts{
		{Kind: inv.TupleDeleted, Attrs: map[string]string{"xid": "710", "server": "db:x", "table": "public.orders"}},
		{Kind: inv.XactCommitted, Time: removedAt, Attrs: map[string]string{"xid": "710", "server": "db:x"}},
	}
	told := sources.Event{Time: removedAt.Add(time.Second), ZoneUnknown: true, Source: "log:celery", Message: "Task release_expired_holds succeeded: {'deleted': 12}", Raw: "x"}
	for _, zoneless := range []bool{true, false} {
		in := inv.Input{
			Record: inv.Record{ID: "42"}, Facts: facts, Evidence: []inv.Evidence{kept1(t, "runs:710", []sources.Event{told})},
			Coverage: []sources.Coverage{{Source: "log:celery", From: removedAt.Add(-time.Hour), To: removedAt.Add(time.Hour), ZoneUnknown: zoneless}},
		}
		r := readRuns(in)
		if zoneless != (r.Outcome == inv.BlindOutcome) || zoneless != strings.Contains(r.Opens, "--tz") {
			t.Errorf("zone unknown %v: %s %q %q", zoneless, r.Outcome, r.Summary, r.Opens)
		}
	}
	told.ZoneUnknown = false
	in := inv.Input{Record: inv.Record{ID: "42"}, Facts: facts, Evidence: []inv.Evidence{kept1(t, "runs:710", []sources.Event{told})}}
	if r := readRuns(in); r.Outcome != inv.Found || r.Facts[0].Attr("removed") != "12" {
		t.Errorf("%+v", r)
	}
	if s := searchedRange([]sources.Coverage{{From: removedAt, To: removedAt, ZoneUnknown: true}}); strings.Contains(s, "UTC") {
		t.Errorf("a time without a zone is called UTC: %s", s)
	}
}

// TestRemovalInWords: lines that say that the record was removed, and who said so.
func TestRemovalInWords(t *testing.T) {
	id := "e7a4bff2-adc7-4847-a9d8-25734601b405"
	n := newNaming(inv.Input{Record: inv.Record{ID: id}})
	for msg, want := range map[string]string{
		"purge job removed item " + id: "job", "Order " + id + " removed by bob": "app", "Order " + id + " could not be removed": "", "order " + id + " viewed": "",
	} {
		e := sources.Event{Time: removedAt, Source: "log:x", Message: msg, Raw: msg}
		got := ""
		for _, f := range answerFacts(n, "", logged{Event: e, evidence: "E1"}) {
			if f.Kind == inv.RemovalSaid {
				got = map[bool]string{true: "job", false: "app"}[f.Attr("job") != ""]
			}
		}
		if got != want {
			t.Errorf("%q: %q, want %q", msg, got, want)
		}
	}
}

// TestRemovalOfSomethingElse: lines that name the record and say that something of it, or something that
// pointed at it, was removed.
func TestRemovalOfSomethingElse(t *testing.T) {
	id := "E7A4BFF2-adc7-4847-a9d8-25734601b405"
	n := naming{values: []string{id}}
	for _, msg := range []string{
		"removed % from cache", "Deleted search index entry for %", "Removed order % from queue orders.pending", "order %: draft lines deleted", "session of user cleaned up after viewing order %",
		"order % expired and removed from cart", "deleted temp file /tmp/%.pdf", "Lock on order % was removed", "purged CDN for /orders/%", "deleted order % from replica buffer", "cache entry % deleted",
		"evicted order % (cache pruned)", "cleanup deleted=12 kept=3 last_seen=%", "dropped 3 messages about %", "order % viewed by the user who deleted another", "Removed % from wishlist of user 7", "deleted attachment of %", "removed %'s lock",
		"cache key removed", "cart line deleted", "removed from queue",
	} {
		if removing.said(strings.ToLower(strings.ReplaceAll(msg, "%", id)), n) {
			t.Errorf("taken for the record's removal: %s", msg)
		}
	}
	for _, msg := range []string{
		"deleted %", "Deleted order %", "order % deleted", "Order % was deleted by bob", "order '%' has been permanently removed", "purge job removed item %", "removed expired booking %", "purged 3 orders: 17, 18, %",
		"retention: deleted id=%", "OrderService: order % deleted", "order % expired and removed", "% deleted from database", "deleted order % from orders", "hard-deleted record with id %", "erased customer % (GDPR)", "removed order_id=%",
		"order deleted", "Deleted", "OrderDeleted", "order.deleted", "booking removed by carol",
	} {
		if !removing.said(strings.ToLower(strings.ReplaceAll(msg, "%", id)), n) {
			t.Errorf("not taken for the record's removal: %s", msg)
		}
	}
}

// TestCreationOfSomethingElse: what is created beside a record does not show that it was handed out.
func TestCreationOfSomethingElse(t *testing.T) {
	id := "E7A4BFF2-adc7-4847-a9d8-25734601b405"
	for msg, want := range map[string]bool{
		"created cache entry for %": false, "saved % to cache": false, "published notification about %": false, "stored thumbnail of %": false, "lock on order % created": false, "accepted": true, "created order %": true,
		"order % created": true, "order % saved by carol": true, "Stored dtro %": true, "created order % from basket 7": true, "inserted % into orders": true, "OrderCreated": true, "created session %": false,
	} {
		if got := creating.said(strings.ToLower(strings.ReplaceAll(msg, "%", id)), naming{values: []string{id}}); got != want {
			t.Errorf("%q: %v", msg, got)
		}
	}
	if !creating.said("created session "+strings.ToLower(id), naming{values: []string{id}, tables: []string{"session"}}) {
		t.Error("a record of the table sessions is not called created")
	}
}

// TestRemovalInAField: an audit log has a field for what was done, and perhaps one for how it went.
func TestRemovalInAField(t *testing.T) {
	id := "e7a4bff2-adc7-4847-a9d8-25734601b405"
	n := newNaming(inv.Input{Record: inv.Record{ID: id}})
	for _, c := range []struct {
		message, outcome string
		want             bool
	}{{"carol,DELETE," + id, "", true}, {"delete", "success", true}, {"delete", "failure", false}, {"delete requested", "", false}} {
		e := sources.Event{Time: removedAt, Source: "log:audit", Op: sources.OpDelete, Actor: "carol", Message: c.message, Raw: c.message + " " + id, Fields: map[string]string{"Object": id}}
		if c.outcome != "" {
			e.Fields["outcome"] = c.outcome
		}
		facts := answerFacts(n, "", logged{Event: e, evidence: "E1"})
		if got := len(facts) == 1 && facts[0].Kind == inv.RemovalSaid && facts[0].Attr("actor") == "carol"; got != c.want {
			t.Errorf("%q, %q: %+v", c.message, c.outcome, facts)
		}
	}
}

// TestRefusalPassedOn: an application's stack trace holds the server's error with the failing row.
func TestRefusalPassedOn(t *testing.T) {
	id := "e7a4bff2-adc7-4847-a9d8-25734601b405"
	n := newNaming(inv.Input{Record: inv.Record{ID: id}})
	raw := "ERROR [trace=7f3] could not write order\n\tat org.postgresql: ERROR: null value in column \"region\" of relation \"orders\" violates not-null constraint\n  Detail: Failing row contains (%s, 17, null)."
	for _, c := range []struct {
		row  string
		want int
	}{{id, 1}, {"00000000-1111-4222-8333-444444444444, for " + id, 0}} {
		e := sources.Event{Time: removedAt, Source: "log:java", Level: sources.LevelError, Message: "could not write order", RequestID: "7f3", Raw: fmt.Sprintf(raw, c.row)}
		got := passedOn(n, logged{Event: e, evidence: "E1"})
		if len(got) != c.want || c.want == 1 && (got[0].Attr("sqlstate") != "23502" || got[0].Attr("joins") != "id" || got[0].Attr("request") != "7f3") {
			t.Errorf("%s: %+v", c.row, got)
		}
	}
}

// TestCreateOfAnother: a request that creates something else and names the record hands nothing out.
func TestCreateOfAnother(t *testing.T) {
	in := inv.Input{Record: inv.Record{ID: "e7a4bff2-adc7-4847-a9d8-25734601b405"}, Facts: inv.Facts{{Kind: inv.TableProperty, Attrs: map[string]string{"name": "candidate", "table": "public.orders"}}}}
	n := newNaming(in)
	id := in.Record.ID
	post := func(path, field string) sources.Event {
		return sources.Event{Time: removedAt, Source: "log:api", Op: sources.OpCreate, Method: "POST", Path: path, Status: 201, Fields: map[string]string{field: id}, Raw: field + "=" + id}
	}
	for _, c := range []struct {
		event  sources.Event
		issued bool
	}{
		{post("/orders", "id"), true},
		{post("/orders", "order_id"), true},
		{post("/checkout", "order_id"), true},
		{post("/invoices", "order_id"), false},
		{post("/v1/shipments", "parent"), false},
		{post("/v1/shipments", "id"), true},
		{sources.Event{Time: removedAt, Message: "created invoice", Fields: map[string]string{"id": "17", "order_id": id}, Raw: id}, false},
		{sources.Event{Time: removedAt, Message: "order created", Fields: map[string]string{"order_id": id}, Raw: id}, true},
	} {
		resource, ok := n.names(c.event)
		if !ok {
			t.Fatalf("%+v does not name the record", c.event)
		}
		got := inv.Facts(answerFacts(n, resource, logged{Event: c.event, evidence: "E1"})).Any(inv.IDIssued)
		if got != c.issued {
			t.Errorf("%s %v %q: handed out %v, want %v", c.event.Path, c.event.Fields, c.event.Message, got, c.issued)
		}
	}
}

// TestCrowdedRequest: under one correlation id two creates were answered; which of them failed is not told by it.
func TestCrowdedRequest(t *testing.T) {
	id := "e7a4bff2-adc7-4847-a9d8-25734601b405"
	answer := func(ms int, raw string) sources.Event {
		return sources.Event{Time: removedAt.Add(time.Duration(ms) * time.Millisecond), Source: "log:api", Op: sources.OpCreate, Method: "POST", Path: "/orders", Status: 201, RequestID: "req-1234567", Raw: raw, Position: raw}
	}
	failure := sources.Event{Time: removedAt.Add(90 * time.Millisecond), Source: "log:api", Level: sources.LevelError, Message: "could not insert order", RequestID: "req-1234567", Raw: "x"}
	for _, c := range []struct {
		more []sources.Event
		want int
	}{{nil, 1}, {[]sources.Event{answer(50, "other")}, 0}} {
		in := inv.Input{
			Record:   inv.Record{ID: id},
			Coverage: []sources.Coverage{{Source: "log:api", From: removedAt.Add(-time.Hour), To: removedAt.Add(time.Hour)}},
			Evidence: []inv.Evidence{kept1(t, "mentions", []sources.Event{answer(0, "id "+id)}), kept1(t, "requests", append(c.more, failure))},
		}
		r := readMentions(in)
		if got := len(inv.Facts(r.Facts).Of(inv.RequestFailed)); got != c.want {
			t.Errorf("with %d more creates: %d failures, want %d", len(c.more), got, c.want)
		}
	}
}

// TestOwnTracesAreNoEvidence: inquest's requests and sessions stand in the logs it reads.
func TestOwnTracesAreNoEvidence(t *testing.T) {
	id := "e7a4bff2-adc7-4847-a9d8-25734601b405"
	get := func(agent string) sources.Event {
		return sources.Event{Time: removedAt, Source: "log:gw", Op: sources.OpRead, Method: "GET", Path: "/orders/" + id, Status: 404, Raw: "GET /orders/" + id + ` "` + agent + `"`, Position: agent}
	}
	in := inv.Input{Record: inv.Record{ID: id}, Evidence: []inv.Evidence{kept1(t, "mentions", []sources.Event{get("inquest/0.3 (read-only)"), get("curl/8")})}}
	if got := readMentions(in); len(got.Facts) != 1 {
		t.Errorf("%+v", got.Facts)
	}
	twice := get("curl/8")
	twice.Source = "log:copy"
	in.Evidence = append(in.Evidence, kept1(t, "mentions", []sources.Event{twice}))
	if got := readMentions(in); len(got.Facts) != 1 {
		t.Errorf("the same line from two sources counts twice: %+v", got.Facts)
	}
}

// TestSettingsOfSome: a setting of one role says nothing of the others.
func TestSettingsOfSome(t *testing.T) {
	s := func(value, scope string) inv.Fact {
		return inv.Fact{Kind: inv.Setting, Attrs: map[string]string{"name": "log_statement", "value": value, "scope": scope, "server": "db:x"}}
	}
	for _, c := range []struct {
		facts inv.Facts
		want  string
	}{
		{inv.Facts{s("all", "set for role audit"), s("none", "default")}, "none"},
		{inv.Facts{s("none", "set for role app"), s("mod", "configuration file")}, ""},
		{inv.Facts{s("all", "set for role audit"), s("mod", "configuration file")}, "mod"},
		{inv.Facts{s("mod", "user")}, ""},
	} {
		if got := setEverywhere(c.facts, "log_statement", logsWrites); got != c.want {
			t.Errorf("%v: %q, want %q", c.facts, got, c.want)
		}
	}
}

// TestIssuedOnTheWay: an id that means one thing is handed out wherever it is answered, not only at its own collection.
func TestIssuedOnTheWay(t *testing.T) {
	line := func(method string, op sources.Operation, path string, status int) sources.Event {
		return sources.Event{Time: removedAt, Source: "log:app", Op: op, Method: method, Path: path, Status: status, Fields: map[string]string{"id": "BK-Q6CKN43"}, Raw: path + " id=BK-Q6CKN43", Position: path}
	}
	in := inv.Input{
		Record: inv.Record{ID: "BK-Q6CKN43"}, Facts: inv.Facts{candidateFor("public.bookings")},
		Evidence: []inv.Evidence{kept1(t, "mentions", []sources.Event{line("POST", sources.OpCreate, "/partners/9/uploads/line", 201), line("GET", sources.OpRead, "/bookings/BK-Q6CKN43", 404)})},
	}
	r := readMentions(in)
	if got := inv.Facts(r.Facts).Of(inv.IDIssued); len(got) != 1 || got[0].Attr("resource") != "" || !strings.HasPrefix(r.Summary, "2 lines") {
		t.Errorf("%s: %+v", r.Summary, r.Facts)
	}
}

// TestRunsOfJobs: a run that was over before the commit, or began after it, did not make it.
func TestRunsOfJobs(t *testing.T) {
	at := func(ms int, msg string) logged {
		return logged{Event: sources.Event{Time: removedAt.Add(time.Duration(ms) * time.Millisecond), Source: "log:reaper", Message: msg}, evidence: "E1", step: time.Millisecond}
	}
	end := inv.Fact{Kind: inv.XactCommitted, Time: removedAt, Attrs: map[string]string{"xid": "710"}}
	for name, c := range map[string]struct {
		lines   []logged
		removed string // "none" when no run stands around the commit
	}{
		"around":                             {[]logged{at(-200, "starting run 1"), at(30, "removed 12 expired bookings")}, "12"},
		"over before":                        {[]logged{at(-4000, "starting run 1"), at(-3900, "removed 89 expired bookings in 12 ms")}, "none"},
		"began after, by its own words":      {[]logged{at(2200, "removed 1 expired bookings in 3 ms")}, "none"},
		"over before, and began after":       {[]logged{at(-4000, "starting run 1"), at(-3900, "removed 89 expired bookings in 12 ms"), at(2200, "removed 1 expired bookings in 3 ms")}, "none"},
		"long enough by its own words":       {[]logged{at(2200, "removed 1 expired bookings, took 3.5 s")}, "1"},
		"an end without a beginning":         {[]logged{at(300, "removed 7 rows")}, "7"},
		"still running, nothing counted yet": {[]logged{at(-3000, "starting run 1"), at(-100, "looking at bookings")}, ""},
	} {
		f, ok := runFact(c.lines, end)
		got := f.Attr("removed")
		if !ok {
			got = "none"
		}
		if got != c.removed {
			t.Errorf("%s: %q, want %q", name, got, c.removed)
		}
	}
}
