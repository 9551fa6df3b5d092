// Package record shows the record itself: its versions and what changed from
// one to the next, the content of each, the SQL that would bring it back, and
// everything that was seen of it. The SQL is only shown, never run.
package record

import (
	"fmt"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/investigations"
	"inquest/ui/keys"
	"inquest/ui/live"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/text"
	"inquest/ui/theme"
)

// view is what the lower pane shows of the selected version.
type view int

const (
	viewChanges view = iota
	viewContent
	viewSQL
	viewSeen
	views
)

var viewNames = [views]string{"What changed", "Content", "SQL that would bring it back (never run by inquest)", "Everything that was seen of it"}

// Screen shows the record.
type Screen struct {
	live *live.Case

	seen     int
	versions []investigations.Version
	list     parts.List
	view     view
	below    bool // the lower pane has the keys
	readers  [views]parts.Reader
	filter   parts.Filter // of the lower pane
	laid     laid
}

// laid are the lines of the lower pane, kept while nothing changed.
type laid struct {
	version, at, width int
	view               view
	theme              *theme.Theme
	pattern            string
	lines              []string
}

// New returns the screen.
func New(c *live.Case) *Screen {
	s := &Screen{live: c, seen: -1}
	s.sync()
	_, recovered := s.content()
	switch {
	case len(s.versions) > 0:
	case recovered:
		s.view = viewContent
	default:
		s.view = viewSeen
	}
	return s
}

// Name is the scope of the screen in the key map.
func (s *Screen) Name() string { return "record" }

// Init has nothing to fetch.
func (s *Screen) Init() tea.Cmd { return nil }

// Update follows the live case.
func (s *Screen) Update(tea.Msg) tea.Cmd { s.sync(); return nil }

func (s *Screen) sync() {
	if s.seen == s.live.Snap.Version {
		return
	}
	s.seen = s.live.Snap.Version
	s.versions = s.live.Snap.Versions
	s.list.SetLen(len(s.versions))
}

func (s *Screen) version() (investigations.Version, bool) {
	if i := s.list.Cursor(); i < len(s.versions) {
		return s.versions[i], true
	}
	return investigations.Version{}, false
}

// content is what would be restored: the selected version, else what was
// recovered.
func (s *Screen) content() (investigations.Recovered, bool) {
	if v, ok := s.version(); ok && v.Row != nil && v.From != "reference" {
		return investigations.Recovered{Table: v.Table, Row: v.Row, Origin: v.From, Unknown: v.Unknown, Evidence: []string{v.Evidence}}, true
	}
	if r := s.live.Snap.Assessment.Recovered; r != nil {
		return *r, true
	}
	return investigations.Recovered{}, false
}

// Actions is what the screen can do.
func (s *Screen) Actions() keys.Table {
	none := func() string {
		if _, ok := s.content(); !ok {
			return "no content has been recovered"
		}
		return ""
	}
	noVersion := func() string {
		if len(s.versions) == 0 {
			return "no version of it has been seen"
		}
		return ""
	}
	show := func(v view) func() tea.Cmd { return func() tea.Cmd { s.view = v; return nil } }
	filter := func() tea.Cmd { s.filter.Open(); return nil }
	t := keys.Table{
		{ID: "next-view", Keys: []string{"v", "right", "l"}, Title: "Show the next: what changed, content, restore SQL, all that was seen", Short: "changes/content/SQL", Group: "Look", Run: s.turn(1)},
		{ID: "previous-view", Keys: []string{"left", "h"}, Title: "Show the one before", Group: "Look", Run: s.turn(-1)},
		{ID: "pane", Keys: []string{"tab"}, Title: "Go to the other pane", Short: "pane", Group: "Look", Run: func() tea.Cmd { s.below = !s.below; return nil }},
		{ID: "open", Keys: []string{"enter"}, Title: "Open the evidence of the selected version", Short: "evidence", Group: "Look", Disabled: noVersion, Run: s.open},
		{ID: "copy-sql", Keys: []string{"y"}, Title: "Copy the SQL that would bring the selected version back", Short: "copy restore SQL", Group: "Copy", Disabled: none, Run: func() tea.Cmd {
			r, _ := s.content()
			return nav.Say(nav.Copy{Text: s.restoreSQL(r), What: "the restore SQL"})
		}},
		{ID: "filter", Keys: []string{"/"}, Title: "Filter what is shown of the record: type a column, a word", Short: "filter", Group: "Look", Run: filter},
		{ID: "copy-id", Keys: []string{"Y"}, Title: "Copy the record id", Short: "copy id", Group: "Copy", Run: func() tea.Cmd {
			return nav.Say(nav.Copy{Text: s.live.Snap.State.Record.ID, What: "the record id"})
		}},
		{ID: "changes", Keys: []string{"1"}, Title: "Show what changed", Group: "Look", Run: show(viewChanges)},
		{ID: "content", Keys: []string{"2"}, Title: "Show the content", Group: "Look", Run: show(viewContent)},
		{ID: "sql", Keys: []string{"3", "s"}, Title: "Show the SQL that would bring it back", Group: "Look", Run: show(viewSQL)},
		{ID: "seen", Keys: []string{"4"}, Title: "Show everything that was seen of it", Group: "Look", Run: show(viewSeen)},
	}
	t = append(t, parts.Notable(s.live.Session, func() []investigations.Note { return s.live.Snap.State.Notes }, s.thing)...)
	return append(t, parts.Moves(s.mover)...)
}

