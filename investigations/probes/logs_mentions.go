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

// How far around a line that names the id its request is followed.
const requestReach = 10 * time.Minute

func logsMentions() inv.Probe {
	return inv.Probe{
		ID: "logs.mentions", Step: inv.StepLogs, Phase: inv.PhaseLogs, Title: "Lines that name the id",
		Asks:     "Which log lines name the id in any spelling, and what else belongs to those requests?",
		Why:      "They show whether the id was handed out, when, and what the service said of it afterwards.",
		Negative: "A create whose log line does not hold the id; lines that were rotated away, sampled out or never written.",
		Needs:    "log files, folders or commands (--logs)",
		Timeout:  5 * time.Minute,
		Collect:  collectMentions,
		Read:     readMentions,
	}
}

func collectMentions(ctx context.Context, c *inv.Collector) error {
	hits, err := search(ctx, c, sources.LogQuery{Needles: c.Record.Needles()}, "mentions", nil)
	if err != nil {
		return err
	}
	needles, window := requestsOf(hits)
	if len(needles) == 0 {
		return nil
	}
	seen := map[string]bool{}
	for _, h := range hits {
		seen[h.Source+h.Position] = true
	}
	_, err = search(ctx, c, sources.LogQuery{Needles: needles, Window: window, Limit: 500}, "requests", func(e sources.Event) bool {
		return !seen[e.Source+e.Position]
	})
	return err
}

// requestsOf returns the request ids of the hits as needles, and the window in
// which to look for them.
func requestsOf(hits []sources.Event) ([]sources.Needle, sources.Window) {
	const most = 50
	var out []sources.Needle
	var w sources.Window
	for _, h := range hits {
		if h.Weak || len(h.RequestID) < 6 || len(out) == most {
			continue
		}
		if !slices.ContainsFunc(out, func(n sources.Needle) bool { return n.Text == h.RequestID }) {
			out = append(out, sources.Needle{Text: h.RequestID, How: "the request of " + h.Position, Whole: true})
		}
		if !unclear(h) {
			if w.From.IsZero() || h.Time.Before(w.From) {
				w.From = h.Time
			}
			if h.Time.After(w.To) {
				w.To = h.Time
			}
		}
	}
	return out, w.Widen(requestReach)
}

func readMentions(in inv.Input) inv.Reading {
	mentions := eventsOf(in, "mentions")
	if len(in.Coverage) == 0 && len(mentions) == 0 {
		return inv.BlindReading(in.Blind)
	}
	n := newNaming(in)
	r := inv.Reading{Outcome: inv.Absent}
	named, unsure := 0, 0
	own := n.ownOnly(mentions)
	for _, e := range mentions {
		resource, ok := n.names(e.Event)
		if !ok && !e.Weak {
			unsure++
		}
		if !ok || !own(resource) {
			continue
		}
		named++
		r.Moments = append(r.Moments, moment(e, line(e.Event)))
		if !isServerLog(e.Event) {
			r.Facts = append(r.Facts, answerFacts(n, resource, e)...)
			r.Facts = append(r.Facts, passedOn(n, e)...)
		}
	}
	others := eventsOf(in, "requests")
	for _, e := range others {
		r.Moments = append(r.Moments, moment(e, line(e.Event)+"  ("+e.Why+")"))
	}
	r.Facts = append(r.Facts, failures(mentions, others, n, r.Facts)...)
	if named > 0 {
		r.Outcome = inv.Found
		r.Summary = fmt.Sprintf("%s in %s", plural(named, "line"), plural(countSources(mentions), "log"))
		if f := inv.Facts(r.Facts).Of(inv.IDIssued); len(f) > 0 {
			r.Summary += "; handed out " + clock(f[0].Time)
		}
		if more := leftOut(in, "mentions"); more != "" {
			r.Summary += "; " + more
		}
		return r
	}
	if unsure > 0 {
		return inv.Reading{
			Outcome: inv.BlindOutcome, Facts: r.Facts, Moments: r.Moments, Opens: "look at the lines in the evidence",
			Summary: plural(unsure, "line") + " with these characters: whether they mean this record cannot be told",
		}
	}
	r.Summary = "no line names it in " + plural(len(in.Coverage), "log") + searchedRange(in.Coverage)
	if len(in.Blind) > 0 {
		r.Summary += "; " + plural(len(in.Blind), "source") + " could not be read"
	}
	return r
}

