package report

import (
	"strings"

	"inquest/investigations"
)

// Markdown returns the report as GitHub-flavoured Markdown. The same state and
// assessment always give the same bytes.
func Markdown(s investigations.State, a investigations.Assessment) []byte {
	p := newPage(s, a)
	var b strings.Builder
	b.WriteString("# " + p.title() + "\n\n")
	for _, sec := range p.sections {
		if sec.title != "" {
			b.WriteString("## " + sec.title + "\n\n")
		}
		b.WriteString(sec.body.String())
	}
	return []byte(strings.TrimRight(b.String(), "\n") + "\n")
}

func newPage(s investigations.State, a investigations.Assessment) *page {
	p := &page{state: s, assessed: a}
	p.top()
	p.happened()
	p.keyFacts()
	p.timeline()
	p.checklist()
	p.hypotheses()
	p.coverage()
	p.clocks()
	p.notSeen()
	p.expiring()
	p.recovered()
	p.people()
	p.statements()
	p.evidence()
	return p
}

func (p *page) title() string { return "What happened to " + orDash(text(p.state.Record.ID)) }

func (p *page) top() {
	sec := p.begin("top", "")
	if r := p.state.Recording; r != "" {
		sec.para("> **This is a practice incident, not a real one.** %s", text(r))
	}
}
