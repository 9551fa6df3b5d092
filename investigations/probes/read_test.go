package probes

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
	"inquest/sources/wal"
)

var moment0 = time.Date(2025, 11, 27, 14, 58, 3, 0, time.UTC)

func stored(t *testing.T, id, kind, source, tag string, body any) inv.Evidence {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return inv.Evidence{ID: id, Kind: kind, Source: source, Tag: tag, Body: string(raw), CollectedAt: moment0}
}

func candidateFor(table string) inv.Fact {
	f := property("E0", table, "candidate", "primary", "")
	f.Attrs["server"] = "db:shop"
	return f
}

func setTo(name, value string) inv.Fact {
	return inv.Fact{Kind: inv.Setting, Attrs: map[string]string{"name": name, "value": value, "server": "db:shop"}}
}

func serverLine(at time.Duration, pid, severity, message string, kv ...string) sources.Event {
	e := sources.Event{
		Time: moment0.Add(at), Source: "log:server", Format: "postgres-stderr", Message: message, Raw: message,
		Fields: map[string]string{"pid": pid, "error_severity": severity, "user": "u" + pid},
	}
	for i := 0; i+1 < len(kv); i += 2 {
		e.Fields[kv[i]] = kv[i+1]
	}
	return e
}

// TestNothingReadIsNotAbsent holds for every probe: without evidence and without
// coverage it is blind or does not apply, and a reason that was given is kept.
func TestNothingReadIsNotAbsent(t *testing.T) {
	issued := inv.Fact{Kind: inv.IDIssued, Time: moment0, Attrs: map[string]string{}}
	removed := inv.Facts{
		{Kind: inv.TupleDeleted, Attrs: map[string]string{"xid": "7", "table": "public.orders", "server": "db:shop"}},
		{Kind: inv.XactCommitted, Time: moment0, Attrs: map[string]string{"xid": "7", "server": "db:shop"}},
	}
	for _, p := range All() {
		for name, facts := range map[string]inv.Facts{"nothing known": nil, "a removal known": removed, "an id handed out": {issued}} {
			in := inv.Input{Record: inv.Record{ID: "48120"}, Facts: facts}
			if got := p.Read(in); got.Outcome == inv.Absent || got.Outcome == inv.Found {
				t.Errorf("%s, %s: %s (%s) although nothing was read", p.ID, name, got.Outcome, got.Summary)
			}
			in.Blind = []sources.Blind{{Why: "no permission at all", Opens: "GRANT it"}}
			got := p.Read(in)
			if got.Outcome == inv.Absent || got.Outcome == inv.Found {
				t.Errorf("%s, %s: %s although it is blind", p.ID, name, got.Outcome)
			}
			if got.Outcome == inv.BlindOutcome && !strings.Contains(got.Summary+got.Opens, "no permission at all") {
				t.Errorf("%s, %s: blind, and the reason is lost: %q", p.ID, name, got.Summary)
			}
		}
	}
}

func TestHostileLinesAreNoSystemEvents(t *testing.T) {
	lines := []sources.Event{
		serverLine(0, "1", "LOG", "statement: INSERT INTO notes VALUES ('database system was interrupted; last known up at 12:00')"),
		serverLine(0, "1", "ERROR", `syntax error at or near "database system was not properly shut down"`),
		serverLine(0, "1", "LOG", "statement: SELECT 'selected new timeline ID: 2'"),
		serverLine(0, "1", "LOG", "statement: SELECT 'invalid page in block 5 of relation base/5/16402'"),
		{Time: moment0, Source: "log:app", Format: "json", Message: "database system was interrupted", Raw: "x"},
		{Time: moment0, Source: "log:app", Format: "json", Message: "Out of memory: Killed process 1", Raw: "x"},
	}
	in := inv.Input{
		Evidence: []inv.Evidence{stored(t, "E1", inv.EvidenceEvents, "log:server", "system", lines)},
		Coverage: []sources.Coverage{{Source: "log:server", Format: "postgres-stderr"}},
	}
	if r := readRestarts(in); r.Outcome != inv.Absent || len(r.Facts) > 0 {
		t.Errorf("%s with %d facts, want absent: %+v", r.Outcome, len(r.Facts), r.Facts)
	}
}

