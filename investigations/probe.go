package investigations

import (
	"context"
	"errors"
	"fmt"
	"time"

	"inquest/sources"
)

// Outcome is one of the four ways in which a probe can end.
type Outcome string

// The four outcomes. Absent means: looked where it would have shown. Blind
// means: could not look. Only absent may weaken a hypothesis.
const (
	Found         Outcome = "found"
	Absent        Outcome = "absent"
	BlindOutcome  Outcome = "blind"
	NotApplicable Outcome = "n/a"
)

// Phase orders probes so that evidence is read before something destroys it.
type Phase int

// The phases in the order they run.
const (
	PhaseCatalogue Phase = iota // WAL position and catalogue facts
	PhasePages                  // raw pages and index descent
	PhaseWAL                    // write-ahead log
	PhaseLogs                   // logs of any kind; they need xids and times from WAL
	PhaseRows                   // ordinary SELECTs, which prune dead row versions
)

// Probe is one automated question. Adding one is a new file and a line in the
// list of probes.
type Probe struct {
	ID    string // "database.lineage": the slug of its step, a dot, a name
	Step  StepID
	Phase Phase
	Title string // for the checklist, such as "Row lineage (WAL)"
	Asks  string
	Why   string
	// Negative says what finding nothing does not exclude.
	Negative string
	// Needs says in one line which source or privilege it needs.
	Needs   string
	Timeout time.Duration
	// Sends is the SQL or command that it will send, or in words what it reads,
	// shown before it runs; empty: not told. What was really sent stands in the
	// statements of the case.
	Sends string
	// Collect does the I/O and has no opinion. A *sources.Blind error makes the
	// probe blind; any other error does too, with the error as the reason.
	Collect func(ctx context.Context, c *Collector) error
	// Read is a pure function of what was collected: no I/O, no clock.
	Read func(in Input) Reading
}

// Input is all that a probe's Read may use.
type Input struct {
	Record   Record
	Window   sources.Window
	Settings Options // the case's options, such as the application's role
	Evidence []Evidence
	Coverage []sources.Coverage
	Blind    []sources.Blind
	// Facts are those read by the probes of lower phases and, within a phase, by
	// the probes before this one in the list.
	Facts Facts
}

// Reading is what a probe's Read made of its evidence.
type Reading struct {
	Outcome Outcome
	Summary string // one line for people
	Opens   string // when blind: the one setting, flag or GRANT that would open it
	Facts   []Fact
	Moments []Moment
	// Recovered are the contents of rows with the key, the likeliest last one first;
	// they may be of several tables.
	Recovered []Recovered
	Expires   []sources.Expiry
}

// Moment is one line of the timeline. A zero Time is an event of which no time
// is known, not even between which others it lies.
type Moment struct {
	Time     time.Time `json:"time"`
	Until    time.Time `json:"until,omitzero"`
	Source   string    `json:"source"`
	Summary  string    `json:"summary"`
	Evidence string    `json:"evidence"`
	// Unordered marks a time whose zone or clock is not known well enough.
	Unordered bool `json:"unordered,omitempty"`
	// ZoneUnknown marks a time that was written without a zone and none is known for
	// it: Time holds it as written, as if it were UTC. It is Unordered too.
	ZoneUnknown bool `json:"zone_unknown,omitempty"`
	// Request is the id of the request or trace that the event belongs to, empty
	// when the source named none.
	Request string `json:"request,omitempty"`
}

// Recovered is the record's last content.
type Recovered struct {
	Table string `json:"table"`
	// Row holds column values as PostgreSQL prints them; nil is NULL.
	Row    map[string]*string `json:"row"`
	Origin string             `json:"origin"` // wal, heap, history or log
	// Standing marks a version that no committed delete is known to have ended.
	Standing bool `json:"-"`
	// Unknown names columns whose value could not be read.
	Unknown  []string `json:"unknown,omitempty"`
	Evidence []string `json:"evidence,omitempty"`
}

// Doubt says in words why a moment may not be ordered against other sources; ""
// when it may.
func (m Moment) Doubt() string {
	switch {
	case m.Time.IsZero():
		return "this line carries no time and no line beside it does: it says that it happened, not when"
	case !m.Unordered:
		return ""
	case m.ZoneUnknown:
		return "the time is as the log wrote it, and the log names no zone: it can be hours away from the others; --tz ZONE settles it"
	case m.Until.After(m.Time):
		return "this line carries no time: it stands between two that do"
	}
	return "the time is that of another clock, whose distance to the others is not known: do not order it by seconds"
}

// BlindReading returns the blind outcome for the reasons collected, the first
// of them in full. With no reason given it says so instead of inventing one.
func BlindReading(reasons []sources.Blind) Reading {
	if len(reasons) == 0 {
		return Reading{Outcome: BlindOutcome, Summary: "could not look: no source can answer this", Opens: ""}
	}
	r := Reading{Outcome: BlindOutcome, Summary: "could not look: " + reasons[0].Why, Opens: reasons[0].Opens}
	if n := len(reasons) - 1; n > 0 {
		r.Summary += fmt.Sprintf(" (and %s)", count(n, "more reason"))
	}
	return r
}

// CheckProbes reports the first mistake in a list of probes: an empty or
// repeated id, an id that does not start with its step, a missing function,
// question or time limit.
func CheckProbes(probes []Probe) error {
	seen := map[string]bool{}
	for i, p := range probes {
		if p.ID == "" {
			return fmt.Errorf("probe %d has no id", i)
		}
		if err := checkProbe(p, seen); err != nil {
			return fmt.Errorf("probe %s: %w", p.ID, err)
		}
		seen[p.ID] = true
	}
	return nil
}

func checkProbe(p Probe, seen map[string]bool) error {
	prefix := string(p.Step) + "."
	_, known := StepByID(p.Step)
	switch {
	case seen[p.ID]:
		return errors.New("id used twice")
	case !known:
		return fmt.Errorf("unknown step %q", p.Step)
	case len(p.ID) <= len(prefix) || p.ID[:len(prefix)] != prefix:
		return fmt.Errorf("id does not start with %q", prefix)
	case p.Collect == nil:
		return errors.New("no Collect function")
	case p.Read == nil:
		return errors.New("no Read function")
	case p.Title == "" || p.Asks == "" || p.Why == "" || p.Negative == "" || p.Needs == "":
		return errors.New("title, question, why, negative or needs missing")
	case p.Timeout <= 0:
		return errors.New("no time limit")
	case p.Phase < PhaseCatalogue || p.Phase > PhaseRows:
		return fmt.Errorf("unknown phase %d", p.Phase)
	}
	return nil
}
