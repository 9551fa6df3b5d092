package investigations

// FateKind is what became of the record. The values are stable: they stand in
// findings documents, case files and reports (taxonomy.md).
type FateKind string

// The eight fates.
const (
	FatePresent        FateKind = "present"
	FateHidden         FateKind = "hidden"
	FateDeleted        FateKind = "deleted"
	FateLost           FateKind = "lost"
	FateNeverCommitted FateKind = "never-committed"
	FateNeverWritten   FateKind = "never-written"
	FateRekeyed        FateKind = "rekeyed"
	FateUndetermined   FateKind = "undetermined"
)

// Standing is how firmly a fate or a hypothesis stands.
type Standing string

// Standings of a fate: shown by ground truth, consistent but not proven, open.
const (
	Established  Standing = "established"
	Probable     Standing = "probable"
	Undetermined Standing = "undetermined"
)

// Standings of a hypothesis.
const (
	Leading  Standing = "leading"
	Possible Standing = "possible"
	RuledOut Standing = "ruled-out"
	Untested Standing = "untested"
)

// Cause is one of the six families of causes.
type Cause string

// The six causes.
const (
	CauseDatabase    Cause = "database"
	CauseSystem      Cause = "system"
	CauseRetention   Cause = "retention"
	CauseAccidental  Cause = "accidental"
	CauseConcurrency Cause = "concurrency"
	CauseApplication Cause = "application"
	// CauseUndetermined stands beside a mechanism that can be a person's, a job's or
	// the application's doing while nothing tells whose it was.
	CauseUndetermined Cause = "undetermined"
)

// Fate is the first part of the answer.
type Fate struct {
	Kind     FateKind `json:"kind"`
	Standing Standing `json:"standing"`
	Summary  string   `json:"summary"` // one or two sentences that name actor and time
	Evidence []string `json:"evidence"`
	// Settles lists what would settle an undetermined fate, cheapest first.
	Settles []string `json:"settles"`
}

// Hypothesis is a mechanism weighed against the facts.
type Hypothesis struct {
	Cause Cause `json:"cause"`
	// CauseOpen says in the findings document that nothing tells whose doing it was:
	// Cause then names the application, whose doing each such mechanism can be.
	CauseOpen   bool     `json:"cause_open,omitempty"`
	Mechanism   string   `json:"mechanism"`
	Fate        FateKind `json:"fate"`
	Standing    Standing `json:"standing"`
	Summary     string   `json:"summary"`
	Supports    []string `json:"supports"`
	Contradicts []string `json:"contradicts"`
	// For and Against say in words what Supports and Contradicts point at.
	For     []string `json:"for,omitempty"`
	Against []string `json:"against,omitempty"`
	// Untested lists the rules that nothing could be said about.
	Untested []string `json:"untested,omitempty"`
	// Settles lists what would settle it, cheapest first.
	Settles []string `json:"settles,omitempty"`
}
