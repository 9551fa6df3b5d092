package probes

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
)

func logsHints() inv.Probe {
	return inv.Probe{
		ID: "logs.hints", Step: inv.StepLogs, Phase: inv.PhaseLogs, Title: "Lines that name a natural key",
		Asks:     "Which log lines name the record's natural key, and under which other ids?",
		Why:      "A retry, a duplicate or a re-creation carries the same natural key under another id, where a search for the id finds nothing.",
		Negative: "Lines that hold the key in another form, inside a body that is not logged, or under a field of another name.",
		Needs:    "a natural key (--hint reference=…) and logs (--logs)",
		Timeout:  5 * time.Minute,
		Collect:  collectHints,
		Read:     readHints,
	}
}

// Tags of the evidence of this probe: lines that name the key NAME, and other
// lines of their requests.
const (
	tagHint        = "hint:"
	tagHintRequest = "hint-requests"
)

func collectHints(ctx context.Context, c *inv.Collector) error {
	if len(c.Record.Hints) == 0 {
		return nil
	}
	var hits []sources.Event
	for _, name := range slices.Sorted(maps.Keys(c.Record.Hints)) {
		needles := hintNeedles(name, c.Record.Hints[name])
		if len(needles) == 0 {
			continue
		}
		found, err := search(ctx, c, sources.LogQuery{Needles: needles}, tagHint+name, nil)
		if err != nil {
			return err
		}
		hits = append(hits, found...)
	}
	needles, window := requestsOf(hits)
	if len(needles) == 0 {
		return nil
	}
	seen := map[string]bool{}
	for _, h := range hits {
		seen[h.Source+h.Position] = true
	}
	_, err := search(ctx, c, sources.LogQuery{Needles: needles, Window: window, Limit: 500}, tagHintRequest, func(e sources.Event) bool {
		return !seen[e.Source+e.Position]
	})
	return err
}

// hintNeedles looks for a natural key in the field of its name. Free text and
// other fields count as weak hits, and only for a value that is telling by itself.
func hintNeedles(name, value string) []sources.Needle {
	value = strings.TrimSpace(value)
	if value == "" {
		return nil
	}
	field := name[strings.LastIndex(name, ".")+1:]
	texts := []string{value}
	for _, t := range []string{strings.ToLower(value), strings.ToUpper(value), url.QueryEscape(value), url.PathEscape(value)} {
		if !slices.Contains(texts, t) {
			texts = append(texts, t)
		}
	}
	var out []sources.Needle
	for _, t := range texts {
		out = append(out, sources.Needle{Text: t, How: "the natural key " + name, Whole: true, Field: field})
	}
	if !telling(value) {
		return out
	}
	for _, t := range texts {
		out = append(out, sources.Needle{Text: t, How: "the value of the natural key " + name, Whole: true, Weak: true})
	}
	return out
}

// telling reports whether a value is hardly in a log for another reason.
func telling(v string) bool {
	digits := strings.ContainsAny(v, "0123456789")
	return len(v) >= 16 || len(v) >= 6 && digits && strings.ContainsFunc(v, func(r rune) bool { return r < '0' || r > '9' })
}

func readHints(in inv.Input) inv.Reading {
	if len(in.Record.Hints) == 0 {
		return inv.Reading{Outcome: inv.NotApplicable, Summary: "no natural key was given (--hint NAME=VALUE)"}
	}
	var events []hinted
	for _, name := range slices.Sorted(maps.Keys(in.Record.Hints)) {
		for _, e := range eventsOf(in, tagHint+name) {
			events = append(events, hinted{logged: e, hint: name})
		}
	}
	if len(events) == 0 && len(in.Coverage) == 0 {
		return inv.BlindReading(in.Blind)
	}
	r := inv.Reading{Outcome: inv.Absent}
	if len(events) == 0 {
		r.Summary = "no line names it in " + plural(countCovered(in.Coverage), "log") + searchedRange(in.Coverage)
		return r
	}
	r.Outcome = inv.Found
	byRequest := map[string][]logged{}
	for _, e := range eventsOf(in, tagHintRequest) {
		if e.RequestID != "" {
			byRequest[e.RequestID] = append(byRequest[e.RequestID], e)
		}
	}
	var others []string
	weak := 0
	for _, e := range events {
		r.Moments = append(r.Moments, moment(e.logged, line(e.Event)+"  ("+e.Why+")"))
		if e.Weak {
			weak++
		}
		f := e.fact(in.Record, byRequest[e.RequestID])
		if id := f.Attr("id"); id != "" && !slices.Contains(others, id) && !e.Weak {
			others = append(others, id)
		}
		r.Facts = append(r.Facts, f)
	}
	r.Summary = plural(len(events), "line")
	if weak > 0 {
		r.Summary += fmt.Sprintf(" (%d only in free text)", weak)
	}
	if len(others) > 0 {
		r.Summary += "; also under " + short(strings.Join(others, ", "), 160)
	}
	return r
}

