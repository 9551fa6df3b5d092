// Package record shows the record itself: the versions that were seen, what
// changed from one to the next, the content that could be recovered and the SQL
// that would bring it back. The SQL is only shown, never run.
package record

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/investigations"
	"inquest/ui/keys"
	"inquest/ui/live"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/text"
)

// Screen shows the record.
type Screen struct {
	live   *live.Case
	reader parts.Reader
}

// New returns the screen.
func New(c *live.Case) *Screen { return &Screen{live: c} }

// Name is the scope of the screen in the key map.
func (s *Screen) Name() string { return "record" }

// Init has nothing to fetch.
func (s *Screen) Init() tea.Cmd { return nil }

// Update follows the live case.
func (s *Screen) Update(tea.Msg) tea.Cmd { return nil }

// Actions is what the screen can do.
func (s *Screen) Actions() keys.Table {
	none := func() string {
		if s.live.Snap.Assessment.Recovered == nil {
			return "no content has been recovered"
		}
		return ""
	}
	return append(keys.Table{
		{ID: "copy-sql", Keys: []string{"y"}, Title: "Copy the SQL that would bring it back", Short: "copy restore SQL", Disabled: none, Run: func() tea.Cmd {
			return nav.Say(nav.Copy{Text: RestoreSQL(*s.live.Snap.Assessment.Recovered), What: "the restore SQL"})
		}},
		{ID: "copy-id", Keys: []string{"Y"}, Title: "Copy the record id", Short: "copy id", Run: func() tea.Cmd {
			return nav.Say(nav.Copy{Text: s.live.Snap.State.Record.ID, What: "the record id"})
		}},
	}, parts.Moves(func() parts.Mover { return &s.reader })...)
}

// NextAt says what can be done here.
func (s *Screen) NextAt(time.Time) string {
	if s.live.Snap.Assessment.Recovered == nil {
		return "run step 9, Rollback mechanisms, to look for its content"
	}
	return "y copies the SQL; check constraints and triggers before you run it by hand"
}

// View draws the sections one below the other.
func (s *Screen) View(f nav.Frame) []string {
	snap := s.live.Snap
	head := parts.Head{Record: snap.State.Record.ID, Title: "Record", Count: text.Clean(snap.Table), Server: s.live.Server()}.Draw(f)
	in := f.Sized(f.W-2, f.H-3)
	lines := s.versions(in)
	lines = append(lines, s.recovered(in)...)
	return append([]string{head}, parts.Pane{Title: "Versions and content", Focused: true}.Draw(f.Theme, f.W, f.H-1, s.reader.Draw(in.H, lines))...)
}

func heading(f nav.Frame, s string) string {
	return parts.NewLine(f.W).Add(f.Theme.Text, " ").Add(f.Theme.Heading, s).String()
}

// kinds are the facts that tell a version or its end.
var kinds = []investigations.FactKind{
	investigations.TupleInserted, investigations.TupleUpdated, investigations.TupleDeleted, investigations.TupleRekeyed,
	investigations.XactCommitted, investigations.XactAborted, investigations.RowVisible, investigations.RowFlagged,
	investigations.RowInHistory, investigations.RowNear, investigations.RowElsewhere, investigations.RowAbsent,
}

func (s *Screen) versions(f nav.Frame) []string {
	t := f.Theme
	out := []string{heading(f, "What was seen of it")}
	facts := s.live.Snap.Assessment.Facts.Where(func(x investigations.Fact) bool { return slices.Contains(kinds, x.Kind) })
	sort.SliceStable(facts, func(i, j int) bool {
		return !facts[i].Time.IsZero() && facts[i].Time.Before(facts[j].Time)
	})
	for _, x := range facts {
		at := text.Blank(14)
		if !x.Time.IsZero() {
			at = text.Pad(x.Time.In(f.Zone).Format("15:04:05.000"), 14)
		}
		out = append(out, parts.Para(f, t.Text, " "+at, x.Says+"  "+strings.Join(x.Evidence, " "))...)
		if sets := x.Attr("sets"); sets != "" {
			out = append(out, parts.Para(f, t.Accent, text.Blank(15)+"changed: ", sets)...)
		}
	}
	if len(facts) == 0 {
		out = append(out, parts.Para(f, t.Dim, " ", "No version of it has been seen yet.")...)
	}
	return append(out, text.Blank(f.W))
}

func (s *Screen) recovered(f nav.Frame) []string {
	t := f.Theme
	out := []string{heading(f, "Content recovered")}
	r := s.live.Snap.Assessment.Recovered
	if r == nil {
		return append(out, parts.Para(f, t.Dim, " ", "Nothing has been recovered. It is looked for in WAL, dead row versions, history tables and logs.")...)
	}
	out = append(out, parts.Para(f, t.Dim, " ", fmt.Sprintf("%s, read from %s  %s", r.Table, r.Origin, strings.Join(r.Evidence, " ")))...)
	name := 4
	for _, c := range columns(*r) {
		name = min(max(name, text.Width(c)), f.W/3)
	}
	for _, c := range columns(*r) {
		lead := "   " + text.Pad(text.Clean(c), name) + "  "
		if v := r.Row[c]; v != nil {
			out = append(out, parts.Para(f, t.Text, lead, *v)...)
		} else {
			out = append(out, parts.Para(f, t.Dim, lead, "NULL")...)
		}
	}
	for _, c := range r.Unknown {
		out = append(out, parts.Para(f, t.Blind, "   "+text.Pad(text.Clean(c), name)+"  ", "⊘ could not be read")...)
	}
	out = append(out, text.Blank(f.W), heading(f, "SQL that would bring it back (never run by inquest)"))
	for _, line := range text.Lines(RestoreSQL(*r)) {
		out = append(out, parts.Para(f, t.Accent, "   ", line)...)
	}
	return out
}

func columns(r investigations.Recovered) []string {
	out := make([]string, 0, len(r.Row))
	for c := range r.Row {
		out = append(out, c)
	}
	slices.Sort(out)
	return out
}

// RestoreSQL writes the recovered content as one INSERT in a transaction that
// rolls back: the person changes that word after reading what it does. Columns
// that could not be read are named in a comment.
func RestoreSQL(r investigations.Recovered) string {
	var names, values []string
	for _, c := range columns(r) {
		names = append(names, identifier(c))
		if v := r.Row[c]; v == nil {
			values = append(values, "NULL")
		} else {
			values = append(values, literal(*v))
		}
	}
	out := "BEGIN;\n"
	for _, c := range r.Unknown {
		out += "-- could not be read and is left to its default: " + text.Clean(c) + "\n"
	}
	return out + "INSERT INTO " + tableName(r.Table) + " (" + strings.Join(names, ", ") + ")\nVALUES (" + strings.Join(values, ", ") + ");\nROLLBACK; -- COMMIT once you have read what it did"
}

// tableName quotes schema and table unless the text is quoted already.
func tableName(s string) string {
	if strings.Contains(s, `"`) {
		return text.Clean(s)
	}
	schema, table, ok := strings.Cut(s, ".")
	if !ok {
		return identifier(s)
	}
	return identifier(schema) + "." + identifier(table)
}

func identifier(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// literal writes a string that means the same whatever the server's
// standard_conforming_strings is.
func literal(s string) string {
	quoted := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, `\`) {
		return "E" + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}
