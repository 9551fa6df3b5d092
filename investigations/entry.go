package investigations

import (
	"encoding/json"
	"fmt"
	"time"

	"inquest/sources"
)

// EntryKind names what an entry records.
type EntryKind string

// The kinds of entry that a journal holds.
const (
	EntryOpened    EntryKind = "opened"    // Opened
	EntryChecked   EntryKind = "checked"   // sources.Status: a source answered its check
	EntryCollected EntryKind = "collected" // Collected: a probe ran
	EntryAnswered  EntryKind = "answered"  // Answered: a person answered a question
	EntrySigned    EntryKind = "signed"    // Signed: a person gave a step its verdict
	EntryNoted     EntryKind = "noted"     // Noted: a person wrote a note or set a mark
	EntryUndone    EntryKind = "undone"    // Undone: an earlier entry no longer counts
	EntryWindowed  EntryKind = "windowed"  // Windowed: the window was derived or changed
	EntryJudged    EntryKind = "judged"    // Judged: the answer at this point
	EntrySent      EntryKind = "sent"      // Sent: statements that were sent to servers
	EntryExported  EntryKind = "exported"  // Exported: a report was written
)

// Entry is one line of a journal. Seq, Prev and Hash are the journal's own.
type Entry struct {
	Seq  int             `json:"seq"`
	Time time.Time       `json:"time"`
	Kind EntryKind       `json:"kind"`
	Body json.RawMessage `json:"body"`
	Prev string          `json:"prev"` // Hash of the entry before; empty for the first
	Hash string          `json:"hash"` // SHA-256 over seq, time, kind, body and prev
}

// NewEntry returns an entry with the JSON form of body.
func NewEntry(at time.Time, kind EntryKind, body any) (Entry, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return Entry{}, fmt.Errorf("encode %s entry: %w", kind, err)
	}
	return Entry{Time: at.UTC().Round(0), Kind: kind, Body: raw}, nil
}

// Opened starts a case.
type Opened struct {
	Schema  string         `json:"schema"` // CaseSchema
	Record  Record         `json:"record"`
	Window  sources.Window `json:"window"`
	Options Options        `json:"options"`
	Version string         `json:"version"`
	// Recording says in words that the case is a recorded practice incident;
	// empty for a real one.
	Recording string `json:"recording,omitempty"`
}

// CaseSchema is the version tag in the first entry of a case file.
const CaseSchema = "inquest.case/1"

// Collected is what one run of a probe brought.
type Collected struct {
	Probe    string             `json:"probe"`
	Started  time.Time          `json:"started"`
	TookMS   int64              `json:"took_ms"`
	Evidence []Evidence         `json:"evidence,omitempty"`
	Coverage []sources.Coverage `json:"coverage,omitempty"`
	Blind    []sources.Blind    `json:"blind,omitempty"`
}

// Answered is a person's answer to a question: yes, no or unknown.
type Answered struct {
	Question string `json:"question"`
	Answer   string `json:"answer"`
	Note     string `json:"note,omitempty"`
}

// Signed is a person's verdict on a step.
type Signed struct {
	Step    StepID  `json:"step"`
	Verdict Verdict `json:"verdict"`
	Note    string  `json:"note,omitempty"`
}

// Noted is a note or a mark on an item ("E7", "step:database", "" for the case).
type Noted struct {
	On   string `json:"on,omitempty"`
	Text string `json:"text,omitempty"`
	Mark bool   `json:"mark,omitempty"`
}

// Undone takes an answer, verdict or note back; the entry itself stays.
type Undone struct {
	Seq int `json:"seq"`
}

// Windowed sets the window, and says what it was derived from.
type Windowed struct {
	Window sources.Window `json:"window"`
	From   string         `json:"from"` // such as "the time in the UUIDv7", "--from and --to"
}

// Judged is the answer as it stood.
type Judged struct {
	Fate    Fate   `json:"fate"`
	Leading string `json:"leading,omitempty"` // mechanism id; empty: cause undetermined
	Cause   Cause  `json:"cause,omitempty"`
	Done    int    `json:"done,omitempty"` // steps with a verdict
	Version string `json:"version"`
}

// Sent lists statements that were sent to servers.
type Sent struct {
	Statements []sources.Statement `json:"statements"`
}

// Exported records that a report was written.
type Exported struct {
	Path   string `json:"path"`
	Format string `json:"format"`
}
