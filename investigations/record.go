package investigations

import (
	"errors"
	"fmt"
	"strings"

	"inquest/sources"
)

// Record is what is missing.
type Record struct {
	// ID is the key as the person typed it: a uuid, a number, text, or a
	// composite "tenant_id=7,doc_id=42".
	ID string `json:"id"`
	// Table is "schema.table" or "table" as the person typed it; empty: any.
	Table string `json:"table,omitempty"`
	// Hints are natural keys, such as reference=TTRO-2025-118.
	Hints map[string]string `json:"hints,omitempty"`
}

// KeyPart is one column of a composite id.
type KeyPart struct{ Column, Value string }

// ErrNoRecord is returned for an empty id.
var ErrNoRecord = errors.New("no record id given: name the id that is missing, such as inquest run 42")

// Validate reports an id that nothing could be looked up by.
func (r Record) Validate() error {
	if strings.TrimSpace(r.ID) == "" {
		return ErrNoRecord
	}
	if len(r.ID) > 1024 {
		return fmt.Errorf("record id of %d bytes is longer than the 1024 that an index key could hold: check what was pasted", len(r.ID))
	}
	if i := strings.IndexFunc(r.ID, func(c rune) bool { return c < ' ' || c == 0x7f }); i >= 0 {
		return fmt.Errorf("record id holds a control character at byte %d: check what was pasted", i)
	}
	return nil
}

// Composite returns the parts of an id written as "k=v,k=v", or nil when it is
// not written so.
func (r Record) Composite() []KeyPart {
	var parts []KeyPart
	for piece := range strings.SplitSeq(r.ID, ",") {
		column, value, ok := strings.Cut(piece, "=")
		column = strings.TrimSpace(column)
		if !ok || !isColumnName(column) {
			return nil
		}
		parts = append(parts, KeyPart{Column: column, Value: strings.TrimSpace(value)})
	}
	return parts
}

// Values returns the single values by which the record may be named in a log:
// the id itself, or each value of a composite id.
func (r Record) Values() []string {
	parts := r.Composite()
	if parts == nil {
		return []string{r.ID}
	}
	out := make([]string, 0, len(parts))
	for _, p := range parts {
		out = append(out, p.Value)
	}
	return out
}

// Needles returns the spellings of the record to look for in logs. For a
// composite id these are the spellings of its longest value, restricted by
// nothing: lines must be checked against the other values by the reader.
func (r Record) Needles() []sources.Needle {
	longest := ""
	for _, v := range r.Values() {
		if len(v) > len(longest) {
			longest = v
		}
	}
	return sources.Spellings(longest)
}

func isColumnName(s string) bool {
	for i, c := range s {
		switch {
		case c == '_', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c > 127:
		case i > 0 && (c >= '0' && c <= '9' || c == '$'):
		default:
			return false
		}
	}
	return s != ""
}
