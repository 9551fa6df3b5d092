package mechanisms

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	inv "inquest/investigations"
)

// View is what rules are given: the facts, the story of the key that they tell,
// and the fate that follows from it.
type View struct {
	inv.Deliberation
	Story Story
	Fate  inv.Fate
}

// Outcome is how a transaction ended, as far as the facts tell.
type Outcome string

// Outcomes of a transaction.
const (
	Committed  Outcome = "committed"
	Aborted    Outcome = "aborted"
	Prepared   Outcome = "prepared"
	Open       Outcome = "open"
	Unfinished Outcome = "unfinished"
	Unknown    Outcome = "unknown"
)

// Step is one write to the key's row, with the end of its transaction.
type Step struct {
	Fact inv.Fact
	Xid  string
	// End is the outcome of the transaction, Ends the facts that show it.
	End  Outcome
	Ends inv.Facts
}

// When returns the time the step took effect: the end of its transaction, else
// its own bracket.
func (s Step) When() time.Time {
	for _, f := range s.Ends {
		if !f.Time.IsZero() {
			return f.Time
		}
	}
	return s.Fact.Time
}

// Facts returns the write and the end of its transaction.
func (s Step) Facts() inv.Facts { return append(inv.Facts{s.Fact}, s.Ends...) }

// Story is what ground truth tells of the key, in the order it happened.
type Story struct {
	Inserts, Updates, Deletes, Rekeys, Removals []Step
	all                                         []Step
}

// NewStory reads the story off the facts.
func NewStory(facts inv.Facts) Story {
	var s Story
	for _, f := range facts {
		var into *[]Step
		switch f.Kind {
		case inv.TupleInserted:
			into = &s.Inserts
		case inv.TupleUpdated:
			into = &s.Updates
		case inv.TupleDeleted:
			into = &s.Deletes
		case inv.TupleRekeyed:
			into = &s.Rekeys
		case inv.TableTruncated, inv.TableDropped:
			into = &s.Removals
		default:
			continue
		}
		step := Step{Fact: f, Xid: f.Attr("xid")}
		step.End, step.Ends = outcomeOf(facts, step.Xid)
		*into = append(*into, step)
		s.all = append(s.all, step)
	}
	for _, list := range []*[]Step{&s.Inserts, &s.Updates, &s.Deletes, &s.Rekeys, &s.Removals, &s.all} {
		sortSteps(*list)
	}
	return s
}

// Empty reports whether ground truth holds nothing of the key.
func (s Story) Empty() bool { return len(s.all) == 0 }

// Last returns the last step of the list, and false when there is none.
func Last(list []Step) (Step, bool) {
	if len(list) == 0 {
		return Step{}, false
	}
	return list[len(list)-1], true
}

// Ended returns the steps whose transactions ended so.
func Ended(list []Step, ends ...Outcome) []Step {
	var out []Step
	for _, s := range list {
		if slices.Contains(ends, s.End) {
			out = append(out, s)
		}
	}
	return out
}

// After returns the steps that stand later in WAL than x; a step without a
// position counts as later.
func After(list []Step, x Step) []Step {
	var out []Step
	for _, s := range list {
		if position(s) == 0 || position(s) >= position(x) {
			out = append(out, s)
		}
	}
	return out
}

// outcomeOf prefers what is certain: a commit or abort that was read.
func outcomeOf(facts inv.Facts, xid string) (Outcome, inv.Facts) {
	if xid == "" || xid == "0" {
		return Unknown, nil
	}
	for _, k := range []struct {
		kind inv.FactKind
		end  Outcome
	}{
		{inv.XactCommitted, Committed},
		{inv.XactAborted, Aborted},
		{inv.XactOpen, Open},
		{inv.XactPrepared, Prepared},
		{inv.XactUnfinished, Unfinished},
	} {
		if fs := facts.Of(k.kind).With("xid", xid); len(fs) > 0 {
			return k.end, fs
		}
	}
	return Unknown, nil
}

func sortSteps(list []Step) {
	slices.SortStableFunc(list, func(a, b Step) int { return cmp.Compare(position(a), position(b)) })
}

// position is the LSN as a number; 0 when the step has none (a row version read
// from the heap).
func position(s Step) uint64 {
	hi, lo, ok := strings.Cut(s.Fact.Attr("lsn"), "/")
	if !ok {
		return 0
	}
	h, err1 := strconv.ParseUint(hi, 16, 32)
	l, err2 := strconv.ParseUint(lo, 16, 32)
	if err1 != nil || err2 != nil {
		return 0
	}
	return h<<32 | l
}
