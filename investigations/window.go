package investigations

import (
	"time"

	"inquest/sources"
)

// DeriveWindow works out the time that matters when none was given: from the
// id itself, else from the earliest fact that shows the record being created.
// It reports false when nothing tells.
func DeriveWindow(r Record, facts Facts) (sources.Window, string, bool) {
	const around = 30 * time.Minute
	if t, how, ok := TimeInID(r.ID); ok {
		return sources.Around(t, around), how, true
	}
	var first Fact
	for _, f := range facts {
		switch f.Kind {
		case IDIssued, TupleInserted, APIAnswer:
			if f.Attr("asked") == "now" { // an answer to inquest itself
				continue
			}
			if !f.Time.IsZero() && (first.Time.IsZero() || f.Time.Before(first.Time)) {
				first = f
			}
		}
	}
	if first.Time.IsZero() {
		return sources.Window{}, "", false
	}
	return sources.Around(first.Time, around), "from: " + first.Says, true
}
