package uitest

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"inquest/investigations"
	"inquest/sources"
)

// hostile is text that wants to drive the terminal.
const hostile = "\x1b[2J\x1b]0;owned\x07\x1b[31mred\r\nnew line\ttab \u202egnp.exe\u202c \u009b31m \xff\xfe 中文👩‍👩‍👧 e\u0301 \x00end"

func at(clock string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05.000", "2025-11-27 "+(clock + ".000")[:12])
	if err != nil {
		panic(err)
	}
	return t
}

// Server is a server whose role may not read everything.
var Server = sources.Status{
	Source: "db:prod", Kind: sources.KindPostgres, State: sources.StatePartial, Summary: "dtro@db1 as investigator, read-only",
	Abilities: []sources.Ability{
		{Name: "read rows", OK: true},
		{Name: "read WAL", OK: true},
		{Name: "read raw pages", Why: "pageinspect is not installed", Opens: "CREATE EXTENSION pageinspect; -- as superuser, on a copy"},
	},
	Expires: []sources.Expiry{{What: "WAL of 14:58", At: Now.Add(3*time.Hour + 20*time.Minute), Why: "the segment is recycled at the present rate"}},
}

func statuses(f *Fake) []sources.Status {
	if f.Hostile {
		s := Server
		s.Summary = hostile
		return []sources.Status{s}
	}
	return []sources.Status{
		Server,
		{Source: "log:app", Kind: sources.KindLog, State: sources.StateReady, Summary: "/var/log/app.log, JSON, 2.1 GiB"},
		{Source: "log:gw", Kind: sources.KindLog, State: sources.StateFailed, Summary: "gateway", Problem: "opened /var/log/gw.log: permission denied; run as a member of adm"},
	}
}

var statements = []sources.Statement{
	{Time: Now, Source: "db:prod", SQL: "BEGIN READ ONLY", Took: time.Millisecond},
	{Time: Now, Source: "db:prod", SQL: "SELECT pg_current_wal_lsn(),\n       pg_control_system()", Note: "where the log stands", Took: 3 * time.Millisecond},
	{Time: Now, Source: "db:prod", SQL: "SELECT * FROM page_header(get_raw_page('x', 0))", Took: 2 * time.Millisecond, Error: "function get_raw_page does not exist"},
}

type probe struct {
	id, title string
	phase     investigations.Phase
	query     string
	body      string
	lineage   string // a further item
	kind      string
	blind     *sources.Blind
	read      investigations.Reading
	cover     *sources.Coverage
}

// many returns n moments a millisecond apart.
func many(n int) []investigations.Moment {
	out := make([]investigations.Moment, n)
	for i := range out {
		out[i] = investigations.Moment{Time: at("14:28:00").Add(time.Duration(i) * time.Millisecond), Source: "log:app", Summary: "200 GET /v1/dtros/e7a4bff2-adc7-4847-a9d8-25734601b405 trace 4bf92f3577b34da6", Evidence: "E1"}
	}
	return out
}

