package probes

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
)

func retentionRuns() inv.Probe {
	return inv.Probe{
		ID: "retention.runs", Step: inv.StepRetention, Phase: inv.PhaseLogs, Title: "Job runs at the removal",
		Asks:     "Did a scheduled job run at the instant the row was removed, and does it tell of as many rows?",
		Why:      "A removal in the middle of a job's run, with the job's own count, is the job's.",
		Negative: "Jobs that log nothing, or on hosts whose logs are not connected.",
		Needs:    "logs of the jobs (--logs, --journal); for pg_cron a role that may read cron.job_run_details",
		Timeout:  2 * time.Minute,
		Collect:  collectRuns,
		Read:     readRuns,
	}
}

// How far before and after a commit a job's lines are looked for.
const (
	runBefore = 15 * time.Minute
	runAfter  = time.Minute
)

// jobNeedles are words of jobs that remove.
var jobNeedles = []string{"cron", "retention", "purg", "cleanup", "clean-up", "clean up", "housekeep", "janitor", "reaper", "sweep", "expir", "archiv", "job", "scheduler", "remov", "delet", "prune", "pruning", "stale", "obsolete"}

func collectRuns(ctx context.Context, c *inv.Collector) error {
	wanted := removals(c.Facts)
	if len(wanted) == 0 {
		return nil
	}
	if err := collectCron(ctx, c, wanted); err != nil {
		return err
	}
	if len(inv.With[sources.LogSearcher](c)) == 0 {
		c.Blind("no log was given", "name the logs of scheduled jobs with --logs")
		return nil
	}
	for _, end := range wanted {
		q := sources.LogQuery{Window: sources.Window{From: end.Time.Add(-runBefore), To: end.Time.Add(runAfter)}, Limit: 5000}
		if _, err := search(ctx, c, q, "runs:"+end.Attr("xid"), func(e sources.Event) bool { return !isServerLog(e) && isJobLine(e) }); err != nil {
			return err
		}
	}
	return nil
}

// removals are the suspects that removed something.
func removals(facts inv.Facts) inv.Facts {
	return suspects(facts).Where(func(end inv.Fact) bool {
		return facts.With("xid", end.Attr("xid")).Any(inv.TupleDeleted, inv.TableTruncated, inv.TableDropped, inv.TupleRekeyed)
	})
}

func collectCron(ctx context.Context, c *inv.Collector, wanted inv.Facts) error {
	for _, s := range inv.With[sources.Querier](c) {
		mine := wanted.Where(func(end inv.Fact) bool { return end.Attr("server") == s.Source.Name() })
		if len(mine) == 0 {
			continue
		}
		k, err := findCron(ctx, c, s)
		if err != nil {
			return err
		}
		if k == nil {
			continue
		}
		if err := k.recorded(ctx, c, mine); err != nil {
			return err
		}
		for _, end := range mine {
			q := sources.Query{SQL: cronRunsSQL, Args: []string{end.Time.UTC().Format(time.RFC3339Nano), k.here}, Note: "pg_cron runs at the removal"}
			t, err := k.ask(ctx, c, q)
			if err != nil {
				return err
			}
			if t == nil {
				break // each reason is recorded
			}
			if err := c.Keep(inv.EvidenceTable, s.Source.Name(), statement(q), "cron:"+end.Attr("xid"), t); err != nil {
				return err
			}
		}
	}
	return nil
}

func isJobLine(e sources.Event) bool {
	if e.Op == sources.OpJob {
		return true
	}
	if e.Status != 0 || e.Method != "" {
		return false // a request is no job's
	}
	text := strings.ToLower(e.Message + " " + e.Source + " " + e.Field("job") + " " + e.Field("logger") + " " + e.Field("program") + " " + e.Actor)
	return slices.ContainsFunc(jobNeedles, func(w string) bool { return strings.Contains(text, w) })
}

// jobNames are words by which a line or its source names scheduled work; that
// something was removed is not one of them.
var jobNames = []string{"cron", "retention", "purg", "cleanup", "clean-up", "clean up", "housekeep", "janitor", "reaper", "sweep", "expir", "archiv", "job", "scheduler", "prune", "pruning", "celery", "sidekiq"}

