package record

import (
	"slices"

	"inquest/investigations"
)

// restoreSQL is the statement that would bring the content back, for reading.
func (s *Screen) restoreSQL(r investigations.Recovered) string {
	return investigations.RestoreSQL(r, s.live.Snap.Assessment.Facts)
}

// columns names the columns that could be read, in order.
func columns(r investigations.Recovered) []string {
	out := make([]string, 0, len(r.Row))
	for c := range r.Row {
		if !slices.Contains(r.Unknown, c) {
			out = append(out, c)
		}
	}
	slices.Sort(out)
	return out
}
