// Package coverage shows what was really read, where the holes are, what each
// source can and cannot do, and when its evidence will be gone.
package coverage

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/sources"
	"inquest/ui/keys"
	"inquest/ui/live"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/text"
)

// Screen shows coverage, clocks and expiry.
type Screen struct {
	live   *live.Case
	reader parts.Reader
	filter parts.Filter
}

// New returns the screen.
func New(c *live.Case) *Screen { return &Screen{live: c} }

// Name is the scope of the screen in the key map.
func (s *Screen) Name() string { return "coverage" }

// Init has nothing to fetch.
func (s *Screen) Init() tea.Cmd { return nil }

// Update follows the live case.
func (s *Screen) Update(tea.Msg) tea.Cmd { return nil }

// Actions is what the screen can do.
func (s *Screen) Actions() keys.Table {
	return append(keys.Table{
		{ID: "copy", Keys: []string{"y"}, Title: "Copy all that would open what could not be seen", Short: "copy the remedies", Run: s.copyIt},
		{ID: "filter", Keys: []string{"/"}, Title: "Filter what is shown: type a source, a privilege, a word", Short: "filter", Run: func() tea.Cmd { s.filter.Open(); return nil }},
	}, parts.Moves(func() parts.Mover { return &s.reader })...)
}

func (s *Screen) copyIt() tea.Cmd {
	var out []string
	for _, src := range s.live.Snap.State.Sources {
		for _, a := range src.Abilities {
			if !a.OK && a.Opens != "" {
				out = append(out, "-- "+src.Source+" "+a.Name+"\n"+a.Opens)
			}
		}
	}
	if len(out) == 0 {
		return nav.Tell("nothing needs to be opened")
	}
	return nav.Say(nav.Copy{Text: strings.Join(out, "\n"), What: "the remedies"})
}

// Typing reports whether the filter takes the keys.
func (s *Screen) Typing() bool { return s.filter.Typing() }

// Type hands a key to the filter.
func (s *Screen) Type(k tea.KeyMsg) tea.Cmd {
	s.filter.Type(k)
	s.reader.Select(0)
	return nil
}

// Back clears the filter.
func (s *Screen) Back() bool { return s.filter.Clear() }

// NextAt says what is most urgent.
func (s *Screen) NextAt(now time.Time) string {
	for _, e := range s.live.Snap.Assessment.Expiring {
		if left := e.At.Sub(now); !e.At.IsZero() && left > 0 {
			return fmt.Sprintf("%s can be gone in %s: collect it before", e.What, parts.Span(left))
		}
	}
	return "y copies the GRANTs and settings that would open the rest"
}

// View draws the sections one below the other.
func (s *Screen) View(f nav.Frame) []string {
	head := parts.Head{Record: s.live.Snap.State.Record.ID, Title: "Coverage", Server: s.live.Server()}.Draw(f)
	in := f.Sized(f.W-2, f.H-3)
	sections := []parts.Section{s.expiry(in), s.spans(in), s.clocks(in)}
	for i, src := range s.live.Snap.State.Sources {
		one := parts.Section{Passages: s.source(in, src)}
		if i == 0 {
			one.Heading = "What each source can answer"
		}
		sections = append(sections, one)
	}
	lines, top := parts.Compose(in, sections, s.filter.Text()), parts.FilterLine(in, &s.filter)
	p := parts.Pane{Title: "Read, not read, and until when", Right: "░ silence there means nothing", Focused: true}
	body := s.reader.Draw(in.H-len(top), lines)
	if len(lines) > len(body) {
		p.Foot = fmt.Sprintf("lines %d–%d of %d", s.reader.Top()+1, s.reader.Top()+len(body), len(lines))
	}
	return append([]string{head}, p.Draw(f.Theme, f.W, f.H-1, append(top, body...))...)
}