// ownOnly tells which resources may mean the record: those named for one of its
// tables when any line has such a one, else all.
func (n naming) ownOnly(events []logged) func(resource string) bool {
	some := slices.ContainsFunc(events, func(e logged) bool {
		r, ok := n.names(e.Event)
		return ok && n.isTable(r)
	})
	return func(resource string) bool { return n.own() || !some || resource == "" || n.isTable(resource) }
}

func countSources(events []logged) int {
	seen := map[string]bool{}
	for _, e := range events {
		seen[e.Source] = true
	}
	return len(seen)
}

func searchedRange(cov []sources.Coverage) string {
	var from, to time.Time
	zoneless := false
	for _, c := range cov {
		zoneless = zoneless || c.ZoneUnknown
		if from.IsZero() || !c.From.IsZero() && c.From.Before(from) {
			from = c.From
		}
		if c.To.After(to) {
			to = c.To
		}
	}
	if from.IsZero() {
		return ""
	}
	if zoneless {
		const local = "2006-01-02 15:04:05"
		return fmt.Sprintf(" (read from %s to %s, in a zone that is not told)", from.Format(local), to.Format(local))
	}
	return fmt.Sprintf(" (read from %s to %s)", clock(from), clock(to))
}

// answerFacts are what an application's or gateway's line says of the record.
func answerFacts(n naming, resource string, e logged) []inv.Fact {
	op := e.Op
	_, last, inPath := n.inPath(e.Path)
	if inPath && !last || op == sources.OpCreate && n.onlyRefers(e.Event) {
		op = "" // a request for something below the record, or of another that refers to it
	}
	if n.own() && !n.isTable(resource) {
		resource = "" // the path tells how it came, such as /uploads/line, not what it is
	}
	f := inv.Fact{
		Ground: inv.GroundLog, Evidence: []string{e.evidence}, Time: factTime(e.Event), Until: e.until(),
		Attrs: map[string]string{
			"source": e.Source, "op": string(op), "method": e.Method, "path": e.Path, "actor": e.Actor,
			"resource": resource, "request": e.RequestID, "position": e.Position,
		},
	}
	if e.Status != 0 {
		f.Attrs["status"] = itoa(e.Status)
	}
	issued := op == sources.OpCreate && e.Status >= 200 && e.Status < 300 || e.Status == 201 && !n.onlyRefers(e.Event)
	switch {
	case issued && !(inPath && op != sources.OpCreate):
		f.Kind, f.Attrs["by"] = inv.IDIssued, "status"
		f.Says = fmt.Sprintf("%s answered the create with %d: %s", e.Source, e.Status, line(e.Event))
	case e.Status != 0:
		f.Kind = inv.APIAnswer
		f.Says = fmt.Sprintf("%s: %s", e.Source, line(e.Event))
	case saysCreated(e.Event, n) && !n.onlyRefers(e.Event):
		f.Kind, f.Attrs["by"] = inv.IDIssued, "message"
		f.Says = fmt.Sprintf("%s says that it was created: %s", e.Source, line(e.Event))
	case saysRemoved(e.Event, n):
		f.Kind, f.Attrs["message"] = inv.RemovalSaid, e.Message
		f.Says = fmt.Sprintf("%s says that it was removed: %s", e.Source, line(e.Event))
		if namesJob(e.Event) {
			f.Attrs["job"] = orElse(e.Field("job"), e.Source)
		}
	default:
		return nil
	}
	return []inv.Fact{f}
}

// factTime is the event's time where it may be compared with other clocks.
func factTime(e sources.Event) time.Time {
	if unclear(e) {
		return time.Time{}
	}
	return e.Time
}

var deniedWords = []string{"not ", "fail", "error", "cannot", "could n", "unable", "reject", "refus", "denied", "exception", "will be", "to be", "would"}

// failedField reports whether a field for the outcome says anything but success.
func failedField(e sources.Event) bool {
	for k, v := range e.Fields {
		switch strings.ToLower(k) {
		case "outcome", "result", "status", "success", "state":
			switch strings.ToLower(v) {
			case "success", "succeeded", "successful", "ok", "true", "done", "completed", "complete", "200", "204", "0":
			default:
				return true
			}
		}
	}
	return false
}

// saysCreated reports whether a line without a status says in words that the
// record was created.
func saysCreated(e sources.Event, n naming) bool {
	if e.Level == sources.LevelError || e.Level == sources.LevelFatal || e.Level == sources.LevelWarning {
		return false
	}
	msg := strings.ToLower(e.Message)
	return creating.said(msg, n) && !slices.ContainsFunc(deniedWords, func(w string) bool { return strings.Contains(msg, w) })
}
