package investigations

import (
	"encoding/json"
	"math"
	"slices"
	"time"

	"inquest/sources"
)

// FindingsSchema is the version tag of the findings document.
const FindingsSchema = "inquest.findings/1"

// Findings is the document that --json prints. Its field names are relied on
// from outside and do not change within a schema version.
type Findings struct {
	Schema     string           `json:"schema"`
	Record     string           `json:"record"`
	Table      string           `json:"table"`
	Window     WindowDoc        `json:"window"`
	Fate       Fate             `json:"fate"`
	Hypotheses []Hypothesis     `json:"hypotheses"`
	Steps      []StepDoc        `json:"steps"`
	Timeline   []Moment         `json:"timeline"`
	Coverage   []CoverageDoc    `json:"coverage"`
	Clocks     []ClockDoc       `json:"clocks"`
	Bounds     []ClockBoundDoc  `json:"clock_bounds"`
	Expiring   []ExpiryDoc      `json:"expiring"`
	Recovered  *Recovered       `json:"recovered"`
	Evidence   []EvidenceDoc    `json:"evidence"`
	Sources    []sources.Status `json:"sources"`
	Recording  string           `json:"recording,omitempty"`
	Questions  []Answered       `json:"answers,omitempty"`
}

// WindowDoc is a window whose open bounds are null.
type WindowDoc struct {
	From *time.Time `json:"from"`
	To   *time.Time `json:"to"`
	Why  string     `json:"why,omitempty"`
}

// StepDoc is a step in the findings document.
type StepDoc struct {
	ID      StepID     `json:"id"`
	Verdict Verdict    `json:"verdict"`
	Signed  bool       `json:"signed"`
	Note    string     `json:"note,omitempty"`
	Probes  []ProbeDoc `json:"probes"`
}

// ProbeDoc is a probe that ran in the findings document.
type ProbeDoc struct {
	ID       string   `json:"id"`
	Outcome  Outcome  `json:"outcome"`
	Summary  string   `json:"summary"`
	Opens    string   `json:"opens,omitempty"`
	Evidence []string `json:"evidence"`
	TookMS   int64    `json:"took_ms"`
}

// CoverageDoc is a coverage in the findings document.
type CoverageDoc struct {
	Source string        `json:"source"`
	From   *time.Time    `json:"from"`
	To     *time.Time    `json:"to"`
	Gaps   []sources.Gap `json:"gaps"`
	Limits []string      `json:"limits,omitempty"`
}

// ClockDoc is how far one source's clock is ahead of another's in the findings
// document, in milliseconds.
type ClockDoc struct {
	Source   string   `json:"source"`
	Against  string   `json:"against"`
	OffsetMS int64    `json:"offset_ms"`
	ErrorMS  int64    `json:"error_ms"`
	From     string   `json:"from"`
	Evidence []string `json:"evidence"`
}

// ClockBoundDoc is between which limits one source's clock is ahead of another's
// in the findings document, in milliseconds; null is open to that side.
type ClockBoundDoc struct {
	Source      string   `json:"source"`
	Against     string   `json:"against"`
	AtLeastMS   *int64   `json:"at_least_ms"`
	AtMostMS    *int64   `json:"at_most_ms"`
	Contradicts bool     `json:"contradicts,omitempty"`
	From        string   `json:"from"`
	Evidence    []string `json:"evidence"`
}

// ExpiryDoc is an expiry in the findings document; an unknown moment is null.
type ExpiryDoc struct {
	What    string     `json:"what"`
	Expires *time.Time `json:"expires"`
	Why     string     `json:"why"`
}

// EvidenceDoc is an evidence item in the findings document.
type EvidenceDoc struct {
	ID          string    `json:"id"`
	Source      string    `json:"source"`
	Query       string    `json:"query"`
	CollectedAt time.Time `json:"collected_at"`
	SHA256      string    `json:"sha256"`
	Excerpt     string    `json:"excerpt"`
}

