package newcase

import (
	"context"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/sources"
	"inquest/ui/backend"
)

// asking is a backend that notes what it is asked and answers at once.
type asking struct {
	backend.Backend
	asked []backend.NewCase
}

func (a *asking) CheckSources(_ context.Context, c backend.NewCase, each func(sources.Status)) error {
	a.asked = append(a.asked, c)
	for _, l := range c.Logs {
		each(sources.Status{Source: "log:" + l, State: sources.StateReady})
	}
	return nil
}

// form returns a form over a backend, with the messages that were sent to it.
func form(t *testing.T, c backend.NewCase) (*Screen, *asking, *[]tea.Msg) {
	t.Helper()
	b, sent := &asking{}, &[]tea.Msg{}
	s := New(t.Context(), Deps{Backend: b, Now: time.Now, Zone: time.UTC, Send: func(m tea.Msg) { *sent = append(*sent, m) }, After: func(time.Duration, func() tea.Msg) tea.Cmd { return nil }}, c)
	s.kinds = []backend.Place{{Word: "ssh", Value: "HOST:PATH"}}
	return s, b, sent
}

// finish runs a command and all that it starts.
func finish(s *Screen, cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch m := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range m {
			finish(s, c)
		}
	default:
		finish(s, s.Update(m))
	}
}

func TestOnlyWhatHasChangedIsAsked(t *testing.T) {
	s, b, sent := form(t, backend.NewCase{Databases: []string{"service=prod"}, Logs: []string{"/a", "/b"}})
	finish(s, s.startCheck())
	if len(b.asked) != 3 {
		t.Fatalf("asked %+v", b.asked)
	}
	for _, m := range *sent {
		s.Update(m)
	}
	s.fields[fieldLogs].input.Set("/a ; /c")
	finish(s, s.startCheck())
	if len(b.asked) != 4 || b.asked[3].Logs[0] != "/c" || len(b.asked[3].Databases) != 0 {
		t.Fatalf("asked %+v", b.asked)
	}
	if len(s.inquiries) != 3 || s.inquiries[1].statuses[0].Source != "log:/a" {
		t.Fatalf("%+v", s.inquiries)
	}
	finish(s, s.askAgain())
	if len(b.asked) != 7 {
		t.Fatalf("ctrl+r asked %d times", len(b.asked)-4)
	}
}

// TestAnAnswerAboutWhatIsGoneIsRefused lets answers come after the form has gone
// on.
func TestAnAnswerAboutWhatIsGoneIsRefused(t *testing.T) {
	s, _, sent := form(t, backend.NewCase{Logs: []string{"/a"}})
	cmd := s.startCheck()
	s.fields[fieldLogs].input.Set("/b")
	next := s.startCheck()
	finish(s, cmd)
	for _, m := range *sent {
		s.Update(m)
	}
	if len(s.inquiries) != 1 || s.inquiries[0].label != "/b" || len(s.inquiries[0].statuses) != 0 || !s.inquiries[0].slot.Busy() {
		t.Fatalf("%+v", s.inquiries[0])
	}
	*sent = nil
	finish(s, next)
	for _, m := range *sent {
		s.Update(m)
	}
	if q := s.inquiries[0]; len(q.statuses) != 1 || q.slot.Busy() {
		t.Fatalf("%+v", q)
	}
}

// TestNothingHalfTypedIsAskedOverANetwork types a connection and a place by
// hand, and pastes one.
func TestNothingHalfTypedIsAskedOverANetwork(t *testing.T) {
	s, b, _ := form(t, backend.NewCase{})
	typeIn := func(text string) {
		for _, r := range text {
			s.Type(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}})
		}
		finish(s, s.Update(pauseOver{s, s.edits}))
	}
	s.goTo(s.fields[fieldDatabases])
	typeIn("postgres://u:p@prod")
	if len(b.asked) != 0 || !s.inquiries[0].held {
		t.Fatalf("asked %+v", b.asked)
	}
	finish(s, s.step(1)())
	if len(b.asked) != 1 {
		t.Fatalf("leaving the field asked %+v", b.asked)
	}
	s.goTo(s.places[0])
	typeIn("ssh gw")
	if len(b.asked) != 1 {
		t.Fatalf("asked %+v", b.asked[1:])
	}
	finish(s, s.step(1)())
	if len(b.asked) != 2 || b.asked[1].Places[0] != "ssh gw" || len(s.places) != 2 {
		t.Fatalf("asked %+v, %d places", b.asked[1:], len(s.places))
	}
	s.goTo(s.fields[fieldAPI])
	s.Type(tea.KeyMsg{Type: tea.KeyRunes, Paste: true, Runes: []rune("https://api.example/{id}")})
	finish(s, s.Update(pauseOver{s, s.edits}))
	if len(b.asked) != 3 {
		t.Fatalf("a paste asked %+v", b.asked[2:])
	}
}

func TestPlacesKeepOneEmptyLine(t *testing.T) {
	s, _, _ := form(t, backend.NewCase{Places: []string{"ssh a:/x", "ssh b:/x"}})
	if len(s.places) != 3 {
		t.Fatalf("%d lines", len(s.places))
	}
	s.goTo(s.places[0])
	s.places[0].input.Set("")
	finish(s, s.step(1)())
	if len(s.places) != 2 || value(s.current()) != "ssh b:/x" {
		t.Fatalf("%d lines, at %q", len(s.places), value(s.current()))
	}
}