func TestDamagedBlock(t *testing.T) {
	lines := []sources.Event{
		serverLine(0, "1", "WARNING", "invalid page in block 5 of relation base/16389/16402; zeroing out page"),
		serverLine(0, "1", "ERROR", `could not read block 7 in file "base/16389/16402.1": read only 0 of 8192 bytes`),
	}
	in := inv.Input{
		Evidence: []inv.Evidence{stored(t, "E1", inv.EvidenceEvents, "log:server", "system", lines)},
		Coverage: []sources.Coverage{{Source: "log:server", Format: "postgres-stderr"}},
	}
	blocks := inv.Facts(readRestarts(in).Facts).Of(inv.BlockDamaged)
	if len(blocks) != 2 || blocks[0].Attr("block") != "5" || blocks[0].Attr("zeroed") != "true" || blocks[0].Attr("file") != "base/16389/16402" || blocks[1].Attr("file") != "base/16389/16402" {
		t.Errorf("%+v", blocks)
	}
}

func TestNamesOnlyTheRecord(t *testing.T) {
	in := inv.Input{Record: inv.Record{ID: "42"}, Facts: inv.Facts{candidateFor("public.orders"), candidateFor("public.customers")}}
	n := newNaming(in)
	event := func(path, msg string, kv ...string) sources.Event {
		e := sources.Event{Path: path, Message: msg, Fields: map[string]string{}}
		for i := 0; i+1 < len(kv); i += 2 {
			e.Fields[kv[i]] = kv[i+1]
		}
		return e
	}
	for _, c := range []struct {
		e        sources.Event
		resource string
		ok       bool
	}{
		{event("/orders/42", ""), "order", true},
		{event("/api/v2/customers/42?x=1", ""), "customer", true},
		{event("/orders/421", ""), "", false},
		{event("/orders/4/2", ""), "", false},
		{event("", "order 42 was created"), "order", true},
		{event("", "took 42 ms"), "", false},
		{event("", "order 421 was created, 42 ms"), "", false},
		{event("", "done", "order_id", "42"), "order", true},
		{event("", "done", "duration", "42"), "", false},
		{event("", "done", "id", "42"), "", true},
	} {
		got, ok := n.names(c.e)
		if ok != c.ok || got != c.resource {
			t.Errorf("%+v: %q %v, want %q %v", c.e, got, ok, c.resource, c.ok)
		}
	}
}

func TestCompositeIDIsNotItsParts(t *testing.T) {
	n := newNaming(inv.Input{Record: inv.Record{ID: "tenant_id=7,doc_id=4711"}, Facts: inv.Facts{candidateFor("public.documents")}})
	if _, ok := n.names(sources.Event{Path: "/tenants/7"}); ok {
		t.Error("the tenant alone names the record")
	}
	if _, ok := n.names(sources.Event{Path: "/documents/4711", Fields: map[string]string{"tenant_id": "8"}}); ok {
		t.Error("another tenant's document names the record")
	}
	if _, ok := n.names(sources.Event{Path: "/documents/4711", Fields: map[string]string{"tenant_id": "7"}}); !ok {
		t.Error("the record is not named")
	}
}

func TestStatements(t *testing.T) {
	for sql, want := range map[string]string{
		"DELETE FROM orders WHERE id = 1":                               "delete orders",
		"delete from only public.\"Orders\" o":                          `delete public."Orders"`,
		"TRUNCATE TABLE orders CASCADE":                                 "truncate orders",
		"drop table if exists a.b":                                      "drop a.b",
		"INSERT INTO orders (id) VALUES (1) ON CONFLICT DO NOTHING":     "create orders",
		"/* app:shop */ UPDATE orders SET x = 1":                        "update orders",
		"ALTER TABLE readings DETACH PARTITION readings_2025":           "detach readings",
		"ALTER TABLE readings ADD COLUMN x int":                         "",
		"SELECT 'delete from orders'":                                   "",
		"COPY orders TO stdout":                                         "",
		"COPY orders FROM stdin":                                        "create orders",
		"WITH x AS (SELECT 1) DELETE FROM orders USING x":               "delete orders",
		"EXPLAIN DELETE FROM orders":                                    "",
		"INSERT INTO notes VALUES ('DELETE FROM orders WHERE id = 42')": "create notes",
	} {
		st, ok := parseStatement(sql)
		got := ""
		if ok {
			got = st.op + " " + st.table
		}
		if got != want {
			t.Errorf("%q: %q, want %q", sql, got, want)
		}
	}
}

