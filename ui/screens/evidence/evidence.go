// Package evidence shows one evidence item: what was asked, where it stood, the
// bytes as stored and their hash; and lets one go through all of them.
package evidence

import (
	"fmt"
	"slices"
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

// Screen shows the evidence of a case.
type Screen struct {
	live *live.Case
	id   string // of the item on screen
	raw  bool

	list    parts.List
	filter  parts.Filter
	reader  parts.Reader
	reading bool // the body has the keys, not the list

	lines linesKey
	body  []bodyLine
}

// New returns the screen. With an id it opens that item, else the list, filtered
// by find when that is given.
func New(c *live.Case, id, find string) *Screen {
	s := &Screen{live: c, id: id, reading: id != ""}
	s.filter.Set(find)
	s.sync()
	s.list.Select(slices.IndexFunc(c.Snap.State.Evidence, func(e investigations.Evidence) bool { return e.ID == id }))
	return s
}

// Name is the scope of the screen in the key map.
func (s *Screen) Name() string { return "evidence" }

// Init has nothing to fetch.
func (s *Screen) Init() tea.Cmd { return nil }

// Update follows the live case.
func (s *Screen) Update(tea.Msg) tea.Cmd { s.sync(); return nil }

func (s *Screen) sync() {
	all := s.live.Snap.State.Evidence
	s.filter.Apply(parts.Texts{N: len(all), At: func(i int) string {
		return all[i].ID + " " + all[i].Source + " " + all[i].Kind + " " + all[i].Tag + " " + all[i].Query
	}})
	s.list.SetLen(s.filter.Len(len(all)))
}

func (s *Screen) item() (investigations.Evidence, bool) {
	all := s.live.Snap.State.Evidence
	i := s.filter.At(s.list.Cursor())
	if i < 0 || i >= len(all) || s.list.Len() == 0 {
		return investigations.Evidence{}, false
	}
	return all[i], true
}

// Actions is what the screen can do.
func (s *Screen) Actions() keys.Table {
	none := func() string {
		if _, ok := s.item(); !ok {
			return "there is no evidence yet"
		}
		return ""
	}
	t := keys.Table{
		{ID: "open", Keys: []string{"enter", "tab", "right", "l"}, Title: "Read the selected item, or go back to the list", Short: "read", Group: "Look", Disabled: none, Run: func() tea.Cmd { s.reading = !s.reading; return nil }},
		{ID: "next", Keys: []string{"]", "N"}, Title: "Show the next item", Short: "next", Group: "Look", Disabled: none, Run: func() tea.Cmd { s.list.Move(1); return nil }},
		{ID: "previous", Keys: []string{"[", "P"}, Title: "Show the item before", Short: "before", Group: "Look", Disabled: none, Run: func() tea.Cmd { s.list.Move(-1); return nil }},
		{ID: "raw", Keys: []string{"v"}, Title: "Show the bytes as stored, or decoded", Short: "raw/decoded", Group: "Look", Disabled: none, Run: func() tea.Cmd { s.raw = !s.raw; return nil }},
		{ID: "copy", Keys: []string{"y"}, Title: "Copy the bytes as stored", Short: "copy", Group: "Copy", Disabled: none, Run: s.copyText(func(e investigations.Evidence) (string, string) { return e.Body, "the body of " + e.ID })},
		{ID: "copy-query", Keys: []string{"Y"}, Title: "Copy the statement or command that finds the same", Short: "copy query", Group: "Copy", Disabled: none, Run: s.copyText(func(e investigations.Evidence) (string, string) { return e.Query, "the query of " + e.ID })},
		{ID: "copy-hash", Keys: []string{"#"}, Title: "Copy the SHA-256", Group: "Copy", Disabled: none, Run: s.copyText(func(e investigations.Evidence) (string, string) { return e.SHA256, "the hash of " + e.ID })},
		{ID: "filter", Keys: []string{"/"}, Title: "Filter the list", Short: "filter", Group: "Look", Disabled: none, Run: func() tea.Cmd { s.reading = false; s.filter.Open(); return nil }},
	}
	t = append(t, parts.Notable(s.live.Session, s.notes, s.thing)...)
	return append(t, parts.Moves(s.mover)...)
}

func (s *Screen) mover() parts.Mover {
	if s.reading {
		return &s.reader
	}
	return &s.list
}

func (s *Screen) copyText(of func(investigations.Evidence) (string, string)) func() tea.Cmd {
	return func() tea.Cmd {
		e, _ := s.item()
		t, what := of(e)
		return nav.Say(nav.Copy{Text: t, What: what})
	}
}

func (s *Screen) thing() parts.Thing {
	if e, ok := s.item(); ok {
		return parts.Thing{ID: e.ID, Title: "evidence " + e.ID}
	}
	return parts.Thing{}
}

func (s *Screen) notes() []investigations.Note { return s.live.Snap.State.Notes }

// Typing reports whether the filter takes the keys.
func (s *Screen) Typing() bool { return s.filter.Typing() }

// Type hands a key to the filter.
func (s *Screen) Type(k tea.KeyMsg) tea.Cmd { s.filter.Type(k); s.sync(); return nil }

// Back clears the filter.
func (s *Screen) Back() bool { was := s.filter.Clear(); s.sync(); return was }

// NextAt says what can be done here.
func (s *Screen) NextAt(time.Time) string {
	if s.list.Len() == 0 {
		return "press esc and run the checklist with R"
	}
	if s.reading {
		return "↑↓ scroll, ] and [ go to the items beside, esc goes back"
	}
	return "press ⏎ to read the selected item"
}

// View draws the item, with the list beside it where there is room.
func (s *Screen) View(f nav.Frame) []string {
	st := s.live.Snap.State
	head := parts.Head{Record: st.Record.ID, Title: "Evidence", Count: fmt.Sprintf("%d items", len(st.Evidence)), Server: s.live.Server()}.Draw(f)
	body := f.Sized(f.W, f.H-1)
	if f.W >= 100 {
		left := min(max(f.W*3/10, 34), 56)
		return append([]string{head}, parts.Beside(s.drawList(body.Sized(left, body.H)), s.drawItem(body.Sized(f.W-left, body.H)))...)
	}
	if s.reading {
		return append([]string{head}, s.drawItem(body)...)
	}
	return append([]string{head}, s.drawList(body)...)
}

func (s *Screen) drawList(f nav.Frame) []string {
	in := f.Sized(f.W-2, f.H-2)
	lines := parts.FilterLine(in, &s.filter)
	all := s.live.Snap.State.Evidence
	if s.list.Len() == 0 {
		lines = append(lines, parts.Para(in, f.Theme.Dim, " ", "Nothing here yet.")...)
	}
	lines = append(lines, s.list.Draw(in.H-len(lines), func(i int, selected bool) string {
		e := all[s.filter.At(i)]
		l, marker, flag := parts.NewLine(in.W), "  ", " "
		if parts.Marked(s.notes(), e.ID) {
			flag = "⚑"
		}
		if selected {
			marker = "▸ "
			if !s.reading {
				l = parts.Row(in.W, &f.Theme.Selected)
			}
		}
		return l.Add(f.Theme.Key, marker).Cell(f.Theme.Strong, e.ID, 5).Add(f.Theme.Key, flag).Cell(f.Theme.Dim, text.Source(e.Source, 14), 14).
			Add(f.Theme.Text, " ").Clean(f.Theme.Text, about(e)).String()
	})...)
	return parts.Pane{Title: "All evidence", Focused: !s.reading}.Draw(f.Theme, f.W, f.H, lines)
}

// about says in a line what an item is about: its own subject, which the names
// of statements hide behind their beginnings, and the query.
func about(e investigations.Evidence) string {
	if e.Tag != "" && e.Kind != investigations.EvidenceLineage {
		return e.Tag + "  " + firstLine(e.Query)
	}
	return firstLine(e.Query)
}

func firstLine(s string) string {
	s = strings.TrimSpace(s)
	line, _, _ := strings.Cut(s, "\n")
	return line
}
