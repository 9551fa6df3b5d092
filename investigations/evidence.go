package investigations

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"inquest/sources"
)

// MaxEvidence is the most bytes that one evidence item keeps.
const MaxEvidence = 256 << 10

// Kinds of evidence: they say how Body is to be read.
const (
	EvidenceTable   = "table"   // sources.Table as JSON: the answer to a query
	EvidenceEvents  = "events"  // []sources.Event as JSON: lines of a log
	EvidenceLineage = "lineage" // wal.Lineage as JSON: what WAL holds of a key
	EvidencePages   = "pages"   // row versions decoded from raw pages, as JSON
	EvidenceText    = "text"    // plain text
)

// Evidence is an event or a query result as it was collected. It is never
// changed afterwards.
type Evidence struct {
	ID          string    `json:"id"` // E1, E2, … in the order of collection
	Kind        string    `json:"kind"`
	Source      string    `json:"source"`
	Query       string    `json:"query"` // the exact statement or command
	Position    string    `json:"position,omitempty"`
	CollectedAt time.Time `json:"collected_at"`
	// Body is what was collected, after redaction, at most MaxEvidence bytes.
	Body string `json:"body"`
	// SHA256 is the hash of Body in lower-case hex.
	SHA256 string `json:"sha256"`
	// Redacted counts the secrets that were cut from Body.
	Redacted int `json:"redacted,omitempty"`
	// Partial says what was left out to stay below MaxEvidence; empty: nothing.
	Partial string `json:"partial,omitempty"`
	// Tag lets a probe tell its items apart ("row:public.orders").
	Tag string `json:"tag,omitempty"`

	decoded *decodedEvents // set while a case is judged
}

// Intact reports whether Body still has the hash it was stored with.
func (e Evidence) Intact() bool { return e.SHA256 == hashText(e.Body) }

// Decode reads the JSON body into v.
func (e Evidence) Decode(v any) error {
	if list, ok := v.(*[]sources.Event); ok && e.decoded != nil {
		events, err := e.decoded.of(e.Body)
		if err != nil {
			return fmt.Errorf("decode evidence %s (%s): %w", e.ID, e.Kind, err)
		}
		*list = slices.Clone(events)
		return nil
	}
	if err := json.Unmarshal([]byte(e.Body), v); err != nil {
		return fmt.Errorf("decode evidence %s (%s): %w", e.ID, e.Kind, err)
	}
	return nil
}

// Excerpt returns the first n runes of the body.
func (e Evidence) Excerpt(n int) string {
	count := 0
	for i := range e.Body {
		if count == n {
			return e.Body[:i] + "…"
		}
		count++
	}
	return e.Body
}

func hashText(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
