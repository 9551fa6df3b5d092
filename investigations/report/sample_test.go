package report_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
)

var t0 = time.Date(2025, 11, 27, 14, 58, 3, 412000000, time.UTC)

// filled returns a case that uses every part of a report.
func filled() (inv.State, inv.Assessment) {
	s := inv.State{
		Record:   inv.Record{ID: "e7a4bff2-adc7-4847-a9d8-25734601b405", Hints: map[string]string{"reference": "TTRO-2025-118"}},
		Window:   sources.Around(t0, 30*time.Minute),
		Options:  inv.Options{AppRole: "dtro_app", AppSettings: map[string]string{"app.tenant": "42"}},
		Version:  "0.1.0",
		OpenedAt: t0.Add(time.Hour), UpdatedAt: t0.Add(2 * time.Hour), Entries: 31, WindowWhy: "from: the client's log shows a 201",
		Sources: []sources.Status{
			{
				Source: "db:prod", Kind: sources.KindPostgres, State: sources.StatePartial, Summary: "PostgreSQL 15.4, role auditor, read-only",
				Abilities: []sources.Ability{{Name: "read WAL", OK: true}, {Name: "raw pages", Why: "permission denied for function get_raw_page", Opens: "GRANT EXECUTE ON FUNCTION get_raw_page(text, bigint) TO auditor"}},
			},
			{Source: "log:api", Kind: sources.KindLog, State: sources.StateFailed, Problem: "open api.log: no such file; name one that exists with --logs"},
		},
		Runs:     map[string]inv.Run{"database.versions": {Blind: []sources.Blind{{Why: "pageinspect is not installed", Opens: "CREATE EXTENSION pageinspect"}}}},
		Evidence: []inv.Evidence{tableEvidence(), eventEvidence()},
		Answers:  map[string]inv.Answered{"auditing.by-hand": {Question: "auditing.by-hand", Answer: "no", Note: "asked the team"}},
		Verdicts: map[inv.StepID]inv.Signed{inv.StepCode: {Step: inv.StepCode, Verdict: inv.VerdictSkipped, Note: "no repository at hand"}},
		Notes:    []inv.Note{{Noted: inv.Noted{On: "E2", Text: "this is the one", Mark: true}, Time: t0.Add(90 * time.Minute)}},
		Statements: []sources.Statement{
			{Time: t0.Add(time.Hour), Source: "db:prod", SQL: "SELECT pg_current_wal_lsn()", Note: "WAL position", Took: 3 * time.Millisecond},
			{Time: t0.Add(time.Hour), Source: "db:prod", SQL: "SELECT get_raw_page('t', 0)", Took: time.Millisecond, Error: "permission denied"},
		},
	}
	return s, filledAssessment()
}

func filledAssessment() inv.Assessment {
	value := "1042"
	return inv.Assessment{
		Judgement: inv.Judgement{
			Fate: inv.Fate{
				Kind: inv.FateNeverCommitted, Standing: inv.Established, Evidence: []string{"E1", "E2"},
				Summary: "The row was inserted by xid 764, and the transaction aborted at 2025-11-27 14:58:03.412 UTC.",
			},
			Hypotheses: hypotheses(),
		},
		Steps:    steps(),
		Facts:    inv.Facts{{Kind: inv.TupleInserted, Attrs: map[string]string{"table": "public.Dtros"}}},
		Timeline: moments(),
		Coverage: []sources.Coverage{
			{
				Source: "log:pg", From: t0.Add(-20 * time.Minute), To: t0.Add(20 * time.Minute), Lines: 5210, Unparsed: 3,
				Gaps:    []sources.Gap{{From: t0.Add(-10 * time.Minute), To: t0.Add(-5 * time.Minute), Reason: "rotated file missing"}},
				Limits:  []string{"log_statement = none: statements are not logged"},
				Buckets: []int64{10, 0, 40, 20}, BucketStart: t0.Add(-20 * time.Minute), BucketWidth: 10 * time.Minute,
			},
			{Source: "wal:prod"},
		},
		Clocks: []inv.Clock{
			{Source: "log:api", Against: "log:client", Offset: 91200 * time.Millisecond, Error: 350 * time.Millisecond, From: "5 requests that both name", Evidence: []string{"E2"}},
			{Source: "log:pg", Against: "db:prod", Offset: -2 * time.Millisecond, Error: 100 * time.Millisecond, From: "2 transactions: the error in the log and the ABORT in WAL", Evidence: []string{"E1"}},
		},
		Expiring: []sources.Expiry{{What: "WAL segment 000000010000000000000003", At: t0.Add(24 * time.Hour), Why: "wal_keep_size"}, {What: "dead row versions", Why: "autovacuum"}},
		Recovered: &inv.Recovered{
			Table: "public.Dtros", Origin: "wal", Evidence: []string{"E1"},
			Row: map[string]*string{"Id": &value, "Deleted": nil, "Note": new(string)}, Unknown: []string{"Data"},
		},
	}
}

