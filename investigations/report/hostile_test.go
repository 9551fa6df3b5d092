package report_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	gtext "github.com/yuin/goldmark/text"

	inv "inquest/investigations"
	"inquest/investigations/report"
	"inquest/sources"
)

// evil are texts that try to break out.
var evil = []string{
	"<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "a | b\n| c | d |\n\n# heading", "[click](javascript:alert(1))", "![i](http://evil.example/x.png)",
	"```\n</code></pre><script>alert(2)</script>\n```", "````````", "`code` *bold* __u__ ~~s~~", "http://evil.example www.evil.example mail@evil.example",
	"\x1b[2J\x1b]0;title\a", "\u202egnp.exe\u2066", "zero\u200bwidth\ufeff", "bad \xff\xfe utf8", "1. list", "- item", "# h", "> quote", "---", "&lt;b&gt; &amp; &#60;",
	"\\", "\\|", "\\`", "</title><script>alert(3)</script>", "</svg><script>alert(4)</script>", "</style><script>alert(5)</script>", "\"onmouseover=\"alert(6)", "'><svg/onload=alert(7)>",
	"[ref]: http://evil.example", "<!-- c", "<?php", "<![CDATA[", "line\r\nfeed\u2028sep\u0085nel", "$$x$$ {{t}} {%raw%}", "    indented", "\t\ttab", "Term\n: def", "[^1]: note",
}

// hostile fills every text of a case with something evil.
func hostile() sample { return hostileWith(strings.Join(evil, " ")) }

func hostileWith(x string) sample {
	value := x
	s := inv.State{
		Record:  inv.Record{ID: x, Table: x, Hints: map[string]string{x: x}},
		Options: inv.Options{AppRole: x, AppSettings: map[string]string{x: x}}, Version: x, Recording: x, WindowWhy: x,
		Window:  sources.Around(t0, time.Minute),
		Sources: []sources.Status{{Source: x, Kind: sources.KindPostgres, State: sources.State(x), Summary: x, Problem: x, Abilities: []sources.Ability{{Name: x, Why: x, Opens: x}}}},
		Runs:    map[string]inv.Run{x: {Blind: []sources.Blind{{Why: x, Opens: x}}}},
		Answers: map[string]inv.Answered{"auditing.by-hand": {Answer: x, Note: x}}, Verdicts: map[inv.StepID]inv.Signed{inv.StepCode: {Verdict: inv.Verdict(x), Note: x}},
		Notes:      []inv.Note{{Noted: inv.Noted{On: x, Text: x}}},
		Statements: []sources.Statement{{Source: x, SQL: x, Note: x, Error: x}},
		Evidence: []inv.Evidence{
			{ID: x, Source: x, Query: x, Position: x, Partial: x, SHA256: x, Kind: inv.EvidenceText, Body: x},
			item("E2", inv.EvidenceEvents, []sources.Event{{Position: x, Raw: x}}), item("E3", inv.EvidenceTable, sources.Table{Columns: []string{x}, Rows: [][]*string{{&value}}}),
		},
	}
	a := inv.Assessment{
		Judgement: inv.Judgement{
			Fate:       inv.Fate{Kind: inv.FateKind(x), Standing: inv.Standing(x), Summary: x, Evidence: []string{x}, Settles: []string{x}},
			Hypotheses: []inv.Hypothesis{hypo(x, inv.Leading), hypo(x, inv.Possible), hypo(x, inv.RuledOut), hypo(x, inv.Untested)},
		},
		Steps: []inv.StepResult{{Step: inv.Step{ID: inv.StepCode, Title: x, Asks: x, Negative: x}, Verdict: inv.Verdict(x), Signed: true, Note: x, Probes: []inv.ProbeResult{
			{Probe: inv.Probe{ID: x, Title: x, Needs: x}}, {Probe: inv.Probe{ID: x, Title: x}, Ran: true, Evidence: []string{x}, Reading: inv.Reading{Outcome: inv.BlindOutcome, Summary: x, Opens: x}},
		}}},
		Timeline: []inv.Moment{{Time: t0, Source: x, Summary: x, Evidence: x, Unordered: true}},
		Coverage: []sources.Coverage{{Source: x, From: t0.Add(-time.Second), To: t0.Add(time.Second), Limits: []string{x}, Gaps: []sources.Gap{{From: t0, To: t0.Add(time.Second), Reason: x}}}},
		Clocks:   []inv.Clock{{Source: x, Against: x, Offset: time.Minute, From: x, Evidence: []string{x}}},
		Expiring: []sources.Expiry{{What: x, Why: x}}, Recovered: &inv.Recovered{Table: x, Origin: x, Row: map[string]*string{x: &value}, Unknown: []string{x}, Evidence: []string{x}},
	}
	return sample{s, a}
}

