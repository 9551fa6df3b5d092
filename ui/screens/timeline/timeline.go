// Package timeline shows every event of a case in order of time, below a
// histogram that can be zoomed and that shows where nothing was covered.
package timeline

import (
	"fmt"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/investigations"
	"inquest/sources"
	"inquest/ui/keys"
	"inquest/ui/live"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/task"
	"inquest/ui/when"
)

// Screen shows the timeline.
type Screen struct {
	live *live.Case
	now  func() time.Time
	zone *time.Location

	rows parts.Chronicle
	cmd  tea.Cmd // a choice of rows that has still to be made beside the screen
	zoom int     // below zero: a wider base; above: how often the span was halved
	seen int
	bars bars // what the last View counted
	hits parts.Hits
	top  int // the line at which the list begins
}

// New returns the screen; at is an RFC 3339 time to stand at, or "".
func New(c *live.Case, at string, now func() time.Time, zone *time.Location) *Screen {
	s := &Screen{live: c, now: now, zone: zone, rows: parts.Chronicle{Hidden: map[string]bool{}}, seen: -1}
	s.sync()
	if t, err := time.Parse(time.RFC3339Nano, at); err == nil {
		s.rows.Jump(t)
	}
	return s
}

// Name is the scope of the screen in the key map.
func (s *Screen) Name() string { return "timeline" }

// Init has nothing to fetch.
func (s *Screen) Init() tea.Cmd { return s.pending() }

// Update follows the live case.
func (s *Screen) Update(msg tea.Msg) tea.Cmd {
	if d, ok := msg.(task.Done); ok {
		s.rows.Take(d)
	}
	if s.seen != s.live.Snap.Version {
		s.sync()
	}
	return s.pending()
}

func (s *Screen) sync() {
	s.seen = s.live.Snap.Version
	s.cmd = s.rows.Show(s.live.Snap.Events)
}

func (s *Screen) pending() tea.Cmd {
	cmd := s.cmd
	s.cmd = nil
	return cmd
}

// Busy reports whether the rows are being chosen beside the screen.
func (s *Screen) Busy() bool { return s.rows.Busy() }

func (s *Screen) moment() (investigations.Moment, bool) { return s.rows.Selected() }

func (s *Screen) sources() []string { return s.live.Snap.Events.Sources() }

// Actions is what the screen can do.
func (s *Screen) Actions() keys.Table {
	none := func() string {
		if s.rows.Len() == 0 {
			return "there is no event to act on"
		}
		return ""
	}
	t := keys.Table{
		{ID: "open", Keys: []string{"enter"}, Title: "Open the evidence of the event", Short: "evidence", Group: "Look", Disabled: none, Run: s.open},
		{ID: "jump", Keys: []string{"@"}, Title: "Jump to a time", Short: "jump to time", Group: "Look", Disabled: none, Run: s.askTime},
		{ID: "zoom-in", Keys: []string{"+", "="}, Title: "Zoom into the selected event", Short: "zoom", Group: "Look", Run: s.zoomBy(1)},
		{ID: "zoom-out", Keys: []string{"-"}, Title: "Zoom out: to the window, then to all events", Short: "out", Group: "Look", Run: s.zoomBy(-1)},
		{ID: "trace", Keys: []string{"f"}, Title: "Follow the request or trace of the event through all sources, or show all again", Short: "follow", Group: "Look", Disabled: s.cannotFollow, Run: s.follow},
		{ID: "alone", Keys: []string{"o"}, Title: "Show only the source of the event, or all again", Short: "only source", Group: "Look", Disabled: none, Run: s.alone},
		{ID: "filter", Keys: []string{"/"}, Title: "Filter: type a trace id, a source, a word", Short: "filter", Group: "Look", Run: func() tea.Cmd { s.rows.Filter.Open(); return nil }},
	}
	t = append(t, parts.Notable(s.live.Session, func() []investigations.Note { return s.live.Snap.State.Notes }, s.thing)...)
	t = append(t, keys.Action{ID: "copy", Keys: []string{"y"}, Title: "Copy the event", Short: "copy", Group: "Copy", Disabled: none, Run: s.copyIt})
	for i := range 9 {
		t = append(t, keys.Action{
			ID: fmt.Sprintf("source-%d", i+1), Keys: []string{fmt.Sprint(i + 1)}, Title: fmt.Sprintf("Show or hide source %d", i+1), Group: "Sources",
			Disabled: func() string {
				if i >= len(s.sources()) {
					return fmt.Sprintf("there is no source %d", i+1)
				}
				return ""
			},
			Run: func() tea.Cmd { return s.toggle(i) },
		})
	}
	return append(t, parts.Moves(func() parts.Mover { return s.rows.List() })...)
}

func (s *Screen) thing() parts.Thing {
	if m, ok := s.moment(); ok {
		return parts.EventThing(m)
	}
	return parts.Thing{}
}

