package report

import (
	"strings"

	"inquest/investigations"
	"inquest/sources"
)

// people is what persons added: answers, verdicts, notes.
func (p *page) people() {
	sec := p.begin("people", "What people said")
	answers := p.answers()
	if len(answers) > 0 {
		sec.table([]string{"Question", "Answer", "Note"}, answers)
	}
	sec.labelled("Verdicts", p.verdicts())
	sec.labelled("Notes", each(p.state.Notes, noteText))
	if sec.body.Len() == 0 {
		sec.para("Nobody has answered a question, signed a step or written a note.")
	}
}

func (p *page) answers() [][]string {
	var rows [][]string
	for _, step := range investigations.Steps() {
		for _, q := range step.Questions {
			if a, ok := p.state.Answers[q.ID]; ok {
				rows = append(rows, []string{text(q.Ask), text(a.Answer), text(a.Note)})
			}
		}
	}
	return rows
}

func (p *page) verdicts() []string {
	var out []string
	for _, step := range investigations.Steps() {
		if v, ok := p.state.Verdicts[step.ID]; ok {
			out = append(out, text(step.Title)+": "+orElse(verdictWords[v.Verdict], text(string(v.Verdict)))+withNote(v.Note))
		}
	}
	return out
}

func noteText(n investigations.Note) string {
	s := moment(n.Time)
	if n.On != "" {
		s += " on " + text(n.On)
	}
	if n.Mark {
		s += " (marked)"
	}
	if n.Text != "" {
		s += ": " + text(n.Text)
	}
	return s
}

// statements lists all that was sent to servers, so that a reader can see that
// nothing was changed. One that was sent again is written once.
func (p *page) statements() {
	sec := p.begin("statements", "Statements sent to servers")
	list := p.state.Statements
	if len(list) == 0 {
		sec.para("No statement was recorded.")
		return
	}
	sent, order := map[string][]sources.Statement{}, []string{}
	for _, st := range list {
		sql, _ := cutArguments(st.SQL)
		if len(sent[sql]) == 0 {
			order = append(order, sql)
		}
		sent[sql] = append(sent[sql], st)
	}
	if len(order) == len(list) {
		sec.para("%s, in the order they were sent.", plural(len(list), "statement", "statements"))
	} else {
		sec.para("%s, %d of them different, in the order in which each was sent first. The case file has every one.", plural(len(list), "statement", "statements"), len(order))
	}
	var b strings.Builder
	for _, sql := range order {
		writeSent(&b, sql, sent[sql])
	}
	sec.block("sql", b.String())
}

// writeSent writes one statement under the first times it was sent, and all that failed.
func writeSent(b *strings.Builder, sql string, times []sources.Statement) {
	const most = 3
	left := 0
	for i, st := range times {
		if i >= most && st.Error == "" {
			left++
			continue
		}
		b.WriteString("-- " + statementHead(st) + "\n")
		if _, args := cutArguments(st.SQL); args != "" {
			b.WriteString(args + "\n")
		}
	}
	if left > 0 {
		last := times[len(times)-1]
		b.WriteString("-- and " + plural(left, "more time", "more times") + ", the last " + moment(last.Time) + "\n")
	}
	b.WriteString(sql + "\n\n")
}

// cutArguments takes the comment with the arguments off the end of a statement.
func cutArguments(sql string) (text, args string) {
	sql = strings.TrimSpace(sql)
	if i := strings.LastIndex(sql, "\n-- $1 = "); i >= 0 {
		return sql[:i], sql[i+1:]
	}
	return sql, ""
}

func statementHead(st sources.Statement) string {
	parts := []string{moment(st.Time), st.Source, st.Took.String()}
	if st.Note != "" {
		parts = append(parts, st.Note)
	}
	if st.Error != "" {
		parts = append(parts, "ERROR: "+st.Error)
	}
	return strings.NewReplacer("\n", " ", "\r", " ").Replace(strings.Join(parts, "  "))
}
