// Package report shows the report as it would be written now.
package report

import (
	"context"
	"fmt"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"inquest/ui/keys"
	"inquest/ui/live"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/task"
	"inquest/ui/theme"
)

// Screen previews the report.
type Screen struct {
	ctx    context.Context
	live   *live.Case
	load   task.Slot
	seen   int
	src    string
	err    error
	loaded bool
	reader parts.Reader
	find   string // what was looked for last

	lines []string // of src, for the width and theme below
	width int
	theme *theme.Theme
}

// New returns the screen.
func New(ctx context.Context, c *live.Case) *Screen { return &Screen{ctx: ctx, live: c} }

// Name is the scope of the screen in the key map.
func (s *Screen) Name() string { return "report" }

// Init writes the report into memory.
func (s *Screen) Init() tea.Cmd {
	s.seen = s.live.Snap.Version
	session := s.live.Session
	return s.load.Start(s.ctx, func(ctx context.Context) (any, error) { return session.Report(ctx) })
}

// Update takes the report, and writes it anew when the case has changed.
func (s *Screen) Update(msg tea.Msg) tea.Cmd {
	if d, ok := msg.(task.Done); ok && s.load.Take(d) {
		s.loaded, s.err = true, d.Err
		if src, ok := d.Value.(string); ok && d.Err == nil {
			s.src, s.lines = src, nil
		}
	}
	if s.seen != s.live.Snap.Version && !s.load.Busy() {
		return s.Init()
	}
	return nil
}

// Actions is what the screen can do.
func (s *Screen) Actions() keys.Table {
	notYet := func() string {
		if s.src == "" {
			return "the report is not there yet"
		}
		return ""
	}
	return append(keys.Table{
		{ID: "export", Keys: []string{"e", "X"}, Title: "Write the report to a file", Short: "write to a file", Run: s.export},
		{ID: "copy", Keys: []string{"y"}, Title: "Copy the report as Markdown", Short: "copy", Disabled: notYet, Run: func() tea.Cmd {
			return nav.Say(nav.Copy{Text: s.src, What: "the report"})
		}},
		{ID: "find", Keys: []string{"/"}, Title: "Find a text, such as E27", Short: "find", Disabled: notYet, Run: s.ask},
		{ID: "find-next", Keys: []string{"n", "]"}, Title: "Go to the next place of the text", Disabled: func() string {
			if s.find == "" {
				return "nothing has been looked for: / finds a text"
			}
			return notYet()
		}, Run: func() tea.Cmd { return s.next(1) }},
	}, parts.Moves(func() parts.Mover { return &s.reader })...)
}

func (s *Screen) ask() tea.Cmd {
	return nav.Say(nav.Dialog{Overlay: &parts.Prompt{Title: "Find", Label: "A text in the report, such as E27 or rolled back.", Input: parts.NewInput(s.find), Do: func(find string) tea.Cmd {
		s.find = strings.TrimSpace(find)
		return s.next(0)
	}}})
}

// next scrolls to the next line that holds what is looked for, from so many
// lines below the first on screen; after the last one it begins anew.
func (s *Screen) next(from int) tea.Cmd {
	if s.find == "" || len(s.lines) == 0 {
		return nil
	}
	want := strings.ToLower(s.find)
	for i := range s.lines {
		at := (s.reader.Top() + from + i) % len(s.lines)
		if strings.Contains(strings.ToLower(ansi.Strip(s.lines[at])), want) {
			s.reader.Select(at)
			return nil
		}
	}
	return nav.Tell("the report does not hold " + s.find)
}

func (s *Screen) export() tea.Cmd {
	return nav.Say(nav.Dialog{Overlay: &parts.Prompt{
		Title: "Write the report", Label: "File to write: .md, .html or .json by its ending. Leave it empty for the default place.",
		Do: func(path string) tea.Cmd { return nav.Say(nav.Export{To: path}) },
	}})
}

// NextAt says what can be done here.
func (s *Screen) NextAt(time.Time) string { return "e writes it to a file, y copies it, esc goes back" }

// View draws the report.
func (s *Screen) View(f nav.Frame) []string {
	in := f.Sized(f.W-2, f.H-3)
	if s.lines == nil || s.width != in.W || s.theme != f.Theme {
		s.lines, s.width, s.theme = parts.Markdown(f.Theme, s.src, in.W), in.W, f.Theme
	}
	lines := s.lines
	switch {
	case s.err != nil:
		lines = parts.Para(in, f.Theme.Bad, " ", "The report could not be made: "+s.err.Error())
	case !s.loaded:
		lines = parts.Para(in, f.Theme.Dim, " ", "Writing the report…")
	}
	body := s.reader.Draw(in.H, lines)
	p := parts.Pane{Title: "Report", Right: "as it would be written now", Focused: true}
	if len(lines) > len(body) {
		p.Foot = fmt.Sprintf("lines %d–%d of %d", s.reader.Top()+1, s.reader.Top()+len(body), len(lines))
	}
	return append([]string{parts.Head{Record: s.live.Snap.State.Record.ID, Title: "Report", Server: s.live.Server()}.Draw(f)}, p.Draw(f.Theme, f.W, f.H-1, body)...)
}
