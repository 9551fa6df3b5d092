package report

import (
	"fmt"
	"strings"

	"inquest/investigations"
)

// page collects the sections of a report. Its methods take text that is already
// escaped.
type page struct {
	state    investigations.State
	assessed investigations.Assessment
	sections []*section
}

// section is a part of the report under one heading.
type section struct {
	id, title string
	body      strings.Builder
}

func (p *page) begin(id, title string) *section {
	s := &section{id: id, title: title}
	p.sections = append(p.sections, s)
	return s
}

func (s *section) para(format string, args ...any) {
	fmt.Fprintf(&s.body, format+"\n\n", args...)
}

func (s *section) heading(format string, args ...any) {
	fmt.Fprintf(&s.body, "### "+format+"\n\n", args...)
}

func (s *section) list(items []string) {
	for _, item := range items {
		s.body.WriteString("- " + item + "\n")
	}
	if len(items) > 0 {
		s.body.WriteByte('\n')
	}
}

// labelled writes a list under a bold label, and nothing for an empty list.
func (s *section) labelled(label string, items []string) {
	if len(items) > 0 {
		s.para("**%s**", label)
		s.list(items)
	}
}

func (s *section) table(header []string, rows [][]string) {
	row := func(cells []string) {
		for _, c := range cells {
			s.body.WriteString("| " + orDash(c) + " ")
		}
		s.body.WriteString("|\n")
	}
	row(header)
	s.body.WriteString(strings.Repeat("| --- ", len(header)) + "|\n")
	for _, r := range rows {
		row(r)
	}
	s.body.WriteByte('\n')
}

func (s *section) block(language, body string) {
	s.body.WriteString(fence(language, body) + "\n")
}

func each[T any](list []T, f func(T) string) []string {
	out := make([]string, 0, len(list))
	for _, v := range list {
		out = append(out, f(v))
	}
	return out
}

func texts(list []string) []string { return each(list, text) }

// refs prints evidence ids.
func refs(ids []string) string { return strings.Join(texts(ids), ", ") }

// plural prints a number with its noun.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
