package record

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"inquest/investigations"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/text"
)

// kinds are the facts that tell a version or its end.
var kinds = []investigations.FactKind{
	investigations.TupleInserted, investigations.TupleUpdated, investigations.TupleDeleted, investigations.TupleRekeyed,
	investigations.XactCommitted, investigations.XactAborted, investigations.RowVisible, investigations.RowFlagged,
	investigations.RowRekeyed, investigations.RowInHistory, investigations.RowNear, investigations.RowElsewhere,
}

// all lists everything that was seen of the record, in order of time, and then
// where it was looked for and is not.
func (s *Screen) all(f nav.Frame) []parts.Section {
	t := f.Theme
	facts := s.live.Snap.Assessment.Facts.Where(func(x investigations.Fact) bool { return slices.Contains(kinds, x.Kind) })
	sort.SliceStable(facts, func(i, j int) bool {
		return !facts[i].Time.IsZero() && (facts[j].Time.IsZero() || facts[i].Time.Before(facts[j].Time))
	})
	var out [][]string
	for _, x := range facts {
		at := text.Blank(14)
		if !x.Time.IsZero() {
			at = text.Pad(x.Time.In(f.Zone).Format("15:04:05.000"), 14)
		}
		one := parts.Para(f, t.Text, " "+at, x.Says+"  "+strings.Join(x.Evidence, " "))
		if sets := x.Attr("sets"); sets != "" {
			one = append(one, parts.Para(f, t.Accent, text.Blank(15)+"changed: ", sets)...)
		}
		out = append(out, one)
	}
	if len(facts) == 0 {
		out = append(out, parts.Para(f, t.Dim, " ", "No version of it has been seen yet."))
	}
	return []parts.Section{{Passages: out}, {Passages: s.absent(f)}}
}

// absent names the tables that were read by the key without a row.
func (s *Screen) absent(f nav.Frame) [][]string {
	var tables []string
	for _, x := range s.live.Snap.Assessment.Facts.Of(investigations.RowAbsent) {
		if table := x.Attr("table"); table != "" && !slices.Contains(tables, table) {
			tables = append(tables, table)
		}
	}
	if len(tables) == 0 {
		return nil
	}
	say := fmt.Sprintf("%d tables were read by the key and hold no such row: %s", len(tables), strings.Join(tables, ", "))
	if len(tables) == 1 {
		say = "1 table was read by the key and holds no such row: " + tables[0]
	}
	return [][]string{parts.Para(f, f.Theme.Dim, " ○ ", say)}
}