func hypotheses() []inv.Hypothesis {
	return []inv.Hypothesis{
		{
			Cause: inv.CauseApplication, Mechanism: "rolled-back", Standing: inv.Leading, Summary: "The application rolled its transaction back after it had answered",
			Supports: []string{"E1"}, For: []string{"xid 764 aborted by an ABORT record"}, Untested: []string{"the code path"}, Settles: []string{"the application's log of that request"},
		},
		{Cause: inv.CauseAccidental, Mechanism: "response-before-write", Standing: inv.Possible, Supports: []string{"E2"}},
		{Cause: inv.CauseAccidental, Mechanism: "manual-delete", Standing: inv.RuledOut, Against: []string{"the row was never committed"}, Contradicts: []string{"E1"}},
		{Cause: inv.CauseRetention, Mechanism: "purge-job", Standing: inv.Untested, Untested: []string{"schedulers"}, Settles: []string{"--repo", "cron on the host"}},
	}
}

func steps() []inv.StepResult {
	var out []inv.StepResult
	for _, st := range inv.Steps() {
		r := inv.StepResult{Step: st, Verdict: inv.VerdictOpen}
		switch st.ID {
		case inv.StepDatabase:
			r.Verdict = inv.VerdictFinding
			r.Probes = []inv.ProbeResult{
				{Probe: inv.Probe{ID: "database.lineage", Title: "Row lineage (WAL)"}, Ran: true, Evidence: []string{"E1"}, Reading: inv.Reading{Outcome: inv.Found, Summary: "insert 0/1A2B3C8 xid 764, ABORT 14:58:03.412"}},
				{Probe: inv.Probe{ID: "database.row", Title: "Row now"}, Ran: true, Reading: inv.Reading{Outcome: inv.Absent, Summary: "3 tables looked at"}},
				{Probe: inv.Probe{ID: "database.versions", Title: "Dead row versions"}, Ran: true, Reading: inv.Reading{Outcome: inv.BlindOutcome, Summary: "could not look: pageinspect is not installed", Opens: "CREATE EXTENSION pageinspect"}},
				{Probe: inv.Probe{ID: "database.history", Title: "History tables"}, Ran: true, Reading: inv.Reading{Outcome: inv.NotApplicable, Summary: "no history table"}},
				{Probe: inv.Probe{ID: "database.serverlog", Title: "Server log", Needs: "the PostgreSQL log"}},
			}
		case inv.StepCode:
			r.Verdict, r.Signed, r.Note = inv.VerdictSkipped, true, "no repository at hand"
		}
		out = append(out, r)
	}
	return out
}

func moments() []inv.Moment {
	return []inv.Moment{
		{Time: t0.Add(-time.Second), Until: t0, Source: "wal:prod", Summary: "insert by xid 764", Evidence: "E1"},
		{Time: t0, Source: "wal:prod", Summary: "xid 764 aborts", Evidence: "E1"},
		{Time: t0.Add(123456 * time.Microsecond), Source: "log:client", Summary: "201 Created", Evidence: "E2", Unordered: true},
		{Time: t0.Add(48 * time.Hour), Source: "log:client", Summary: "404 Not Found", Evidence: "E2", Unordered: true, ZoneUnknown: true},
	}
}

func tableEvidence() inv.Evidence {
	v := "764"
	return item("E1", inv.EvidenceTable, sources.Table{Columns: []string{"xid", "status"}, Rows: [][]*string{{&v, nil}}, Truncated: true})
}

func eventEvidence() inv.Evidence {
	e := item("E2", inv.EvidenceEvents, []sources.Event{{Position: "client.csv:12", Raw: "14:58:03,201,e7a4bff2"}})
	e.Position, e.Redacted, e.Partial = "client.csv:12", 2, "8 of 9 lines left out"
	return e
}

func item(id, kind string, v any) inv.Evidence {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(b)
	return inv.Evidence{
		ID: id, Kind: kind, Source: "db:prod", Query: "SELECT xid, status\nFROM t", CollectedAt: t0.Add(time.Hour),
		Body: string(b), SHA256: hex.EncodeToString(sum[:]),
	}
}
