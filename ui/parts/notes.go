package parts

import (
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/investigations"
	"inquest/ui/backend"
	"inquest/ui/keys"
	"inquest/ui/nav"
)

// Marked reports whether the newest mark on a thing is set.
func Marked(notes []investigations.Note, id string) bool {
	on := false
	for _, n := range notes {
		if n.On == id && n.Text == "" {
			on = n.Mark
		}
	}
	return on
}

// NotesOn returns the notes on a thing, the oldest first.
func NotesOn(notes []investigations.Note, id string) []string {
	var out []string
	for _, n := range notes {
		if n.On == id && n.Text != "" {
			out = append(out, n.Text)
		}
	}
	return out
}

// Thing is what a note or a mark is about: its id in the case, and its name for
// people. An empty Title means that nothing is selected.
type Thing struct{ ID, Title string }

// EventThing names a moment of the timeline.
func EventThing(m investigations.Moment) Thing {
	at := "without a time"
	if !m.Time.IsZero() {
		at = m.Time.UTC().Format(time.RFC3339Nano)
	}
	return Thing{ID: "event:" + at + " " + m.Source, Title: "the event of " + m.Source + " " + at}
}

// Notable returns the actions that mark the selected thing and write notes on it.
func Notable(s backend.Session, notes func() []investigations.Note, selected func() Thing) keys.Table {
	cannot := func() string {
		if why := s.ReadOnly(); why != "" {
			return why
		}
		if selected().Title == "" {
			return "nothing is selected"
		}
		return ""
	}
	return keys.Table{
		{ID: "note", Keys: []string{"n"}, Title: "Write a note on the selected thing", Short: "note", Group: "Answer", Disabled: cannot, Run: func() tea.Cmd { return WriteNote(s, selected()) }},
		{ID: "mark", Keys: []string{"m"}, Title: "Mark the selected thing, or take its mark away", Short: "mark", Group: "Answer", Disabled: cannot, Run: func() tea.Cmd { return ToggleMark(s, notes(), selected()) }},
	}
}

// WriteNote asks for a note on a thing and records it.
func WriteNote(s backend.Session, on Thing) tea.Cmd {
	return nav.Say(nav.Dialog{Overlay: &Prompt{
		Title: "Note", Label: "Note on " + on.Title + ". It is kept in the case and stands in the report.",
		Do: func(text string) tea.Cmd {
			if strings.TrimSpace(text) == "" {
				return nil
			}
			return Record(s, investigations.EntryNoted, investigations.Noted{On: on.ID, Text: text}, "note written")
		},
	}})
}

// ToggleMark marks a thing, or takes its mark away.
func ToggleMark(s backend.Session, notes []investigations.Note, on Thing) tea.Cmd {
	set := !Marked(notes, on.ID)
	said := "marked " + on.Title
	if !set {
		said = "mark taken from " + on.Title
	}
	return Record(s, investigations.EntryNoted, investigations.Noted{On: on.ID, Mark: set}, said)
}

// Record appends an entry; what is said is said only after it is on disk.
func Record(s backend.Session, kind investigations.EntryKind, body any, said string) tea.Cmd {
	return func() tea.Msg {
		if err := s.Record(kind, body); err != nil {
			return nav.Toast{Text: "not saved: " + err.Error(), Bad: true}
		}
		return nav.Toast{Text: said + " · u in the case undoes"}
	}
}