func (s *Screen) mover() parts.Mover {
	if s.below || len(s.versions) == 0 {
		return &s.readers[s.view]
	}
	return &s.list
}

func (s *Screen) turn(d int) func() tea.Cmd {
	return func() tea.Cmd {
		s.view = (s.view + view(d) + views) % views
		return nil
	}
}

func (s *Screen) thing() parts.Thing {
	v, ok := s.version()
	if !ok {
		return parts.Thing{ID: "record", Title: "the record"}
	}
	id := fmt.Sprintf("version:%s %s xid %d %s", v.Table, v.Op, v.XID, v.TID)
	return parts.Thing{ID: id, Title: "this version"}
}

func (s *Screen) open() tea.Cmd {
	v, _ := s.version()
	return nav.Say(nav.Show{Page: nav.PageEvidence, Item: v.Evidence})
}

// Typing reports whether the filter takes the keys.
func (s *Screen) Typing() bool { return s.filter.Typing() }

// Type hands a key to the filter.
func (s *Screen) Type(k tea.KeyMsg) tea.Cmd {
	s.filter.Type(k)
	s.readers[s.view].Select(0)
	return nil
}

// Back clears the filter.
func (s *Screen) Back() bool { return s.filter.Clear() }

// NextAt says what can be done here.
func (s *Screen) NextAt(time.Time) string {
	if _, ok := s.content(); ok {
		return "v shows content and SQL; y copies the SQL, which inquest never runs"
	}
	if len(s.live.Snap.State.Runs) == 0 {
		return "press esc and run the checklist with R: it looks for the content too"
	}
	return "its content was not found: esc, then c says what could not be read"
}

// View draws the versions above what is shown of the selected one.
func (s *Screen) View(f nav.Frame) []string {
	snap := s.live.Snap
	out := []string{parts.Head{Record: snap.State.Record.ID, Title: "Record", Count: text.Clean(snap.Table), Server: s.live.Server()}.Draw(f)}
	if n := len(s.versions); n > 0 {
		h := min(n+2, max(f.H/3, 4))
		in := f.Sized(f.W-2, h-2)
		p := parts.Pane{Title: fmt.Sprintf("Versions · %d", n), Right: "as written, oldest first", Focused: !s.below}
		if n > in.H {
			p.Foot = fmt.Sprintf("%d of %d", s.list.Cursor()+1, n)
		}
		out = append(out, p.Draw(f.Theme, f.W, h, s.list.Draw(in.H, func(i int, selected bool) string { return s.row(in, s.versions[i], selected) }))...)
	}
	rest := f.Sized(f.W, f.H-len(out))
	in := rest.Sized(f.W-2, rest.H-2)
	lines, top := s.lines(in), parts.FilterLine(in, &s.filter)
	r := &s.readers[s.view]
	body := r.Draw(in.H-len(top), lines)
	p := parts.Pane{Title: fmt.Sprintf("%d/%d %s", s.view+1, int(views), viewNames[s.view]), Focused: s.below || len(s.versions) == 0}
	if len(lines) > len(body) {
		p.Foot = fmt.Sprintf("lines %d–%d of %d", r.Top()+1, r.Top()+len(body), len(lines))
	}
	return append(out, p.Draw(f.Theme, f.W, rest.H, append(top, body...))...)
}

func (s *Screen) row(f nav.Frame, v investigations.Version, selected bool) string {
	t := f.Theme
	var whole *theme.Style
	marker := "  "
	if selected {
		marker = "▸ "
		if !s.below {
			whole = &t.Selected
		}
	}
	at := parts.MomentTime(investigations.Moment{Time: v.Time, Until: v.Until}, f.Zone)
	l := parts.Row(f.W, whole).Add(t.Key, marker).Cell(t.Accent, at, 18).Add(t.Text, " ").Cell(t.Dim, v.From, 9).Add(t.Text, " ").Cell(t.Strong, text.Clean(v.Op), 11).Add(t.Text, " ")
	if v.XID != 0 {
		st := t.Text
		if v.End != "committed" {
			st = t.Finding
		}
		l.Add(t.Text, fmt.Sprintf("xid %d ", v.XID)).Clean(st, endWords(v.End)).Add(t.Text, "  ")
	}
	tail := v.Evidence + " "
	return l.Clean(t.Dim, text.Fit(text.Clean(v.Table+" "+v.TID), l.Left()-text.Width(tail)-1)).Right(t.Dim, tail).String()
}

