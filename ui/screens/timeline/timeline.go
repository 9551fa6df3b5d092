// Package timeline shows every event of a case in order of time, above a
// histogram that can be zoomed and that shows where nothing was covered.
package timeline

import (
	"fmt"
	"maps"
	"slices"
	"sort"
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

	on     []int // moments of the sources that are switched on
	rows   []int // of them, those that are shown
	search tea.Cmd
	list   parts.List
	filter parts.Filter
	hidden map[string]bool
	zoom   int // how often the span was halved
	seen   int
}

// New returns the screen; at is an RFC 3339 time to stand at, or "".
func New(c *live.Case, at string, now func() time.Time, zone *time.Location) *Screen {
	s := &Screen{live: c, now: now, zone: zone, hidden: map[string]bool{}, seen: -1}
	s.sync()
	if t, err := time.Parse(time.RFC3339Nano, at); err == nil {
		s.jump(t)
	}
	return s
}

// Name is the scope of the screen in the key map.
func (s *Screen) Name() string { return "timeline" }

// Init has nothing to fetch.
func (s *Screen) Init() tea.Cmd { return nil }

// Update follows the live case.
func (s *Screen) Update(msg tea.Msg) tea.Cmd {
	if d, ok := msg.(task.Done); ok && s.filter.Take(d) {
		s.show()
	}
	if s.seen != s.live.Snap.Version {
		s.sync()
	}
	return s.pending()
}

func (s *Screen) all() []investigations.Moment { return s.live.Snap.Assessment.Timeline }

// sync chooses the rows: sources that are switched on, then the filter, which
// keeps the order of time.
func (s *Screen) sync() {
	s.seen = s.live.Snap.Version
	all := s.all()
	on := make([]int, 0, len(all))
	for i, m := range all {
		if !s.hidden[m.Source] {
			on = append(on, i)
		}
	}
	s.on = on
	s.search = s.filter.Refresh(parts.Texts{N: len(on), At: func(i int) string { return all[on[i]].Source + " " + all[on[i]].Summary }})
	s.show()
}

// show takes the rows that the filter found, in the order of time.
func (s *Screen) show() {
	s.rows = s.on
	if s.filter.Text() != "" {
		hits := make([]int, s.filter.Len(len(s.on)))
		for i := range hits {
			hits[i] = s.filter.At(i)
		}
		sort.Ints(hits)
		s.rows = make([]int, 0, len(hits))
		for _, h := range hits {
			if h < len(s.on) {
				s.rows = append(s.rows, s.on[h])
			}
		}
	}
	s.list.SetLen(len(s.rows))
}

// pending returns the search that has still to be run beside the screen.
func (s *Screen) pending() tea.Cmd {
	cmd := s.search
	s.search = nil
	return cmd
}

func (s *Screen) moment() (investigations.Moment, bool) {
	i := s.list.Cursor()
	if i >= len(s.rows) || s.rows[i] >= len(s.all()) {
		return investigations.Moment{}, false
	}
	return s.all()[s.rows[i]], true
}

// jump goes to the first event at or after t, or to the last.
func (s *Screen) jump(t time.Time) {
	all := s.all()
	i := sort.Search(len(s.rows), func(i int) bool { return !all[s.rows[i]].Time.Before(t) })
	s.list.Select(i)
}

// sources returns the names of the sources, in order.
func (s *Screen) sources() []string {
	return slices.Sorted(maps.Keys(s.live.Snap.Times))
}

