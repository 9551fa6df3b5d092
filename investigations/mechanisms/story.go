package mechanisms

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	inv "inquest/investigations"
)

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

// Table is the table that was written to.
func (s Step) Table() string { return s.Fact.Attr("table") }

// sighted reports that the write itself was not read, only its result on a page
// or in an index: whether it was an insert or an update is not known then.
func (s Step) sighted() bool {
	from := s.Fact.Attr("from")
	return from == "image" || from == "index"
}

// Story is what ground truth tells of the key, in the order it happened.
type Story struct {
	Inserts, Updates, Deletes, Rekeys, Removals []Step
	// Onward are further changes of the key of the row that last lost the asked one;
	// a delete of it under a later key is among the Deletes. Former are such steps of
	// rows that had the asked key in a life before the last.
	Onward, Former []Step

	all []Step
}

// NewStory reads the story off the facts of one server.
func NewStory(facts inv.Facts) Story {
	var s Story
	var under []Step
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
		if f.Attr("under") != "" {
			under = append(under, step)
			continue
		}
		*into = append(*into, step)
		if into != &s.Removals {
			s.all = append(s.all, step)
		}
	}
	for _, list := range []*[]Step{&s.Inserts, &s.Updates, &s.Deletes, &s.Rekeys, &s.Removals, &s.all} {
		sortSteps(*list)
	}
	s.onward(under)
	return s
}

// onward sorts in what happened to rows that had lost the asked key.
func (s *Story) onward(under []Step) {
	sortSteps(under)
	left, gone := s.departure()
	for _, step := range under {
		switch {
		case !gone || step.Fact.Attr("left") != left.Fact.Attr("lsn"):
			s.Former = append(s.Former, step)
		case step.Fact.Kind == inv.TupleDeleted:
			s.Deletes = append(s.Deletes, step)
			s.all = append(s.all, step)
		default:
			s.Onward = append(s.Onward, step)
		}
	}
	sortSteps(s.Deletes)
	sortSteps(s.all)
}

// departure is the committed update that took the asked key from the row of its
// last life.
func (s Story) departure() (Step, bool) {
	r, ok := Last(Ended(s.Rekeys, Committed))
	if !ok || s.insertedAfter(r) {
		return Step{}, false
	}
	return r, true
}

// keys are the committed updates by which the row of the last life went from the
// asked key to the last one that is known, in their order.
func (s Story) keys() []Step {
	left, ok := s.departure()
	if !ok {
		return nil
	}
	return append([]Step{left}, Ended(s.Onward, Committed)...)
}

// Empty reports whether ground truth holds nothing of the key's row itself.
func (s Story) Empty() bool { return len(s.all) == 0 }

// Existed returns the steps that show that a row with the key was once stored:
// committed writes, and committed removals of it.
func (s Story) Existed() []Step {
	return Ended(slices.Concat(s.Inserts, s.Updates, s.Deletes, s.Rekeys), Committed)
}

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

// insertedAfter reports whether a later committed insert of the same key exists,
// so that the delete ended an earlier life of it.
func (s Story) insertedAfter(d Step) bool {
	for _, ins := range Ended(s.Inserts, Committed) {
		switch {
		case position(ins) > 0 && position(d) > 0:
			if position(ins) > position(d) {
				return true
			}
		case ins.Fact.Attr("tid") != d.Fact.Attr("tid") && !s.endedAt(ins.Fact.Attr("tid")) && len(s.Updates) == 0:
			return true // another version, which nothing ended
		}
	}
	return false
}

func (s Story) endedAt(tid string) bool {
	return slices.ContainsFunc(Ended(slices.Concat(s.Deletes, s.Rekeys), Committed), func(d Step) bool { return d.Fact.Attr("tid") == tid })
}

// removal returns the committed delete that ended the key's last life.
func (s Story) removal() (Step, bool) {
	d, ok := Last(Ended(s.Deletes, Committed))
	if !ok || s.insertedAfter(d) {
		return Step{}, false
	}
	return d, true
}

// outcomeOf prefers what is certain: a commit or abort that was read in WAL, for
// a server can have handed a lost xid out again; then what the server says.
func outcomeOf(facts inv.Facts, xid string) (Outcome, inv.Facts) {
	if xid == "" || xid == "0" {
		return Unknown, nil
	}
	mine := facts.With("xid", xid)
	read := mine.With("from", "wal")
	for _, k := range ends {
		if k.end != Committed && k.end != Aborted {
			continue
		}
		if fs := read.Of(k.kind); len(fs) > 0 {
			return k.end, fs
		}
	}
	for _, k := range ends {
		if fs := mine.Of(k.kind); len(fs) > 0 {
			return k.end, fs
		}
	}
	return Unknown, nil
}

var ends = []struct {
	kind inv.FactKind
	end  Outcome
}{
	{inv.XactCommitted, Committed},
	{inv.XactAborted, Aborted},
	{inv.XactOpen, Open},
	{inv.XactPrepared, Prepared},
	{inv.XactUnfinished, Unfinished},
}

// sortSteps orders by WAL position; steps without one, read from the heap, come
// first.
func sortSteps(list []Step) {
	slices.SortStableFunc(list, func(a, b Step) int { return cmp.Compare(position(a), position(b)) })
}

// position is the LSN as a number; 0 when the step has none (a row version read
// from the heap).
func position(s Step) uint64 { return lsn(s.Fact.Attr("lsn")) }

// lsn is a WAL position such as 0/1992940 as a number, 0 when it is none.
func lsn(text string) uint64 {
	hi, lo, ok := strings.Cut(text, "/")
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