func (s *Screen) expiry(f nav.Frame) parts.Section {
	all := s.live.Snap.Assessment.Expiring
	out := parts.Section{Heading: "Gone soon"}
	for _, e := range all {
		when, st := "at an unknown moment", f.Theme.Weak
		if !e.At.IsZero() {
			when = parts.Ago(e.At, f.Now) + ", " + e.At.In(f.Zone).Format("2 Jan 15:04 MST")
			switch left := e.At.Sub(f.Now); {
			case left < 0:
				when, st = "may be gone since "+e.At.In(f.Zone).Format("2 Jan 15:04 MST"), f.Theme.Dim
			case left < time.Hour:
				st = f.Theme.Bad
			}
		}
		out.Passages = append(out.Passages, parts.Para(f, st, " ⚠ ", e.What+": "+when+" · "+e.Why))
	}
	return out
}

func (s *Screen) spans(f nav.Frame) parts.Section {
	all := merged(s.live.Snap.Assessment.Coverage)
	out := parts.Section{Heading: "What was read"}
	if len(all) == 0 {
		out.Passages = [][]string{parts.Para(f, f.Theme.Dim, " ", "Nothing has been read yet: run the checklist with R.")}
	}
	span := s.live.Snap.State.Window
	for _, c := range all {
		out.Passages = append(out.Passages, s.span(f, c, span))
	}
	return out
}

func (s *Screen) span(f nav.Frame, c sources.Coverage, window sources.Window) []string {
	t := f.Theme
	stretch := "read, but it carries no times"
	if !c.From.IsZero() {
		stretch = c.From.In(f.Zone).Format("2 Jan 15:04:05") + " – " + c.To.In(f.Zone).Format("2 Jan 15:04:05 MST")
	}
	if c.ZoneUnknown {
		stretch += " ⚠ written without a zone: --tz settles it"
	}
	l := parts.NewLine(f.W).Add(t.Text, " ").Cell(t.Strong, text.Source(c.Source, min(28, f.W/4)), min(28, f.W/4)).Add(t.Text, " "+stretch)
	if c.Lines > 0 {
		l.Add(t.Dim, fmt.Sprintf(" · %d lines", c.Lines))
	}
	if c.Unparsed > 0 {
		l.Add(t.Weak, fmt.Sprintf(" · ⚠ %d not understood", c.Unparsed))
	}
	out := []string{l.String()}
	if window.IsZero() {
		window = sources.Window{From: c.From, To: c.To}
	}
	if cells := parts.Histogram([]sources.Coverage{c}, nil, window, f.W-6); len(cells) > 0 {
		out = append(out, parts.AddBars(parts.NewLine(f.W).Add(t.Text, "   "), t, cells).String())
	}
	for _, g := range c.Gaps {
		out = append(out, parts.Para(f, t.Gap, "   ░ gap ", g.From.In(f.Zone).Format("2 Jan 15:04:05")+" – "+g.To.In(f.Zone).Format("15:04:05 MST")+": "+g.Reason)...)
	}
	for _, limit := range c.Limits {
		out = append(out, parts.Para(f, t.Weak, "   ⚠ ", limit)...)
	}
	return out
}

// source says what a source can answer.
func (s *Screen) source(f nav.Frame, src sources.Status) [][]string {
	t := f.Theme
	mark := t.Source(src.State)
	first := []string{parts.NewLine(f.W).Add(t.Text, " ").Add(mark.Style, mark.Glyph+" "+mark.Word+" ").Clean(t.Strong, src.Source).Add(t.Dim, "  ").Clean(t.Text, src.Summary).String()}
	if src.Problem != "" {
		first = append(first, parts.Para(f, t.Bad, "   ", src.Problem)...)
	}
	out := [][]string{first}
	for _, a := range src.Abilities {
		if a.OK {
			out = append(out, parts.Para(f, t.Good, "   ✓ can ", a.Name))
			continue
		}
		lines := parts.Para(f, t.Blind, "   ⊘ cannot ", a.Name+": "+a.Why)
		if a.Opens != "" {
			lines = append(lines, parts.Para(f, t.Key, "     → ", a.Opens)...)
		}
		out = append(out, lines)
	}
	return out
}

// Counts reports whether some evidence will be gone at a known moment: the
// screen then shows how long it still is.
func (s *Screen) Counts(now time.Time) bool {
	return slices.ContainsFunc(s.live.Snap.Assessment.Expiring, func(e sources.Expiry) bool { return e.At.After(now) })
}
