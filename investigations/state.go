package investigations

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"inquest/sources"
)

// State is a case as its entries leave it: a fold and nothing else. It is a
// value; Apply returns a new one and shares what did not change, so a State
// that was handed out never changes under its reader.
type State struct {
	Record    Record
	Window    sources.Window
	WindowWhy string
	Options   Options
	Version   string
	Recording string
	OpenedAt  time.Time
	UpdatedAt time.Time
	Entries   int

	Sources []sources.Status
	// Runs holds the last run of each probe.
	Runs map[string]Run
	// Evidence is everything ever collected, in order, older runs included.
	Evidence   []Evidence
	Answers    map[string]Answered
	Verdicts   map[StepID]Signed
	Notes      []Note
	Judged     *Judged
	Statements []sources.Statement
	Exports    []Exported

	undo []undoable
}

// Run is the last run of a probe.
type Run struct {
	Probe    string
	Seq      int
	Started  time.Time
	Took     time.Duration
	Evidence []Evidence
	Coverage []sources.Coverage
	Blind    []sources.Blind
}

// Note is a note or a mark with the time it was made.
type Note struct {
	Noted
	Seq  int
	Time time.Time
}

// undoable is a person's entry together with what it replaced.
type undoable struct {
	seq    int
	revert func(*State)
}

// Fold applies all entries to an empty State. It returns the State so far and
// an error for the first entry that cannot be read.
func Fold(entries []Entry) (State, error) {
	var s State
	for _, e := range entries {
		next, err := s.Apply(e)
		if err != nil {
			return s, err
		}
		s = next
	}
	return s, nil
}

// Apply returns the State after one more entry. An entry of an unknown kind is
// kept in the count and otherwise ignored, so that an older program can open a
// newer case.
func (s State) Apply(e Entry) (State, error) {
	apply, ok := folds[e.Kind]
	if ok {
		if err := apply(&s, e); err != nil {
			return s, fmt.Errorf("entry %d (%s): %w", e.Seq, e.Kind, err)
		}
	}
	s.Entries++
	s.UpdatedAt = e.Time
	return s, nil
}

// LastUndoable returns the seq of the newest answer, verdict or note that has
// not been taken back.
func (s State) LastUndoable() (int, bool) {
	if len(s.undo) == 0 {
		return 0, false
	}
	return s.undo[len(s.undo)-1].seq, true
}

// EvidenceByID returns the evidence item with this id.
func (s State) EvidenceByID(id string) (Evidence, bool) {
	for _, e := range s.Evidence {
		if e.ID == id {
			return e, true
		}
	}
	return Evidence{}, false
}

var folds = map[EntryKind]func(*State, Entry) error{
	EntryOpened:    fold(applyOpened),
	EntryChecked:   fold(applyChecked),
	EntryCollected: fold(applyCollected),
	EntryAnswered:  fold(applyAnswered),
	EntrySigned:    fold(applySigned),
	EntryNoted:     fold(applyNoted),
	EntryUndone:    fold(applyUndone),
	EntryWindowed: fold(func(s *State, _ Entry, b Windowed) {
		s.Window, s.WindowWhy = b.Window, b.From
	}),
	EntryJudged: fold(func(s *State, _ Entry, b Judged) { s.Judged = &b }),
	EntrySent: fold(func(s *State, _ Entry, b Sent) {
		s.Statements = slices.Concat(s.Statements, b.Statements)
	}),
	EntryExported: fold(func(s *State, _ Entry, b Exported) {
		s.Exports = append(slices.Clone(s.Exports), b)
	}),
}

func fold[T any](apply func(*State, Entry, T)) func(*State, Entry) error {
	return func(s *State, e Entry) error {
		var body T
		if err := json.Unmarshal(e.Body, &body); err != nil {
			return err
		}
		apply(s, e, body)
		return nil
	}
}

func applyOpened(s *State, e Entry, b Opened) {
	s.Record, s.Window, s.Options = b.Record, b.Window, b.Options
	s.Version, s.Recording, s.OpenedAt = b.Version, b.Recording, e.Time
	if !b.Window.IsZero() {
		s.WindowWhy = "as given"
	}
}

func applyChecked(s *State, _ Entry, b sources.Status) {
	list := slices.Clone(s.Sources)
	if i := slices.IndexFunc(list, func(o sources.Status) bool { return o.Source == b.Source }); i >= 0 {
		list[i] = b
	} else {
		list = append(list, b)
	}
	s.Sources = list
}

// applyCollected keeps what an earlier run saw when a later one could not look
// at all: going blind does not unsee.
func applyCollected(s *State, e Entry, b Collected) {
	s.Evidence = slices.Concat(s.Evidence, b.Evidence)
	if old := s.Runs[b.Probe]; len(b.Evidence)+len(b.Coverage) == 0 && len(old.Evidence)+len(old.Coverage) > 0 {
		return
	}
	runs := maps.Clone(s.Runs)
	if runs == nil {
		runs = map[string]Run{}
	}
	runs[b.Probe] = Run{
		Probe: b.Probe, Seq: e.Seq, Started: b.Started, Took: time.Duration(b.TookMS) * time.Millisecond,
		Evidence: b.Evidence, Coverage: b.Coverage, Blind: b.Blind,
	}
	s.Runs = runs
}

func applyAnswered(s *State, e Entry, b Answered) {
	old, had := s.Answers[b.Question]
	s.Answers = with(s.Answers, b.Question, b)
	s.pushUndo(e.Seq, func(s *State) { s.Answers = restored(s.Answers, b.Question, old, had) })
}

func applySigned(s *State, e Entry, b Signed) {
	old, had := s.Verdicts[b.Step]
	s.Verdicts = with(s.Verdicts, b.Step, b)
	s.pushUndo(e.Seq, func(s *State) { s.Verdicts = restored(s.Verdicts, b.Step, old, had) })
}

func applyNoted(s *State, e Entry, b Noted) {
	s.Notes = append(slices.Clone(s.Notes), Note{Noted: b, Seq: e.Seq, Time: e.Time})
	s.pushUndo(e.Seq, func(s *State) {
		s.Notes = slices.DeleteFunc(slices.Clone(s.Notes), func(n Note) bool { return n.Seq == e.Seq })
	})
}

// applyUndone takes back the newest entry only: undoing an older one would have
// to replay what came after it.
func applyUndone(s *State, _ Entry, b Undone) {
	n := len(s.undo)
	if n == 0 || s.undo[n-1].seq != b.Seq {
		return
	}
	revert := s.undo[n-1].revert
	s.undo = s.undo[: n-1 : n-1]
	revert(s)
}

func (s *State) pushUndo(seq int, revert func(*State)) {
	s.undo = append(slices.Clone(s.undo), undoable{seq: seq, revert: revert})
}

func with[K comparable, V any](m map[K]V, k K, v V) map[K]V {
	out := maps.Clone(m)
	if out == nil {
		out = map[K]V{}
	}
	out[k] = v
	return out
}

func restored[K comparable, V any](m map[K]V, k K, old V, had bool) map[K]V {
	if had {
		return with(m, k, old)
	}
	out := maps.Clone(m)
	delete(out, k)
	return out
}