func TestRemovesFrom(t *testing.T) {
	for code, want := range map[string]bool{
		"DELETE FROM bookings WHERE x":           true,
		"delete from public.bookings":            true,
		"delete from training.bookings":          false,
		"delete from bookings_archive":           false,
		"TRUNCATE bookings":                      true,
		"insert into bookings values (1)":        false,
		"perform 1; merge into Bookings using y": true,
	} {
		if got := removesFrom(code, "public", "bookings"); got != want {
			t.Errorf("%q: %v", code, got)
		}
	}
}

func TestRemovedCount(t *testing.T) {
	for msg, want := range map[string]string{
		"removed 12 stale drafts": "12", "DELETE 7": "7", "12 rows deleted": "12", "purged: 3": "3", "retention done in 40 ms": "", "deleted": "", "expired 2 carts of 2025": "2",
		"Task booking.tasks.release_expired_holds[12345678-1c2d-4e5f-8a9b-000000000001] succeeded in 0.05s: {'deleted': 12}": "12",
		"purge at 14:58:03 done": "", "deleted 2025-11-27.log": "",
	} {
		if got := removedCount(msg); got != want {
			t.Errorf("%q: %q, want %q", msg, got, want)
		}
	}
}

// TestLeadsUp tells whose statements can have made a commit at moment0.
func TestLeadsUp(t *testing.T) {
	in := inv.Input{Record: inv.Record{ID: "42"}, Facts: inv.Facts{candidateFor("public.orders")}}
	said := func(at time.Duration, sql string) logged {
		return logged{Event: serverLine(at, "9", "LOG", "statement: "+sql)}
	}
	wanted := map[string]bool{"delete public.orders": true}
	for name, c := range map[string]struct {
		lines []logged
		want  bool
	}{
		"autocommit":                          {[]logged{said(-2*time.Millisecond, "DELETE FROM orders WHERE id = 42")}, true},
		"autocommit, long before":             {[]logged{said(-time.Minute, "DELETE FROM orders WHERE id = 42")}, false},
		"in a block that commits then":        {[]logged{said(-time.Minute, "BEGIN"), said(-30*time.Second, "DELETE FROM orders"), said(-time.Millisecond, "COMMIT")}, true},
		"in a block that committed before":    {[]logged{said(-time.Minute, "BEGIN"), said(-30*time.Second, "DELETE FROM orders"), said(-20*time.Second, "COMMIT"), said(-time.Millisecond, "SELECT 1")}, false},
		"in a block that was rolled back":     {[]logged{said(-time.Second, "BEGIN"), said(-time.Second/2, "DELETE FROM orders"), said(-time.Millisecond, "ROLLBACK")}, false},
		"another table":                       {[]logged{said(-2*time.Millisecond, "DELETE FROM jobs")}, false},
		"another operation":                   {[]logged{said(-2*time.Millisecond, "UPDATE orders SET x = 1")}, false},
		"after the commit":                    {[]logged{said(2*time.Second, "DELETE FROM orders")}, false},
		"a text that quotes such a statement": {[]logged{said(-2*time.Millisecond, "SELECT 'DELETE FROM orders'")}, false},
	} {
		if _, got := leadsUp(in, c.lines, wanted, moment0); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestPace(t *testing.T) {
	for name, c := range map[string]struct {
		began, ended time.Duration
		want         string
	}{
		"a person":           {-time.Minute, time.Minute, "human"},
		"a person, still on": {-time.Minute, 0, "human"},
		"a hurried person":   {-time.Second, time.Second, "pauses"},
		"psql -c":            {-20 * time.Millisecond, 5 * time.Millisecond, "program"},
		"psql -f, slow":      {-time.Minute, 5 * time.Millisecond, "program"},
	} {
		var ended time.Time
		if c.ended != 0 {
			ended = moment0.Add(c.ended)
		}
		if got := pace(moment0.Add(c.began), moment0, ended); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestContradicts(t *testing.T) {
	mine := &wal.Lineage{
		Covered: []wal.Coverage{{Range: wal.Range{From: 100, To: 200}}},
		Events:  []wal.Event{{LSN: 150, Op: wal.OpInsert}},
	}
	for name, c := range map[string]struct {
		event   wal.Event
		standby bool
		want    bool
	}{
		"older than the server's own":                   {wal.Event{LSN: 50, Op: wal.OpInsert}, false, false},
		"the same in both":                              {wal.Event{LSN: 150, Op: wal.OpInsert}, false, false},
		"missing in the server's own":                   {wal.Event{LSN: 160, Op: wal.OpInsert}, false, true},
		"beyond its end":                                {wal.Event{LSN: 300, Op: wal.OpInsert}, false, true},
		"beyond a standby's end":                        {wal.Event{LSN: 300, Op: wal.OpInsert}, true, false},
		"a delete, which needs the address from before": {wal.Event{LSN: 160, Op: wal.OpDelete}, false, false},
	} {
		if got := contradicts(&wal.Lineage{Events: []wal.Event{c.event}}, mine, c.standby); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestSearchPath(t *testing.T) {
	path := func(role string, settings ...string) string {
		in := inv.Input{Settings: inv.Options{AppRole: role}}
		for i := 0; i+1 < len(settings); i += 2 {
			f := setTo("search_path", settings[i+1])
			f.Attrs["scope"] = settings[i]
			in.Facts = append(in.Facts, f)
		}
		return strings.Join(searchPath(in, "db:shop"), ",")
	}
	for _, c := range []struct{ got, want string }{
		{path(""), "public"},
		{path("web"), "web,public"},
		{path("web", "set for role web", "app, public"), "app,public"},
		{path("web", "set for role batch", "app"), "web,public"},
		{path("", "set for role batch", "app"), "public"},
		{path("web", "set for  database shop", "one", "set for role web database shop", "two"), "two"},
	} {
		if c.got != c.want {
			t.Errorf("%s, want %s", c.got, c.want)
		}
	}
}

// TestFailedWrite: that somebody asked for the record in vain is no failed write.
func TestFailedWrite(t *testing.T) {
	for msg, want := range map[string]bool{
		"could not persist the order": true, "writer is shutting down, task dropped": true, "publish failed: timeout": true,
		"order not found": false, "created": false, "failed to render the page": false,
	} {
		if got := tellsOfFailedWrite(sources.Event{Message: msg, Level: sources.LevelError}); got != want {
			t.Errorf("%q: %v", msg, got)
		}
	}
	if tellsOfFailedWrite(sources.Event{Message: "query failed in database", Level: sources.LevelError, Op: sources.OpRead, Status: 500}) {
		t.Error("a read that failed counts as a failed write")
	}
}

// TestSessionsWithHoles: a session is the only one only when none can have been
// missed.
func TestSessionsWithHoles(t *testing.T) {
	begin := serverLine(-time.Minute, "9", "LOG", "connection authorized: user=jane database=shop application_name=psql", "application_name", "psql", "user", "jane")
	start := serverLine(-time.Hour, "1", "LOG", "database system is ready to accept connections")
	facts := inv.Facts{
		{Kind: inv.TupleDeleted, Attrs: map[string]string{"xid": "7", "table": "public.orders", "server": "db:shop"}},
		{Kind: inv.XactCommitted, Time: moment0, Attrs: map[string]string{"xid": "7", "server": "db:shop"}},
		setTo("log_connections", "on"), setTo("log_disconnections", "on"),
	}
	whole := sources.Coverage{Source: "log:server", Format: "postgres-stderr", From: moment0.Add(-2 * time.Hour), To: moment0.Add(time.Hour)}
	hole := whole
	hole.Gaps = []sources.Gap{{From: moment0.Add(-30 * time.Minute), To: moment0.Add(-20 * time.Minute)}}
	for name, c := range map[string]struct {
		events []sources.Event
		facts  inv.Facts
		cover  sources.Coverage
		want   string
	}{
		"all logged since the start": {[]sources.Event{start, begin}, facts, whole, "true"},
		"a hole":                     {[]sources.Event{start, begin}, facts, hole, "false"},
		"no start":                   {[]sources.Event{begin}, facts, whole, "false"},
		"disconnections not logged":  {[]sources.Event{start, begin}, append(slices.Clone(facts[:2]), setTo("log_connections", "on"), setTo("log_disconnections", "off")), whole, "false"},
		"background workers":         {[]sources.Event{start, begin}, append(slices.Clone(facts), setTo("shared_preload_libraries", "pg_cron")), whole, "false"},
	} {
		in := inv.Input{Facts: c.facts, Coverage: []sources.Coverage{c.cover}, Evidence: []inv.Evidence{stored(t, "E1", inv.EvidenceEvents, "log:server", "sessions:7", c.events)}}
		got := inv.Facts(readSessions(in).Facts).Of(inv.SessionAtCommit)
		if len(got) != 1 || got[0].Attr("complete") != c.want {
			t.Errorf("%s: %v, want complete=%s", name, fmt.Sprint(got), c.want)
		}
	}
}

// An id that is more than a number is named wherever it stands as a word; a hit
// that may mean something else is never reported as no line at all.
func TestMentionsOfShortIDs(t *testing.T) {
	for name, c := range map[string]struct {
		id, line string
		want     inv.Outcome
	}{
		"with a separator":    {"tenant/42", "INFO created tenant/42 for the shop", inv.Found},
		"letters and digits":  {"BK-7F3A21", "INFO confirmed BK-7F3A21 at the desk", inv.Found},
		"part of another":     {"BK-7F3A21", "INFO confirmed BK-7F3A219 at the desk", inv.BlindOutcome},
		"a number in passing": {"4217", "INFO it took 4217 ms", inv.BlindOutcome},
	} {
		events, err := json.Marshal([]sources.Event{{Source: "log:app.log", Format: "text", Message: c.line, Raw: c.line, Position: "app.log:1"}})
		if err != nil {
			t.Fatal(err)
		}
		in := inv.Input{
			Record:   inv.Record{ID: c.id},
			Evidence: []inv.Evidence{{ID: "E1", Kind: inv.EvidenceEvents, Source: "log:app.log", Tag: "mentions", Body: string(events)}},
			Coverage: []sources.Coverage{{Source: "log:app.log", Format: "text"}},
		}
		if got := logsMentions().Read(in); got.Outcome != c.want {
			t.Errorf("%s: %s (%s), want %s", name, got.Outcome, got.Summary, c.want)
		}
	}
}

// TestAbsentInWALOnlyOfWhatWasFollowed: a key that WAL does not hold in the tables that were followed may be in one that was not.
func TestAbsentInWALOnlyOfWhatWasFollowed(t *testing.T) {
	l := wal.Lineage{Targets: []string{"public.orders"}, Covered: []wal.Coverage{{Range: wal.Range{From: 1 << 24, To: 2 << 24}, FromTime: moment0, ToTime: moment0.Add(time.Hour)}}}
	in := inv.Input{Record: inv.Record{ID: "48120"}, Evidence: []inv.Evidence{stored(t, "E1", inv.EvidenceLineage, "db:shop", "", l)}}
	if r := readLineage(in); r.Outcome != inv.Absent || !inv.Facts(r.Facts).Any(inv.WALKeyAbsent) {
		t.Fatalf("all tables: %s %+v", r.Outcome, r.Facts)
	}
	in.Facts = inv.Facts{property("E0", "", "cut", "true", "more tables fit")}
	if r := readLineage(in); r.Outcome != inv.BlindOutcome || r.Opens == "" || inv.Facts(r.Facts).Any(inv.WALKeyAbsent) {
		t.Errorf("not all tables: %s %q %+v", r.Outcome, r.Opens, r.Facts)
	}
}