func (s *Screen) open() tea.Cmd {
	if m, ok := s.moment(); ok && m.Evidence != "" {
		return nav.Say(nav.Show{Page: nav.PageEvidence, Item: m.Evidence})
	}
	return nav.Tell("this event names no evidence")
}

func (s *Screen) askTime() tea.Cmd {
	now, zone := s.now(), s.zone
	if m, ok := s.moment(); ok && !m.Time.IsZero() {
		now = m.Time.Add(time.Hour) // "14:58" means that time on the day that is shown
	}
	check := func(text string) (string, error) {
		r, err := when.Parse(text, now, zone)
		if err == nil && len(r.Ambiguous) > 0 {
			return "", fmt.Errorf("%s: write it as 2025-11-27", r.Echo)
		}
		return r.Echo, err
	}
	return nav.Say(nav.Dialog{Overlay: &parts.Prompt{Title: "Jump to time", Label: "A time such as 14:58:03 or " + when.Examples, Check: check, Do: func(text string) tea.Cmd {
		if r, err := when.Parse(text, now, zone); err == nil {
			s.rows.Jump(r.Time)
		}
		return nil
	}}})
}

func (s *Screen) zoomBy(d int) func() tea.Cmd {
	return func() tea.Cmd {
		s.zoom = max(1-max(len(s.spans()), 1), min(s.zoom+d, 30))
		return nil
	}
}

func (s *Screen) toggle(i int) tea.Cmd {
	names := s.sources()
	if i >= len(names) {
		return nil
	}
	s.rows.Hidden[names[i]] = !s.rows.Hidden[names[i]]
	return s.rows.Refresh()
}

func (s *Screen) cannotFollow() string {
	m, ok := s.moment()
	switch {
	case s.rows.Request != "":
		return ""
	case !ok:
		return "there is no event to act on"
	case m.Request == "":
		return "this event names no request or trace: / filters by a word, o shows its source alone"
	}
	return ""
}

// follow shows the events of one request alone, from whichever source.
func (s *Screen) follow() tea.Cmd {
	m, _ := s.moment()
	if s.rows.Request != "" {
		s.rows.Request = ""
		return s.rows.Refresh()
	}
	s.rows.Request = m.Request
	return s.rows.Refresh()
}

func (s *Screen) alone() tea.Cmd {
	m, ok := s.moment()
	if !ok {
		return nil
	}
	alone := true
	for _, name := range s.sources() {
		alone = alone && (name == m.Source) != s.rows.Hidden[name]
	}
	for _, name := range s.sources() {
		s.rows.Hidden[name] = !alone && name != m.Source
	}
	return s.rows.Refresh()
}

func (s *Screen) copyIt() tea.Cmd {
	m, _ := s.moment()
	at := "time unknown"
	if !m.Time.IsZero() {
		at = m.Time.UTC().Format(time.RFC3339Nano)
	}
	return nav.Say(nav.Copy{Text: at + " " + m.Source + " " + m.Summary, What: "the event"})
}

// Typing reports whether the filter takes the keys.
func (s *Screen) Typing() bool { return s.rows.Filter.Typing() }

// Type hands a key to the filter.
func (s *Screen) Type(k tea.KeyMsg) tea.Cmd { return s.rows.Type(k) }

// Click selects an event; a second click opens its evidence.
func (s *Screen) Click(x, y int) tea.Cmd { return s.hits.Click(x, y) }

// Back clears the filter, then the request that is followed.
func (s *Screen) Back() bool {
	was, cmd := s.rows.Clear()
	s.cmd = cmd
	return was
}

// NextAt says what can be done here.
func (s *Screen) NextAt(time.Time) string {
	switch {
	case s.rows.Busy():
		return "the events are being searched: look around meanwhile"
	case s.rows.Request != "":
		return "one request alone is shown: f or esc shows all again"
	case s.rows.Len() == 0:
		return "press esc: run the checklist with R, or look at the coverage with c"
	}
	return "⏎ opens the evidence, + and - zoom, 1–9 switch sources off and on"
}

func (s *Screen) spans() []sources.Window {
	return parts.Spans(s.live.Snap.Events, s.live.Snap.State.Window)
}

// span is the stretch that the histogram shows: one of the bases, halved around
// the selected event as often as was zoomed.
func (s *Screen) span() sources.Window {
	bases := s.spans()
	if len(bases) == 0 {
		return sources.Window{}
	}
	w := bases[min(max(-s.zoom, 0), len(bases)-1)]
	m, ok := s.moment()
	if s.zoom <= 0 || !ok || m.Time.IsZero() {
		return w
	}
	return sources.Around(m.Time, max(w.To.Sub(w.From)>>(s.zoom+1), time.Millisecond))
}