// probes are those of the seed incident, in every outcome.
func probes(f *Fake) []investigations.Probe {
	text := func(s string) string {
		if f.Hostile {
			return s + " " + hostile
		}
		return s
	}
	list := []probe{
		{
			id: "database.lineage", title: "Row lineage (WAL)", phase: investigations.PhaseCatalogue, query: "SELECT pg_read_binary_file('pg_wal/000000010000000000000001')", kind: investigations.EvidenceText,
			lineage: lineage(text),
			body:    text("INSERT 0/1A2B3C8 xid 764 (12,4)\nABORT 0/1A2B4F0 xid 764 14:58:03.412"),
			read: investigations.Reading{
				Outcome: investigations.Found, Summary: text("insert 0/1A2B3C8 xid 764, aborted 14:58:03.412"),
				Facts: []investigations.Fact{
					{Kind: investigations.TupleInserted, Time: at("14:58:03.370"), Attrs: map[string]string{"table": `public."Dtros"`, "xid": "764"}, Says: text("inserted at (12,4) by xid 764"), Evidence: []string{"E1"}},
					{Kind: investigations.XactAborted, Time: at("14:58:03.412"), Attrs: map[string]string{"xid": "764"}, Says: "xid 764 aborted", Evidence: []string{"E1"}},
				},
				Moments: []investigations.Moment{
					{Time: at("14:58:03.370"), Until: at("14:58:03.412"), Source: "wal", Summary: text(`insert "Dtros" (12,4) xid 764`), Evidence: "E1"},
					{Time: at("14:58:03.412"), Source: "wal", Summary: "abort xid 764", Evidence: "E1"},
				},
				Recovered: []investigations.Recovered{{Table: `public."Dtros"`, Origin: "wal", Evidence: []string{"E1"}, Unknown: []string{"Data"}, Row: map[string]*string{"Id": ptr(RecordID), "Name": ptr(text("Temporary closure of O'Connell St")), "Deleted": nil}}},
			},
		},
		{
			id: "database.row", title: "Row now", phase: investigations.PhaseRows, query: `SELECT * FROM public."Dtros" WHERE "Id" = $1`, kind: investigations.EvidenceTable, body: `{"columns":["Id","Name"],"rows":[]}`,
			read: investigations.Reading{Outcome: investigations.Absent, Summary: "absent: 3 tables, 2 databases, indexes checked"},
		},
		{id: "database.dead", title: "Dead row versions", phase: investigations.PhasePages, blind: &sources.Blind{Why: "pageinspect is not installed", Opens: "CREATE EXTENSION pageinspect; -- as superuser, on a copy of the cluster"}},
		{
			id: "system.restarts", title: "Restarts and recovery", phase: investigations.PhasePages, query: "grep -E 'database system' postgresql.log", kind: investigations.EvidenceText, body: "nothing",
			read: investigations.Reading{Outcome: investigations.Absent, Summary: "no restart between 14:28 and 15:28"},
		},
		{
			id: "logs.lines", title: "Lines that name it", phase: investigations.PhaseLogs, query: "grep e7a4bff2 /var/log/app.log", kind: investigations.EvidenceEvents,
			body: `[{"time":"2025-11-27T14:58:03.374Z","source":"log:app","position":"app.log:1042","message":"201","raw":` + quote(text(`{"status":201,"id":"e7a4bff2"}`)) + `,"why":"names the id"}]`,
			read: investigations.Reading{Outcome: investigations.Found, Summary: "201 for the create at 14:58:03.374, then three 404", Moments: []investigations.Moment{
				{Time: at("14:58:03.374"), Source: "log:app", Summary: text("201 POST /v1/dtros trace 4bf92f"), Evidence: "E4", Request: text("4bf92f3577b34da6")},
				{Source: "log:gateway-without-any-times.log", Summary: "proxied 4bf92f3577b34da6 to app-2", Evidence: "E4", Unordered: true, Request: text("4bf92f3577b34da6")},
				{Time: at("15:02:11.006"), Source: "log:app", Summary: "404 PUT /v1/dtros/e7a4bff2", Evidence: "E4", Unordered: true, ZoneUnknown: true},
			}},
			cover: &sources.Coverage{
				Source: "log:app", From: at("14:20:00"), To: at("15:30:00"), Lines: 48213, Unparsed: 3, Bytes: 2 << 30,
				Gaps: []sources.Gap{{From: at("15:07:00"), To: at("15:19:30"), Reason: "no line between app.log:2001 and app.log:2002"}}, Limits: []string{"log_statement = none: statements are not logged"},
				Buckets: []int64{3, 4, 9, 2, 2, 2, 40, 8, 0, 0, 3, 3}, BucketStart: at("14:28:00"), BucketWidth: 5 * time.Minute,
			},
		},
		{id: "rollback.content", title: "Content to bring back", phase: investigations.PhaseRows, read: investigations.Reading{Outcome: investigations.NotApplicable, Summary: "there is no backup in this window"}},
	}
	out := make([]investigations.Probe, 0, len(list)+1)
	list[0].read.Moments = append(list[0].read.Moments, many(f.Events)...)
	for _, p := range list {
		out = append(out, p.probe())
	}
	if f.Slow {
		out = append(out, slow(f))
	}
	return out
}

// lineage is an older life of the row: inserted, changed twice, the second time
// in a transaction that was rolled back.
func lineage(text func(string) string) string {
	return `{"events":[
	 {"lsn":"0/1A00000","op":"insert","xid":741,"table":"public.\"Dtros\"","tid":"(12,1)","after":"2025-11-27T14:40:00.1Z","before":"2025-11-27T14:40:00.2Z","row":{"Id":` + quote(RecordID) + `,"Name":"Temporary closure","Deleted":null,"Data":"{}"},"unknown":["Data"]},
	 {"lsn":"0/1A10000","op":"hot-update","xid":750,"table":"public.\"Dtros\"","tid":"(12,1)","new_tid":"(12,2)","after":"2025-11-27T14:50:00.1Z","before":"2025-11-27T14:50:00.1Z","row":{"Id":` + quote(RecordID) + `,"Name":` + quote(text("Temporary closure of O'Connell St")) + `,"Deleted":null,"Data":"{}"}},
	 {"lsn":"0/1A20000","op":"delete","xid":764,"table":"public.\"Dtros\"","tid":"(12,2)","before":"2025-11-27T14:58:03.412Z"}],
	 "xacts":{"741":{"state":"committed"},"750":{"state":"committed"},"764":{"state":"aborted"}}}`
}