// NewFindings lays an assessment out as the findings document. Lists are never
// null.
func NewFindings(s State, a Assessment) Findings {
	f := Findings{
		Schema: FindingsSchema, Record: s.Record.ID, Table: TableOf(s, a),
		Window: WindowDoc{From: timeOrNil(s.Window.From), To: timeOrNil(s.Window.To), Why: s.WindowWhy},
		Fate:   a.Fate, Hypotheses: orEmpty(slices.Clone(a.Hypotheses)), Timeline: orEmpty(a.Timeline),
		Recovered: recoveredDoc(a.Recovered), Sources: orEmpty(s.Sources), Recording: s.Recording,
		Steps: []StepDoc{}, Coverage: []CoverageDoc{}, Expiring: []ExpiryDoc{}, Evidence: []EvidenceDoc{}, Clocks: []ClockDoc{}, Bounds: []ClockBoundDoc{},
	}
	f.Fate.Evidence, f.Fate.Settles = orEmpty(f.Fate.Evidence), orEmpty(f.Fate.Settles)
	for i := range f.Hypotheses {
		h := &f.Hypotheses[i]
		if h.Cause == CauseUndetermined { // the document knows the six causes
			h.Cause, h.CauseOpen = CauseApplication, true
		}
		h.Supports, h.Contradicts = orEmpty(h.Supports), orEmpty(h.Contradicts)
	}
	for _, st := range a.Steps {
		f.Steps = append(f.Steps, stepDoc(st))
	}
	for _, c := range a.Coverage {
		f.Coverage = append(f.Coverage, CoverageDoc{Source: c.Source, From: timeOrNil(c.From), To: timeOrNil(c.To), Gaps: orEmpty(c.Gaps), Limits: c.Limits})
	}
	for _, c := range a.Clocks {
		f.Clocks = append(f.Clocks, ClockDoc{
			Source: c.Source, Against: c.Against, OffsetMS: c.Offset.Round(time.Millisecond).Milliseconds(),
			ErrorMS: max((c.Error + time.Millisecond - 1).Milliseconds(), 1), From: c.From, Evidence: orEmpty(c.Evidence),
		})
	}
	for _, b := range a.Bounds {
		f.Bounds = append(f.Bounds, ClockBoundDoc{
			Source: b.Source, Against: b.Against, AtLeastMS: downMS(b.Low), AtMostMS: upMS(b.High),
			Contradicts: b.Contradicts, From: b.From, Evidence: orEmpty(b.Evidence),
		})
	}
	for _, x := range a.Expiring {
		f.Expiring = append(f.Expiring, ExpiryDoc{What: x.What, Expires: timeOrNil(x.At), Why: x.Why})
	}
	for _, e := range s.Evidence {
		f.Evidence = append(f.Evidence, EvidenceDoc{ID: e.ID, Source: e.Source, Query: e.Query, CollectedAt: e.CollectedAt, SHA256: e.SHA256, Excerpt: e.Excerpt(400)})
	}
	for _, step := range Steps() {
		for _, q := range step.Questions {
			if ans, ok := s.Answers[q.ID]; ok {
				f.Questions = append(f.Questions, ans)
			}
		}
	}
	return f
}

// TableOf returns the table the record belongs to: as found in PostgreSQL, else
// as the person typed it.
func TableOf(s State, a Assessment) string {
	if a.Table != "" {
		return a.Table
	}
	for _, kind := range []FactKind{TupleInserted, TupleDeleted, TupleUpdated, TupleRekeyed, RowVisible, RowFlagged, RowNear} {
		for _, f := range a.Facts.Of(kind) {
			if t := f.Attr("table"); t != "" {
				return t
			}
		}
	}
	return s.Record.Table
}

// JSON returns the indented document with a final newline.
func (f Findings) JSON() ([]byte, error) {
	b, err := json.MarshalIndent(f, "", "  ")
	return append(b, '\n'), err
}

func stepDoc(st StepResult) StepDoc {
	d := StepDoc{ID: st.Step.ID, Verdict: st.Verdict, Signed: st.Signed, Note: st.Note, Probes: []ProbeDoc{}}
	for _, p := range st.Probes {
		if !p.Ran {
			continue
		}
		d.Probes = append(d.Probes, ProbeDoc{
			ID: p.Probe.ID, Outcome: p.Reading.Outcome, Summary: p.Reading.Summary, Opens: p.Reading.Opens,
			Evidence: orEmpty(p.Evidence), TookMS: p.Took.Milliseconds(),
		})
	}
	return d
}

func recoveredDoc(r *Recovered) *Recovered {
	if r == nil || r.Row != nil {
		return r
	}
	out := *r
	out.Row = map[string]*string{}
	return &out
}

// downMS and upMS round a limit away from what it excludes.
func downMS(d *time.Duration) *int64 {
	if d == nil {
		return nil
	}
	ms := int64(math.Floor(float64(*d) / float64(time.Millisecond)))
	return &ms
}

func upMS(d *time.Duration) *int64 {
	if d == nil {
		return nil
	}
	ms := int64(math.Ceil(float64(*d) / float64(time.Millisecond)))
	return &ms
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
