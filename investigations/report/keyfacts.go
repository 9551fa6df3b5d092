package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"inquest/investigations"
	"inquest/sources"
)

func (p *page) keyFacts() {
	s, a := p.state, p.assessed
	sec := p.begin("facts", "Key facts")
	rows := [][]string{
		{"Record", text(s.Record.ID)},
		{"Table", orElse(text(investigations.TableOf(s, a)), "not known")},
	}
	if len(s.Record.Hints) > 0 {
		rows = append(rows, []string{"Known by", text(pairs(s.Record.Hints))})
	}
	rows = append(rows,
		[]string{"Fate", text(fateText(a.Fate))},
		[]string{"Shown by", refs(a.Fate.Evidence)},
		[]string{"Window", text(windowText(s.Window))},
		[]string{"How the window is known", text(s.WindowWhy)},
		[]string{"Servers", p.servers()},
	)
	if role := s.Options.AppRole; role != "" {
		rows = append(rows, []string{"Application's role", text(role + " " + pairs(s.Options.AppSettings))})
	}
	rows = append(rows,
		[]string{"Case opened", moment(s.OpenedAt)},
		[]string{"Last entry", moment(s.UpdatedAt) + ", " + plural(s.Entries, "entry", "entries")},
		[]string{"Written by", text(strings.TrimSpace("inquest "+s.Version) + ", case format " + investigations.CaseSchema)},
	)
	sec.table([]string{"Fact", "Value"}, rows)
}

func (p *page) servers() string {
	var out []string
	for _, st := range p.state.Sources {
		if st.Kind == sources.KindPostgres {
			out = append(out, text(st.Source+": "+orElse(st.Summary, st.Problem)))
		}
	}
	if len(out) == 0 {
		return "none connected"
	}
	return fmt.Sprintf("%s; inquest sends only reading statements (%s recorded, listed below)",
		strings.Join(out, "; "), plural(len(p.state.Statements), "statement", "statements"))
}

// fateText is the fate with its standing, in the words of the findings document.
func fateText(f investigations.Fate) string {
	if f.Kind == "" || f.Kind == investigations.FateUndetermined {
		return string(investigations.FateUndetermined)
	}
	return string(f.Kind) + ", " + orElse(string(f.Standing), string(investigations.Undetermined))
}

// pairs prints a map as k=v in the order of its keys.
func pairs(m map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k+"="+m[k])
	}
	return strings.Join(out, ", ")
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