func ptr(s string) *string { return &s }

func (p probe) probe() investigations.Probe {
	step, _, _ := strings.Cut(p.id, ".")
	return investigations.Probe{
		ID: p.id, Step: investigations.StepID(step), Phase: p.phase, Title: p.title, Timeout: time.Minute,
		Asks: "What does " + strings.ToLower(p.title) + " say of the record?", Why: "It outranks what people remember.",
		Negative: "What happened on another cluster.", Needs: "a connection that may read it", Sends: p.query,
		Collect: func(_ context.Context, c *investigations.Collector) error {
			if p.cover != nil {
				c.Cover(*p.cover)
			}
			if p.blind != nil {
				return p.blind
			}
			if p.body == "" {
				return nil
			}
			if err := c.Keep(p.kind, "db:prod", p.query, "", raw(p.body)); err != nil || p.lineage == "" {
				return err
			}
			return c.Keep(investigations.EvidenceLineage, "db:prod", "WAL of db:prod", "", raw(p.lineage))
		},
		Read: func(in investigations.Input) investigations.Reading {
			if p.blind != nil {
				return investigations.BlindReading(in.Blind)
			}
			r := p.read
			r.Facts = slices.Clone(r.Facts) // the engine numbers them in place
			return r
		},
	}
}

// slow runs until it is cancelled or released.
func slow(f *Fake) investigations.Probe {
	p := probe{id: "integrity.siblings", title: "Siblings", phase: investigations.PhaseRows, read: investigations.Reading{Outcome: investigations.NotApplicable, Summary: "looked"}}.probe()
	p.Phase = investigations.PhaseWAL
	looked := p.Read
	p.Read = func(in investigations.Input) investigations.Reading {
		if len(in.Blind) > 0 {
			return investigations.BlindReading(in.Blind)
		}
		return looked(in)
	}
	p.Collect = func(ctx context.Context, c *investigations.Collector) error {
		if f.Real {
			for i := range int64(60) {
				comeUpon(c, f, int(i), int(i)+f.Found/60)
				c.Progress(i<<20, 60<<20, "reading public.\"Dtros\"")
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(100 * time.Millisecond):
				}
			}
			return nil
		}
		comeUpon(c, f, 0, f.Found)
		c.Progress(512<<20, 2<<30, "reading public.\"Dtros\"")
		defer f.park(func() bool {
			select {
			case <-f.release:
				return false
			default:
				return ctx.Err() == nil
			}
		})()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-f.release:
			return nil
		}
	}
	return p
}

// comeUpon tells of lines as a search does while it runs.
func comeUpon(c *investigations.Collector, f *Fake, from, to int) {
	says := "POST /v1/dtros/" + RecordID + " answered 201"
	if f.Hostile {
		says = hostile
	}
	for i := from; i < to; i++ {
		c.Found(sources.Event{Time: at("14:58:03.374").Add(time.Duration(i) * time.Second), Source: "log:app", Position: "app.log:" + strconv.Itoa(1042+i), Message: says, NoTime: i == 1})
	}
}

// judge says what the seed incident came to, once there are facts.
func judge(d investigations.Deliberation) investigations.Judgement {
	if !d.Facts.Any(investigations.XactAborted) {
		return investigations.Judgement{Fate: investigations.Fate{Kind: investigations.FateUndetermined, Standing: investigations.Undetermined, Summary: "nothing has been read that settles it"}}
	}
	return investigations.Judgement{
		Fate: investigations.Fate{Kind: investigations.FateNeverCommitted, Standing: investigations.Established, Summary: "inserted by xid 764, rolled back at 14:58:03.412, 38 ms after the 201", Evidence: []string{"E1"}},
		Hypotheses: []investigations.Hypothesis{
			{Mechanism: "rolled-back", Cause: investigations.CauseApplication, Fate: investigations.FateNeverCommitted, Standing: investigations.Leading, Summary: "the insert's transaction was rolled back after the answer", Supports: []string{"E1", "E4"}, For: []string{"xid 764 inserted it and aborted", "the 201 came before the abort"}},
			{Mechanism: "response-before-write", Cause: investigations.CauseApplication, Fate: investigations.FateNeverWritten, Standing: investigations.RuledOut, Summary: "answered without writing", Supports: []string{"E4"}, Contradicts: []string{"E1"}, Against: []string{"a tuple was written"}},
			{Mechanism: "manual-delete", Cause: investigations.CauseAccidental, Fate: investigations.FateDeleted, Standing: investigations.Untested, Summary: "a person deleted it", Untested: []string{"who was connected"}, Settles: []string{"log_connections at that time"}},
		},
	}
}