// namesJob reports whether a line is a scheduled job's by its own words.
func namesJob(e sources.Event) bool {
	if e.Op == sources.OpJob || e.Field("job") != "" {
		return true
	}
	text := strings.ToLower(e.Message + " " + e.Source + " " + e.Field("logger") + " " + e.Field("program"))
	return e.Status == 0 && e.Method == "" && slices.ContainsFunc(jobNames, func(w string) bool { return strings.Contains(text, w) })
}

func readRuns(in inv.Input) inv.Reading {
	wanted := removals(in.Facts)
	if len(wanted) == 0 {
		return inv.Reading{Outcome: inv.NotApplicable, Summary: "no removal is known beside which a job could have run"}
	}
	if len(in.Coverage) == 0 && len(in.Evidence) == 0 {
		return inv.BlindReading(in.Blind)
	}
	r := inv.Reading{Outcome: inv.Absent, Summary: "no job's run stands at the removal in " + plural(len(in.Coverage), "log")}
	for _, end := range wanted {
		for _, a := range answers(in, "cron:"+end.Attr("xid")) {
			for i := range a.Rows {
				if a.Text(i, "status") != "failed" { // what it did was undone
					r.Facts = append(r.Facts, cronFact(a, i, end))
				}
			}
		}
		r.Facts = append(r.Facts, runFacts(eventsOf(in, "runs:"+end.Attr("xid")), end)...)
	}
	if len(r.Facts) > 0 {
		r.Outcome, r.Summary = inv.Found, r.Facts[0].Says
		return r
	}
	if logs := unplaced(in); len(logs) > 0 {
		return withoutZone(logs)
	}
	if len(in.Blind) > 0 {
		b := inv.BlindReading(in.Blind)
		r.Outcome, r.Summary, r.Opens = inv.BlindOutcome, r.Summary+"; "+b.Summary, b.Opens
	}
	return r
}

func cronFact(a answer, i int, end inv.Fact) inv.Fact {
	f := inv.Fact{
		Kind: inv.JobRun, Ground: inv.GroundTruth, Time: pgTime(a.Text(i, "started")), Until: pgTime(a.Text(i, "ended")), Evidence: []string{a.evidence},
		Attrs: map[string]string{
			"job": orElse(a.Text(i, "job"), "cron job "+a.Text(i, "jobid")), "of": end.Attr("xid"), "op": "delete", "from": "schedule", "server": a.source,
			"started": pgTime(a.Text(i, "started")).Format(time.RFC3339Nano), "removed": removedCount(a.Text(i, "message")),
		},
	}
	f.Says = fmt.Sprintf("pg_cron ran %q from %s: %s", short(a.Text(i, "command"), 120), clock(f.Time), short(a.Text(i, "message"), 60))
	return f
}

// runFacts are the runs that lines of logs tell of: the lines of one source and
// program that reach up to the commit.
func runFacts(lines []logged, end inv.Fact) []inv.Fact {
	groups := map[string][]logged{}
	var order []string
	for _, e := range lines {
		if unclear(e.Event) {
			continue
		}
		key := e.Source + "|" + orElse(e.RequestID, orElse(e.Field("job"), e.Field("pid")))
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], e)
	}
	var out []inv.Fact
	for _, key := range order {
		if f, ok := runFact(groups[key], end); ok {
			out = append(out, f)
		}
	}
	return out
}

const runBeside = 5 * time.Second // how near to the commit a line of the run must stand

// jobRun is one run of a job as its lines tell it: those after the end of the run
// before it, up to its own.
type jobRun struct {
	lines   []logged
	removed string // as its last line counts
	// began and ended bound it; began is zero when nothing tells it.
	began, ended time.Time
}

// runsOf splits the lines of one program into runs. A line that counts what was
// removed ends one; it may tell how long the run took.
func runsOf(lines []logged) []jobRun {
	slices.SortStableFunc(lines, func(a, b logged) int { return a.Time.Compare(b.Time) })
	var out []jobRun
	var run jobRun
	for _, e := range lines {
		run.lines = append(run.lines, e)
		run.ended = e.latest()
		if run.removed = removedCount(e.Message); run.removed == "" {
			continue
		}
		out = append(out, run.bounded())
		run = jobRun{}
	}
	if len(run.lines) > 0 {
		out = append(out, run.bounded())
	}
	return out
}