func endWords(end string) string {
	switch end {
	case "":
		return "· end not known"
	case "aborted":
		return "→ ROLLED BACK"
	default:
		return "→ " + end
	}
}

// lines lays the lower pane out, once for each version, view, width and theme.
func (s *Screen) lines(f nav.Frame) []string {
	key := laid{version: s.seen, at: s.list.Cursor(), width: f.W, view: s.view, theme: f.Theme, pattern: s.filter.Text()}
	if k := s.laid; k.lines != nil && k.pattern == key.pattern && k.version == key.version && k.at == key.at && k.width == key.width && k.view == key.view && k.theme == key.theme {
		return k.lines
	}
	var sections []parts.Section
	switch s.view {
	case viewChanges:
		sections = s.changes(f)
	case viewContent:
		sections = s.recovered(f)
	case viewSQL:
		sections = s.sql(f)
	default:
		sections = s.all(f)
	}
	key.lines = parts.Compose(f, sections, key.pattern)
	s.laid = key
	return key.lines
}

// before returns the newest earlier version of the same table with content.
func (s *Screen) before() (investigations.Version, bool) {
	v, _ := s.version()
	for i := s.list.Cursor() - 1; i >= 0; i-- {
		if o := s.versions[i]; o.Table == v.Table && o.Row != nil {
			return o, true
		}
	}
	return investigations.Version{}, false
}

func (s *Screen) changes(f nav.Frame) []parts.Section {
	t := f.Theme
	v, ok := s.version()
	old, had := s.before()
	switch {
	case !ok:
		return said(parts.Para(f, t.Dim, " ", "No version of it has been seen yet."))
	case v.Row == nil:
		return said(parts.Para(f, t.Dim, " ", "The content of this version is not known; 4 shows everything that was seen."))
	case !had:
		first := "This is the first version that was seen, so there is nothing to compare it with. It holds:"
		return append(said(parts.Para(f, t.Text, " ", first)), s.recovered(f)...)
	}
	diff := investigations.Diff(old, v)
	if len(diff) == 0 {
		return said(parts.Para(f, t.Text, " ", fmt.Sprintf("No column differs from the version before (%s of xid %d).", old.Op, old.XID)))
	}
	out := said(parts.Para(f, t.Dim, " ", fmt.Sprintf("against the %s of xid %d: %d of %d columns differ", old.Op, old.XID, len(diff), len(v.Row))))
	for _, c := range diff {
		one := parts.Para(f, t.Strong, " ", c.Column)
		one = append(one, parts.Para(f, t.Bad, "   − was  ", cell(c.Before, c.Had))...)
		one = append(one, parts.Para(f, t.Good, "   + is   ", cell(c.After, c.Has))...)
		out[0].Passages = append(out[0].Passages, one)
	}
	return out
}

func cell(v *string, has bool) string {
	switch {
	case !has:
		return "(no such column)"
	case v == nil:
		return "NULL"
	case *v == "":
		return "'' (empty)"
	}
	return *v
}

// said is a text of one passage.
func said(lines []string) []parts.Section { return []parts.Section{{Passages: [][]string{lines}}} }

func (s *Screen) recovered(f nav.Frame) []parts.Section {
	t := f.Theme
	r, ok := s.content()
	if !ok {
		return said(parts.Para(f, t.Dim, " ", "Nothing has been recovered. It is looked for in WAL, dead row versions, history tables and logs."))
	}
	out := [][]string{parts.Para(f, t.Dim, " ", fmt.Sprintf("%s, read from %s  %s", r.Table, r.Origin, strings.Join(r.Evidence, " ")))}
	name := 4
	for _, c := range columns(r) {
		name = min(max(name, text.Width(text.Clean(c))), f.W/3)
	}
	for _, c := range columns(r) {
		lead := "   " + text.Pad(text.Clean(c), name) + "  "
		if v := r.Row[c]; v != nil {
			out = append(out, parts.Para(f, t.Text, lead, *v))
		} else {
			out = append(out, parts.Para(f, t.Dim, lead, "NULL"))
		}
	}
	for _, c := range r.Unknown {
		out = append(out, parts.Para(f, t.Blind, "   "+text.Pad(text.Clean(c), name)+"  ", "⊘ could not be read"))
	}
	return []parts.Section{{Passages: out}}
}

func (s *Screen) sql(f nav.Frame) []parts.Section {
	r, ok := s.content()
	if !ok {
		return said(parts.Para(f, f.Theme.Dim, " ", "No content has been recovered, so there is nothing to bring back."))
	}
	warning := parts.Para(f, f.Theme.Weak, " ⚠ ", "inquest only shows this. It ends with ROLLBACK: read what triggers, constraints and referring rows make of it before you change that word.")
	var sql [][]string
	for _, line := range text.Lines(s.restoreSQL(r)) {
		sql = append(sql, parts.Para(f, f.Theme.Accent, "   ", line))
	}
	return append(said(warning), parts.Section{Passages: sql})
}
