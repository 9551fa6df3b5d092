package investigations

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"inquest/sources"
)

// ClockBound is between which limits the clock of one source is ahead of
// another's, where only the order of events is known: what causes a thing comes
// before it. Nothing is corrected by it.
type ClockBound struct {
	Source  string
	Against string
	// Low and High limit Source's clock less Against's; nil: open to that side.
	Low, High *time.Duration
	// Contradicts says that no offset fits everything that was seen: a clock was set
	// in between, several clocks write under one name, or an assumption in From does
	// not hold. Low and High are nil then.
	Contradicts bool
	// From says what it rests on, in words.
	From     string
	Evidence []string
}

// Stamp is one event as one clock tells it: between From and To, both inclusive,
// for a log cuts its times off.
type Stamp struct {
	Clock    string
	From, To time.Time
	Evidence []string
}

// Precedence is a pair of events of which the first surely happened no later than
// the second, whatever their clocks say. Why names the reason, and what it assumes.
type Precedence struct {
	First, Then Stamp
	Why         string
}

// precedences reads what surely came before what off facts and lines. The answer
// to a create is none of them: that it was given after the commit is what may be
// in question.
func precedences(s State, facts Facts) []Precedence {
	stored, ok := onlyCommit(facts)
	var out []Precedence
	if ok {
		out = slices.Concat(out, shownAfter(facts, stored), arrivedBefore(s.Evidence, facts, stored), mintedBefore(s.Record, stored))
	}
	return append(out, quotedAfter(facts)...)
}

// onlyCommit is the commit that stored the key, read in WAL, when the key was
// inserted once.
func onlyCommit(facts Facts) (Stamp, bool) {
	inserts := facts.Of(TupleInserted)
	if len(inserts) != 1 || facts.Any(TupleRekeyed) || inserts[0].Attr("branch") != "" {
		return Stamp{}, false
	}
	for _, end := range facts.Of(XactCommitted).With("xid", inserts[0].Attr("xid")).With("server", inserts[0].Attr("server")) {
		if end.Time.IsZero() || !end.Until.IsZero() || end.Attr("from") != "wal" {
			continue
		}
		return Stamp{Clock: cmp.Or(end.Attr("server"), "the database's WAL"), From: end.Time, To: end.Time, Evidence: Facts{end}.Evidence()}, true
	}
	return Stamp{}, false
}

func stampOf(f Fact) Stamp {
	s := Stamp{Clock: f.Attr("source"), From: f.Time, To: f.Time, Evidence: f.Evidence}
	if f.Until.After(f.Time) {
		s.To = f.Until
	} else {
		s.To = f.Time.Add(time.Millisecond)
	}
	return s
}

// shownAfter: whoever was shown the row was so after its commit.
func shownAfter(facts Facts, stored Stamp) []Precedence {
	var out []Precedence
	for _, f := range facts.Of(APIAnswer).With("op", "read") {
		if n := f.Number("status"); n < 200 || n > 299 || f.Time.IsZero() || f.Attr("source") == "" {
			continue
		}
		out = append(out, Precedence{stored, stampOf(f), "an answer that showed the row was logged after the commit that stored it, if it was read from this database"})
	}
	return out
}

// arrivedBefore: a request arrived before the commit that it caused. Only a line
// that tells of the arrival counts: it names the method and no status yet.
func arrivedBefore(evidence []Evidence, facts Facts, stored Stamp) []Precedence {
	first := map[string]Precedence{}
	issued := facts.Of(IDIssued).Where(func(f Fact) bool { return telling(f.Attr("request")) })
	if len(issued) == 0 {
		return nil
	}
	for _, item := range evidence {
		var events []sources.Event
		if item.Kind != EvidenceEvents || item.Decode(&events) != nil {
			continue
		}
		for _, e := range events {
			if e.Time.IsZero() || e.ZoneUnknown || e.NoTime || e.Method == "" || e.Status != 0 || strings.HasPrefix(e.Format, "postgres") || len(issued.With("request", e.RequestID)) == 0 {
				continue
			}
			if had, ok := first[e.Source]; !ok || e.Time.Before(had.First.From) {
				first[e.Source] = Precedence{
					First: Stamp{Clock: e.Source, From: e.Time, To: e.Time.Add(time.Second), Evidence: []string{item.ID}}, Then: stored,
					Why: "the request that created the row arrived before the commit that stored it, if no earlier try of it had stored it",
				}
			}
		}
	}
	out := make([]Precedence, 0, len(first))
	for _, p := range first {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Precedence) int { return cmp.Compare(a.First.Clock, b.First.Clock) })
	return out
}

// MintedClock is the name of the clock that an id carries the time of.
const MintedClock = "whoever made the id"

// mintedBefore: an id was made before the row that has it was stored.
func mintedBefore(r Record, stored Stamp) []Precedence {
	t, how, ok := TimeInID(r.ID)
	if !ok {
		return nil
	}
	return []Precedence{{Stamp{Clock: MintedClock, From: t, To: t.Add(time.Second)}, stored, how + " is from before the commit that stored the row"}}
}

// specific finds what makes a message of the server one that is not said twice:
// a quoted name or a number.
var specific = regexp.MustCompile(`"[^"]+"|\d{3,}`)

// quotedAfter: a program that quotes an error logs it after the server raised it.
func quotedAfter(facts Facts) []Precedence {
	first := map[string]Fact{}
	for _, f := range facts.Of(LogError) {
		msg := f.Attr("message")
		if f.Time.IsZero() || f.Attr("by") == "application" || f.Attr("source") == "" || f.Attr("joins") == "time" || !specific.MatchString(msg) {
			continue
		}
		if had, ok := first[msg]; !ok || f.Time.Before(had.Time) {
			first[msg] = f
		}
	}
	var out []Precedence
	for _, line := range facts.Of(RequestFailed) {
		if line.Time.IsZero() || line.Attr("source") == "" {
			continue
		}
		for msg, raised := range first {
			if raised.Attr("source") != line.Attr("source") && strings.Contains(line.Attr("message"), msg) {
				out = append(out, Precedence{stampOf(raised), stampOf(line), "a line that quotes an error was written after the server raised it, if it was not raised before the log begins"})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Precedence) int {
		return cmp.Or(cmp.Compare(a.Then.Clock, b.Then.Clock), a.Then.From.Compare(b.Then.From), a.First.From.Compare(b.First.From))
	})
	return out
}