func hypo(x string, st inv.Standing) inv.Hypothesis {
	return inv.Hypothesis{
		Cause: inv.Cause(x), Mechanism: x, Standing: st, Summary: x, Supports: []string{x}, Contradicts: []string{x},
		For: []string{x}, Against: []string{x}, Untested: []string{x}, Settles: []string{x},
	}
}

var dangerous = regexp.MustCompile(`(?i)<(script|img|iframe|object|embed|link|base|form|input|a [^>]*href="[^#])|<[^>]*\son[a-z]+\s*=|<[^>]*\s(src|srcset|action|background)\s*=|<[^>]*(url\(|javascript:)`)

func TestHostileTextStaysText(t *testing.T) {
	for _, x := range append(evil, strings.Join(evil, " ")) {
		h := hostileWith(x)
		md := report.Markdown(h.s, h.a)
		clean(t, "markdown", x, md)
		sameShape(t, x, md)
		page, err := report.HTML(h.s, h.a)
		if err != nil {
			t.Fatal(err)
		}
		clean(t, "html", x, page)
		if m := dangerous.Find(page); m != nil {
			t.Errorf("%q brought %q into the page", x, m)
		}
		if n := bytes.Count(page, []byte("<style>")); n != 1 {
			t.Errorf("%q: %d style sheets", x, n)
		}
	}
}

// clean demands that no character is left that drives a terminal or reorders
// text.
func clean(t *testing.T, what, x string, b []byte) {
	t.Helper()
	if !utf8.Valid(b) {
		t.Errorf("%s of %q is no UTF-8", what, x)
	}
	for _, c := range string(b) {
		if c < ' ' && c != '\n' && c != '\t' || c == 0x7f || c == 0x85 || c >= 0x200b && c <= 0x200f || c >= 0x2028 && c <= 0x202e || c >= 0x2066 && c <= 0x2069 || c == 0xfeff {
			t.Errorf("%s of %q holds %U", what, x, c)
			return
		}
	}
}

// sameShape demands that the Markdown has the blocks of a harmless case and no
// link, image or HTML, also where bare addresses become links.
func sameShape(t *testing.T, x string, md []byte) {
	t.Helper()
	h := hostileWith("harmless")
	want, got := shape(report.Markdown(h.s, h.a)), shape(md)
	if got != want {
		t.Errorf("%q changed the document's shape:\n%s\n%s", x, want, got)
	}
}

func shape(md []byte) string {
	g := goldmark.New(goldmark.WithExtensions(extension.GFM, extension.Footnote, extension.DefinitionList))
	var b strings.Builder
	_ = ast.Walk(g.Parser().Parse(gtext.NewReader(md)), func(n ast.Node, enter bool) (ast.WalkStatus, error) {
		if enter && n.Kind() != ast.KindText && n.Kind() != ast.KindString && n.Kind() != ast.KindTextBlock {
			b.WriteString(n.Kind().String() + " ")
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

func FuzzHostile(f *testing.F) {
	for _, x := range evil {
		f.Add(x)
	}
	f.Fuzz(func(t *testing.T, x string) {
		if strings.TrimSpace(x) == "" {
			return
		}
		h := hostileWith(x)
		md := report.Markdown(h.s, h.a)
		clean(t, "markdown", x, md)
		page, err := report.HTML(h.s, h.a)
		if err != nil {
			t.Fatal(err)
		}
		if m := dangerous.Find(page); m != nil {
			t.Errorf("%q brought %q into the page", x, m)
		}
		sameShape(t, x, md)
	})
}