// Actions is what the screen can do.
func (s *Screen) Actions() keys.Table {
	none := func() string {
		if s.list.Len() == 0 {
			return "there is no event to act on"
		}
		return ""
	}
	t := keys.Table{
		{ID: "open", Keys: []string{"enter"}, Title: "Open the evidence of the event", Short: "evidence", Group: "Look", Disabled: none, Run: s.open},
		{ID: "jump", Keys: []string{"@"}, Title: "Jump to a time", Short: "jump to time", Group: "Look", Disabled: none, Run: s.askTime},
		{ID: "zoom-in", Keys: []string{"+", "="}, Title: "Zoom into the selected event", Short: "zoom", Group: "Look", Run: s.zoomBy(1)},
		{ID: "zoom-out", Keys: []string{"-"}, Title: "Zoom out", Short: "out", Group: "Look", Run: s.zoomBy(-1)},
		{ID: "trace", Keys: []string{"f"}, Title: "Follow the source of the event: show it alone, or all again", Short: "follow", Group: "Look", Disabled: none, Run: s.follow},
		{ID: "filter", Keys: []string{"/"}, Title: "Filter: type a trace id, a source, a word", Short: "filter", Group: "Look", Run: func() tea.Cmd { s.filter.Open(); return nil }},
		{ID: "copy", Keys: []string{"y"}, Title: "Copy the event", Short: "copy", Group: "Copy", Disabled: none, Run: s.copyIt},
	}
	for i := range 9 {
		t = append(t, keys.Action{
			ID: fmt.Sprintf("source-%d", i+1), Keys: []string{fmt.Sprint(i + 1)}, Title: fmt.Sprintf("Show or hide source %d", i+1), Group: "Sources",
			Disabled: func() string {
				if i >= len(s.sources()) {
					return fmt.Sprintf("there is no source %d", i+1)
				}
				return ""
			},
			Run: func() tea.Cmd { s.toggle(i); return nil },
		})
	}
	return append(t, parts.Moves(func() parts.Mover { return &s.list })...)
}

func (s *Screen) open() tea.Cmd {
	if m, ok := s.moment(); ok && m.Evidence != "" {
		return nav.Say(nav.Show{Page: nav.PageEvidence, Item: m.Evidence})
	}
	return nav.Tell("this event names no evidence")
}

func (s *Screen) askTime() tea.Cmd {
	now, zone := s.now(), s.zone
	if m, ok := s.moment(); ok {
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
			s.jump(r.Time)
		}
		return nil
	}}})
}

func (s *Screen) zoomBy(d int) func() tea.Cmd {
	return func() tea.Cmd { s.zoom = max(0, min(s.zoom+d, 30)); return nil }
}

func (s *Screen) toggle(i int) {
	if names := s.sources(); i < len(names) {
		s.hidden[names[i]] = !s.hidden[names[i]]
		s.sync()
	}
}

func (s *Screen) follow() tea.Cmd {
	m, ok := s.moment()
	if !ok {
		return nil
	}
	alone := true
	for _, name := range s.sources() {
		alone = alone && (name == m.Source) != s.hidden[name]
	}
	for _, name := range s.sources() {
		s.hidden[name] = !alone && name != m.Source
	}
	s.sync()
	s.jump(m.Time)
	return nil
}

func (s *Screen) copyIt() tea.Cmd {
	m, _ := s.moment()
	return nav.Say(nav.Copy{Text: m.Time.UTC().Format(time.RFC3339Nano) + " " + m.Source + " " + m.Summary, What: "the event"})
}

// Typing reports whether the filter takes the keys.
func (s *Screen) Typing() bool { return s.filter.Typing() }

// Type hands a key to the filter.
func (s *Screen) Type(k tea.KeyMsg) tea.Cmd { s.filter.Type(k); s.sync(); return s.pending() }

// Back clears the filter.
func (s *Screen) Back() bool { was := s.filter.Clear(); s.sync(); return was }

// NextAt says what can be done here.
func (s *Screen) NextAt(time.Time) string {
	if s.list.Len() == 0 {
		return "press esc: run the checklist with R, or look at the coverage with c"
	}
	return "⏎ opens the evidence, + zooms the histogram in, 1–9 switch sources off and on"
}

// span is the stretch that the histogram shows: the window, halved around the
// selected event as often as was zoomed.
func (s *Screen) span() sources.Window {
	w := s.live.Snap.State.Window
	all := s.all()
	if w.From.IsZero() || !w.To.After(w.From) {
		if len(all) == 0 {
			return sources.Window{}
		}
		w = sources.Window{From: all[0].Time, To: all[len(all)-1].Time.Add(time.Second)}
	}
	m, ok := s.moment()
	if s.zoom == 0 || !ok {
		return w
	}
	half := max(w.To.Sub(w.From)>>(s.zoom+1), time.Millisecond)
	return sources.Around(m.Time, half)
}
