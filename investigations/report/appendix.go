package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"inquest/investigations"
	"inquest/sources"
)

// What the report shows of one item at most, in runes: of one that the answer rests
// on, and of any other. The case file has all of it.
const (
	maxExcerpt = 4000
	maxOther   = 700
)

func (p *page) evidence() {
	sec := p.begin("evidence", "Evidence")
	if len(p.state.Evidence) == 0 {
		sec.para("Nothing was collected.")
		return
	}
	rests := p.restsOn()
	for _, e := range p.state.Evidence {
		most := maxOther
		if rests[e.ID] {
			most = maxExcerpt
		}
		sec.item(e, most)
	}
}

// restsOn are the items that the fate, a hypothesis, the timeline or the recovered
// content name.
func (p *page) restsOn() map[string]bool {
	out := map[string]bool{}
	add := func(ids []string) {
		for _, id := range ids {
			out[id] = true
		}
	}
	add(p.assessed.Fate.Evidence)
	for _, h := range p.assessed.Hypotheses {
		if h.Standing != investigations.RuledOut {
			add(h.Supports)
			add(h.Contradicts)
		}
	}
	for _, m := range p.assessed.Timeline {
		add([]string{m.Evidence})
	}
	if r := p.assessed.Recovered; r != nil {
		add(r.Evidence)
	}
	return out
}

func (s *section) item(e investigations.Evidence, most int) {
	s.heading("%s from %s", text(e.ID), orDash(text(e.Source)))
	facts := []string{"Collected " + moment(e.CollectedAt)}
	if e.Position != "" {
		facts = append(facts, "Position: "+text(e.Position))
	}
	facts = append(facts, fmt.Sprintf("%s, SHA-256 %s", plural(len(e.Body), "byte", "bytes"), orDash(text(e.SHA256))))
	if !e.Intact() {
		facts = append(facts, "**Its content does not have this hash: it was changed after it was stored**")
	}
	if e.Redacted > 0 {
		facts = append(facts, plural(e.Redacted, "secret was", "secrets were")+" cut before it was stored")
	}
	if e.Partial != "" {
		facts = append(facts, "Kept in part: "+text(e.Partial))
	}
	s.list(facts)
	if e.Query != "" {
		s.block(language(e), e.Query)
	}
	body, how := readable(e)
	shown, cut := excerpt(body, most)
	if cut {
		how = strings.TrimPrefix(how+"; the beginning only, the case file has all of it", "; ")
	}
	if how != "" {
		s.para("Content (%s):", how)
	}
	s.block("text", orElse(shown, "(empty)"))
}

func language(e investigations.Evidence) string {
	if e.Kind == investigations.EvidenceTable {
		return "sql"
	}
	return "text"
}

func excerpt(s string, most int) (string, bool) {
	n := 0
	for i := range s {
		if n == most {
			return s[:i], true
		}
		n++
	}
	return s, false
}

// readable lays a body out for people and says how; a body of unknown shape is
// shown as stored.
func readable(e investigations.Evidence) (body, how string) {
	switch e.Kind {
	case investigations.EvidenceEvents:
		var events []sources.Event
		if e.Decode(&events) == nil {
			return eventLines(events), "the lines as their source wrote them"
		}
	case investigations.EvidenceTable:
		var t sources.Table
		if e.Decode(&t) == nil && len(t.Columns) > 0 {
			return tableLines(t), plural(len(t.Rows), "row", "rows")
		}
	case investigations.EvidenceText:
		return e.Body, ""
	}
	var b bytes.Buffer
	if json.Indent(&b, []byte(e.Body), "", "  ") == nil {
		return b.String(), "JSON, indented"
	}
	return e.Body, ""
}

func eventLines(events []sources.Event) string {
	var b strings.Builder
	for _, ev := range events {
		b.WriteString(ev.Position + "\t" + orElse(ev.Raw, ev.Message) + "\n")
	}
	return b.String()
}

func tableLines(t sources.Table) string {
	var b strings.Builder
	b.WriteString(strings.Join(t.Columns, " | ") + "\n")
	for _, row := range t.Rows {
		for i, cell := range row {
			if i > 0 {
				b.WriteString(" | ")
			}
			if cell == nil {
				b.WriteString("NULL")
				continue
			}
			b.WriteString(strings.ReplaceAll(*cell, "\n", `\n`))
		}
		b.WriteByte('\n')
	}
	if t.Truncated {
		b.WriteString("… more rows were left out\n")
	}
	return b.String()
}