func countCovered(cov []sources.Coverage) int {
	seen := map[string]bool{}
	for _, c := range cov {
		seen[c.Source] = true
	}
	return len(seen)
}

// hinted is a line that names a natural key.
type hinted struct {
	logged
	hint string
}

// fact says what the line does, and which id it or its request names beside the
// key.
func (e hinted) fact(rec inv.Record, request []logged) inv.Fact {
	f := inv.Fact{
		Kind: inv.HintNamed, Ground: inv.GroundLog, Time: factTime(e.Event), Until: e.until(), Evidence: []string{e.evidence},
		Attrs: map[string]string{
			"hint": e.hint, "value": rec.Hints[e.hint], "source": e.Source, "op": string(e.Op), "request": e.RequestID,
			"position": e.Position, "method": e.Method, "path": e.Path,
		},
	}
	if e.Status != 0 {
		f.Attrs["status"] = itoa(e.Status)
	}
	if e.Weak {
		f.Attrs["weak"] = "true"
	}
	same, other := idsBeside(e.Event, rec)
	for _, o := range request {
		s, id := idsBeside(o.Event, rec)
		if s || id != "" {
			same, other = same || s, orElse(other, id)
			if !slices.Contains(f.Evidence, o.evidence) {
				f.Evidence = append(f.Evidence, o.evidence)
			}
		}
	}
	what := fmt.Sprintf("%s names %s=%s", e.Source, e.hint, rec.Hints[e.hint])
	switch {
	case same:
		f.Attrs["same"] = "true"
		what += " with the record's own id"
	case other != "":
		f.Attrs["id"] = other
		what += " with another id, " + other
	}
	f.Says = what + ": " + line(e.Event)
	return f
}

// idsBeside reports whether an event names the record's own id, and else the
// first other id of the same form that it names where ids stand: as a value of a
// field called id or …_id, or as the last part of its path.
func idsBeside(e sources.Event, rec inv.Record) (same bool, other string) {
	if namesAny(e.Raw, rec) && (len(rec.ID) >= 16 || rec.Composite() != nil) {
		return true, ""
	}
	path := e.Path
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		path = path[:i]
	}
	path = strings.TrimRight(path, "/")
	candidates := []string{path[strings.LastIndexByte(path, '/')+1:]}
	for _, k := range slices.Sorted(maps.Keys(e.Fields)) {
		if ownIDField(k, rec) {
			candidates = append(candidates, e.Fields[k])
		}
	}
	for _, v := range candidates {
		v = strings.Trim(v, `"{} `)
		if strings.EqualFold(v, rec.ID) {
			return true, ""
		}
		if other == "" && shape(v) == shape(rec.ID) && shape(v) != "" {
			other = v
		}
	}
	return false, other
}

// ownIDField reports whether a field of this name holds the id of what the line
// is about: "id", or that of the record's table.
func ownIDField(k string, rec inv.Record) bool {
	k = strings.ToLower(k[strings.LastIndex(k, ".")+1:])
	base := strings.TrimRight(strings.TrimSuffix(k, "id"), "_-")
	switch {
	case k == "id", k == "recordid", k == "record_id", k == "entity_id", k == "resource_id":
		return true
	case base == k || base == "":
		return false
	}
	return rec.Table != "" && stem(base) == stem(rec.Table)
}

// shape is the form of an id: uuid, number of so many digits, or letters and
// digits of a length; ids of one kind share it.
func shape(v string) string {
	digits, letters := 0, 0
	for _, r := range v {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z':
			letters++
		case r == '-' || r == '_':
		default:
			return ""
		}
	}
	switch {
	case v == "" || digits == 0:
		return ""
	case len(bare(v)) == 32 && strings.Trim(strings.ToLower(bare(v)), "0123456789abcdef") == "":
		return "uuid"
	case letters == 0 && len(v) == digits:
		return "number"
	}
	return fmt.Sprintf("text%d", len(v))
}
