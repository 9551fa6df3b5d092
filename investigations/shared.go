package investigations

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"inquest/sources"
)

// SkipSent takes the statements that were sent until now for another case's:
// they are not recorded in this one. It is for sources that several cases share,
// and is called before the first Run.
func (r *Runner) SkipSent() {
	r.sentMu.Lock()
	defer r.sentMu.Unlock()
	r.sent = map[string]int{}
	for _, s := range r.Sources {
		if l, ok := s.(sources.StatementLogger); ok {
			r.sent[s.Name()] = len(l.Statements())
		}
	}
}

// Told is a record with what became of it.
type Told struct {
	Record     string
	Assessment Assessment
}

// Common is something that several records share.
type Common struct {
	What    string // such as "deleted by xid 764"
	Records []string
}

// Shared returns what at least two of the records have in common: fate,
// mechanism, transaction, minute. What most share comes first. It is a pure
// function.
func Shared(cases []Told) []Common {
	var order []string
	have := map[string][]string{}
	for _, c := range cases {
		for _, what := range traits(c.Assessment) {
			if _, seen := have[what]; !seen {
				order = append(order, what)
			}
			if !slices.Contains(have[what], c.Record) {
				have[what] = append(have[what], c.Record)
			}
		}
	}
	var out []Common
	for _, what := range order {
		if len(have[what]) > 1 {
			out = append(out, Common{What: what, Records: have[what]})
		}
	}
	slices.SortStableFunc(out, func(a, b Common) int { return cmp.Compare(len(b.Records), len(a.Records)) })
	return out
}

// traits are what can be shared of one record.
func traits(a Assessment) []string {
	out := []string{fmt.Sprintf("the fate %s", a.Fate.Kind)}
	if lead, ok := a.Leading(); ok {
		out = append(out, fmt.Sprintf("the mechanism %s (%s)", lead.Mechanism, lead.Cause))
	}
	for _, kind := range []struct {
		of   FactKind
		verb string
	}{{TupleInserted, "inserted"}, {TupleDeleted, "deleted"}, {TupleRekeyed, "given another key"}} {
		for _, f := range a.Facts.Of(kind.of) {
			out = append(out, transaction(a.Facts, f, kind.verb)...)
		}
	}
	for _, f := range a.Facts.Of(IDIssued) {
		if !f.Time.IsZero() {
			out = append(out, "handed out "+minute(f.Time))
		}
	}
	return out
}

// transaction is which transaction did what to a row, how it ended, and when.
func transaction(facts Facts, f Fact, verb string) []string {
	xid := f.Attr("xid")
	if xid == "" {
		return nil
	}
	on := ""
	if s := f.Attr("server"); s != "" {
		on = " on " + s
	}
	end, at := "", time.Time{}
	for _, e := range facts.Where(func(e Fact) bool { return e.Attr("xid") == xid && e.Attr("server") == f.Attr("server") }) {
		switch e.Kind {
		case XactCommitted:
			end, at = "", e.Time
		case XactAborted:
			end, at = ", which was rolled back", e.Time
		}
	}
	out := []string{fmt.Sprintf("%s by xid %s%s%s", verb, xid, on, end)}
	if !at.IsZero() {
		out = append(out, verb+" "+minute(at))
	}
	return out
}

func minute(t time.Time) string { return "in the minute " + t.UTC().Format("2006-01-02 15:04 UTC") }