// bounded finds when the run began: by its first line, or by how long it says that
// it took.
func (r jobRun) bounded() jobRun {
	last := r.lines[len(r.lines)-1]
	if took, ok := toldDuration(last.Message); ok {
		r.began = last.Time.Add(-took)
	} else if len(r.lines) > 1 {
		r.began = r.lines[0].Time
	}
	return r
}

// around reports whether the run can have made a commit: it had not ended before,
// and did not begin after it.
func (r jobRun) around(commit time.Time) bool {
	if r.ended.Before(commit.Add(-logJitter)) && r.removed != "" || !r.began.IsZero() && r.began.After(commit.Add(logJitter)) {
		return false
	}
	return slices.ContainsFunc(r.lines, func(e logged) bool { return abs(e.Time.Sub(commit)) <= runBeside })
}

// tookWords finds how long something took by its own words.
var tookWords = regexp.MustCompile(`(?i)\b(?:in|took|after|duration|elapsed)[\s:=]+(\d+(?:\.\d+)?)\s*(µs|us|ms|s|sec|secs|seconds?|m|min|minutes?)\b`)

func toldDuration(s string) (time.Duration, bool) {
	m := tookWords.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseFloat(m[1], 64)
	unit := time.Second
	switch u := strings.ToLower(m[2]); {
	case u == "ms":
		unit = time.Millisecond
	case u == "us", u == "µs":
		unit = time.Microsecond
	case strings.HasPrefix(u, "m"):
		unit = time.Minute
	}
	return time.Duration(n * float64(unit)), err == nil
}

func runFact(lines []logged, end inv.Fact) (inv.Fact, bool) {
	for _, run := range runsOf(lines) {
		if !run.around(end.Time) {
			continue
		}
		told := run.lines[len(run.lines)-1]
		started := run.lines[0].latest()
		if !run.began.IsZero() {
			started = run.began.Add(told.step)
		}
		return inv.Fact{
			Kind: inv.JobRun, Ground: inv.GroundLog, Time: started, Until: told.Time, Evidence: []string{told.evidence},
			Attrs: map[string]string{
				"job": orElse(told.Field("job"), told.Source), "of": end.Attr("xid"), "op": "delete", "from": "log", "source": told.Source,
				"started": started.UTC().Format(time.RFC3339Nano), "removed": run.removed,
			},
			Says: fmt.Sprintf("%s tells at %s: %s", told.Source, clock(told.Time), short(told.Message, 140)),
		}, true
	}
	return inv.Fact{}, false
}

// counted finds a number beside a word for removing. A number inside a longer word,
// such as an id or a time of day, is no count.
var counted = regexp.MustCompile(`(?i)(?:\b(?:remov|delet|purg|expir|clean|prun|archiv|drop)\w*\D{0,24}?(\d+)\b|\b(\d+)\s+(?:\w+\s+){0,3}?(?:remov|delet|purg|expir|clean|prun|archiv|drop)\w*)`)

// removedCount is the number of removed things that a line tells of, or "".
func removedCount(s string) string {
	for _, m := range counted.FindAllStringSubmatchIndex(s, -1) {
		from, to := m[2], m[3]
		if from < 0 {
			from, to = m[4], m[5]
		}
		if !partOfWord(s, from, to) {
			return s[from:to]
		}
	}
	return ""
}

// partOfWord reports whether digits belong to a longer word: an id, a date, a time.
func partOfWord(s string, from, to int) bool {
	joins := func(b byte) bool { return strings.IndexByte("-_:.", b) >= 0 }
	inWord := func(b byte) bool { return isLetter(rune(b)) || b >= '0' && b <= '9' }
	switch {
	case to < len(s) && inWord(s[to]), from > 0 && inWord(s[from-1]):
		return true
	case to+1 < len(s) && joins(s[to]) && inWord(s[to+1]):
		return true
	case from > 1 && joins(s[from-1]) && inWord(s[from-2]):
		return true
	}
	return false
}
