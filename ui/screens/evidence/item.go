package evidence

import (
	"encoding/json"
	"fmt"
	"strings"

	"inquest/investigations"
	"inquest/sources"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/text"
	"inquest/ui/theme"
)

// linesKey says what the lines of the body were made of.
type linesKey struct {
	id  string
	raw bool
	w   int
}

// bodyLine is one line of the body, cleaned but not painted.
type bodyLine struct {
	text   string
	strong bool
}

func (s *Screen) drawItem(f nav.Frame) []string {
	e, ok := s.item()
	if !ok {
		return parts.Pane{Title: "No evidence"}.Draw(f.Theme, f.W, f.H, nil)
	}
	in := f.Sized(f.W-2, f.H-2)
	head := s.facts(in, e)
	if limit := max(in.H/2, 3); len(head) > limit {
		head = head[:limit]
	}
	s.layOut(e, in.W)
	s.reader.SetLen(len(s.body))
	from, to := s.reader.Window(in.H - len(head) - 1)
	lines := append(head, f.Theme.Border.Paint(text.Repeat("─", in.W)))
	for _, b := range s.body[from:to] {
		st := f.Theme.Text
		if b.strong {
			st = f.Theme.Strong
		}
		lines = append(lines, parts.NewLine(in.W).Add(st, b.text).String())
	}
	how := "decoded"
	if s.raw {
		how = "as stored"
	}
	p := parts.Pane{Title: e.ID + " · " + text.Clean(e.Source), Right: how, Focused: s.reading}
	if len(s.body) > to-from {
		p.Foot = fmt.Sprintf("lines %d–%d of %d", from+1, to, len(s.body))
	}
	return p.Draw(f.Theme, f.W, f.H, lines)
}

// facts says where the item comes from and whether it is whole.
func (s *Screen) facts(f nav.Frame, e investigations.Evidence) []string {
	t := f.Theme
	row := func(name, value string, st theme.Style) []string {
		return parts.Para(f, st, " "+text.Pad(name, 10), value)
	}
	out := row("collected", e.CollectedAt.In(f.Zone).Format("2 Jan 2006 15:04:05 MST")+" · "+e.Kind, t.Text)
	if e.Position != "" {
		out = append(out, row("position", e.Position, t.Text)...)
	}
	if e.Query != "" {
		for i, line := range text.Lines(strings.TrimSpace(e.Query)) {
			out = append(out, row(map[bool]string{true: "query"}[i == 0], line, t.Accent)...)
		}
	}
	if e.Intact() {
		out = append(out, row("sha256", e.SHA256+" ✓ matches", t.Good)...)
	} else {
		out = append(out, row("sha256", "✗ DOES NOT MATCH: the bytes were changed after they were stored; stored hash "+e.SHA256, t.Bad)...)
	}
	if e.Redacted > 0 {
		out = append(out, row("redacted", fmt.Sprintf("%d secrets were cut before storing", e.Redacted), t.Weak)...)
	}
	if e.Partial != "" {
		out = append(out, row("partial", e.Partial, t.Weak)...)
	}
	for _, n := range s.live.Snap.State.Notes {
		if n.On == e.ID && n.Text != "" {
			out = append(out, row("note", n.Text, t.Accent)...)
		}
	}
	return out
}

// layOut makes the lines of the body once for each item, form and width.
func (s *Screen) layOut(e investigations.Evidence, w int) {
	key := linesKey{e.ID, s.raw, w}
	if key == s.lines {
		return
	}
	if key.id != s.lines.id || key.raw != s.lines.raw {
		s.reader = parts.Reader{}
	}
	s.lines, s.body = key, nil
	if !s.raw && s.decoded(e, w) {
		return
	}
	body := e.Body
	if !s.raw {
		body = indented(body)
	}
	for _, line := range text.Lines(body) {
		s.add(w, line, false)
	}
}

func (s *Screen) add(w int, line string, strong bool) {
	for _, part := range text.Wrap(line, w-2) {
		s.body = append(s.body, bodyLine{" " + part, strong})
	}
}

func (s *Screen) decoded(e investigations.Evidence, w int) bool {
	switch e.Kind {
	case investigations.EvidenceTable:
		var t sources.Table
		if e.Decode(&t) != nil || len(t.Columns) == 0 {
			return false
		}
		s.table(t, w)
		return true
	case investigations.EvidenceText:
		var body string
		if e.Decode(&body) != nil {
			return false
		}
		for _, line := range text.Lines(body) {
			s.add(w, line, false)
		}
		return true
	case investigations.EvidenceEvents:
		var evs []sources.Event
		if e.Decode(&evs) != nil {
			return false
		}
		for _, ev := range evs {
			s.event(ev, w)
		}
		return true
	}
	return false
}

// table writes one column a line: rows of a catalogue are wider than any screen.
func (s *Screen) table(t sources.Table, w int) {
	name := 0
	for _, c := range t.Columns {
		name = min(max(name, text.Width(text.Clean(c))), w/3)
	}
	for i, row := range t.Rows {
		s.add(w, fmt.Sprintf("row %d of %d", i+1, len(t.Rows)), true)
		for j, c := range t.Columns {
			v := "NULL"
			if j < len(row) && row[j] != nil {
				v = text.Clean(*row[j])
			}
			s.add(w, "  "+text.Pad(text.Clean(c), name)+"  "+v, false)
		}
	}
	if len(t.Rows) == 0 {
		s.add(w, "no rows; columns "+text.Clean(strings.Join(t.Columns, ", ")), false)
	}
	if t.Truncated {
		s.add(w, "⚠ further rows were left out", true)
	}
}

func (s *Screen) event(ev sources.Event, w int) {
	at := "no time"
	if !ev.Time.IsZero() && !ev.NoTime {
		at = ev.Time.UTC().Format("2006-01-02 15:04:05.000")
	}
	if ev.ZoneUnknown {
		at += " ⚠ zone not known"
	}
	head := at + "  " + text.Clean(ev.Position)
	if ev.Why != "" {
		head += "  " + text.Clean(ev.Why)
	}
	if ev.Weak {
		head += "  ⚠ weak"
	}
	s.add(w, head, true)
	for _, line := range text.Lines(ev.Raw) {
		s.add(w, "  "+line, false)
	}
}

func indented(s string) string {
	var v any
	if json.Unmarshal([]byte(s), &v) != nil {
		return s
	}
	out, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return s
	}
	return string(out)
}
