package newcase

import (
	"context"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/sources"
	"inquest/ui/backend"
	"inquest/ui/task"
	"inquest/ui/typed"
)

// target is one place that the form names, asked by itself: what has not changed
// is not asked again.
type target struct {
	field *field
	key   string // tells targets apart; another key is another question
	label string // for people, without passwords
	ask   backend.NewCase
}

// inquiry is what a target was asked and has answered so far.
type inquiry struct {
	target
	slot     task.Slot
	held     bool // it is still being typed
	statuses []sources.Status
	err      error
}

// answered is one source's answer. One to an inquiry that the form has dropped
// is late.
type answered struct {
	of     *inquiry
	status sources.Status
}

// targets are the places that c names, in the order of the form.
func (s *Screen) targets(c backend.NewCase) []target {
	bare := c
	bare.Table, bare.AppRole = s.settled(fieldTable, c.Table), s.settled(fieldRole, c.AppRole)
	bare.Profile, bare.Databases, bare.Logs, bare.WAL, bare.Places, bare.API, bare.Repo = "", nil, nil, nil, nil, "", ""
	var out []target
	add := func(f *field, what string, set func(*backend.NewCase)) {
		ask := bare
		set(&ask)
		out = append(out, target{field: f, key: strings.Join([]string{f.label, what, bare.Table, bare.AppRole}, "\x00"), label: typed.Masked(what), ask: ask})
	}
	if c.Profile != "" {
		add(s.fields[fieldProfile], "profile "+c.Profile, func(n *backend.NewCase) { n.Profile = c.Profile })
	}
	for _, d := range c.Databases {
		add(s.fields[fieldDatabases], d, func(n *backend.NewCase) { n.Databases = []string{d} })
	}
	for _, l := range c.Logs {
		add(s.fields[fieldLogs], l, func(n *backend.NewCase) { n.Logs = []string{l} })
	}
	for _, p := range s.places {
		if text := value(p); text != "" && s.notAPlace(p) == "" {
			add(p, typed.Place(text), func(n *backend.NewCase) { n.Places = []string{typed.Place(text)} })
		}
	}
	for _, w := range c.WAL {
		add(s.fields[fieldWAL], w, func(n *backend.NewCase) { n.WAL = []string{w} })
	}
	if strings.Contains(c.API, "{id}") {
		add(s.fields[fieldAPI], c.API, func(n *backend.NewCase) { n.API = c.API })
	}
	if c.Repo != "" {
		add(s.fields[fieldRepo], c.Repo, func(n *backend.NewCase) { n.Repo = c.Repo })
	}
	return out
}

// settled is the value of a field that servers are asked about: while it is typed, as
// it was before.
func (s *Screen) settled(id fieldID, now string) string {
	if s.typing == s.fields[id] {
		return s.before[id]
	}
	s.before[id] = now
	return now
}

// startCheck asks the places that have not been asked yet, and forgets those
// that are named no longer.
func (s *Screen) startCheck() tea.Cmd {
	c, _, _ := s.build()
	old := s.inquiries
	s.inquiries = nil
	var cmds []tea.Cmd
	for _, t := range s.targets(c) {
		same := func(q *inquiry) bool { return q.key == t.key }
		if slices.ContainsFunc(s.inquiries, same) {
			continue // named twice
		}
		i := slices.IndexFunc(old, func(q *inquiry) bool { return same(q) && !q.held })
		if i >= 0 {
			s.inquiries = append(s.inquiries, old[i])
			old = slices.Delete(old, i, i+1)
			continue
		}
		q := &inquiry{target: t, held: t.field.away && t.field == s.typing}
		s.inquiries = append(s.inquiries, q)
		if !q.held {
			cmds = append(cmds, s.ask(q))
		}
	}
	for _, q := range old {
		q.slot.Stop()
	}
	return tea.Batch(cmds...)
}

func (s *Screen) ask(q *inquiry) tea.Cmd {
	b, send, c := s.deps.Backend, s.deps.Send, q.target.ask
	return q.slot.Start(s.ctx, func(ctx context.Context) (any, error) {
		return nil, b.CheckSources(ctx, c, func(st sources.Status) { send(answered{q, st}) })
	})
}

// askAgain asks every place anew.
func (s *Screen) askAgain() tea.Cmd {
	for _, q := range s.inquiries {
		q.slot.Stop()
	}
	s.inquiries, s.typing = nil, nil
	return s.startCheck()
}

// take takes what a source or a whole inquiry has answered.
func (s *Screen) take(msg tea.Msg) {
	switch m := msg.(type) {
	case answered:
		if slices.Contains(s.inquiries, m.of) {
			m.of.answer(m.status)
		}
	case task.Done:
		for _, q := range s.inquiries {
			if q.slot.Take(m) {
				q.err = m.Err
			}
		}
	}
}

func (q *inquiry) answer(st sources.Status) {
	if i := slices.IndexFunc(q.statuses, func(o sources.Status) bool { return o.Source == st.Source }); i >= 0 {
		q.statuses[i] = st
		return
	}
	q.statuses = append(q.statuses, st)
	slices.SortStableFunc(q.statuses, func(a, b sources.Status) int { return strings.Compare(a.Source, b.Source) })
}

// failed says why an inquiry's source cannot be used, or "".
func (q *inquiry) failed() string {
	if q.err != nil {
		return q.err.Error()
	}
	for _, st := range q.statuses {
		if st.State == sources.StateFailed {
			return st.Problem
		}
	}
	return ""
}

// wrongField is the field to correct when an inquiry has failed: that of the table or the
// role, when it is they that are not there.
func (s *Screen) wrongField(q *inquiry) *field {
	if q.err == nil {
		for _, st := range q.statuses {
			switch {
			case st.State != sources.StateFailed:
			case st.Source == backend.SourceTable && s.path == "":
				return s.fields[fieldTable]
			case st.Source == backend.SourceRole:
				return s.fields[fieldRole]
			default:
				return q.field
			}
		}
	}
	return q.field
}

// unusable is the first place that cannot be used, with how many there are.
func (s *Screen) unusable() (first *inquiry, n int) {
	for _, q := range s.inquiries {
		if q.failed() == "" {
			continue
		}
		if n++; first == nil {
			first = q
		}
	}
	return first, n
}
