// Package theme holds the styles of all screens, built once from a palette of
// roles. Meaning never rests on colour: glyphs and words carry it, so the same
// screens read well with no colour at all.
package theme

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
)

// Style paints text. It is kept as the two escape sequences around the text, so
// that painting a cell costs two copies and no measuring.
type Style struct{ open, closing string }

// Paint returns s in the style. s must hold no style of its own.
func (s Style) Paint(t string) string {
	if s.open == "" || t == "" {
		return t
	}
	return s.open + t + s.closing
}

// Append writes the painted text to b.
func (s Style) Append(b *strings.Builder, t string) {
	if s.open == "" || t == "" {
		b.WriteString(t)
		return
	}
	b.WriteString(s.open)
	b.WriteString(t)
	b.WriteString(s.closing)
}

// Mode is light, dark, or auto for a palette that reads well on both.
type Mode string

// The three modes in the order in which the toggle key goes through them.
const (
	Auto  Mode = "auto"
	Dark  Mode = "dark"
	Light Mode = "light"
)

// Modes lists the valid modes.
var Modes = []Mode{Auto, Dark, Light}

// Options choose a theme.
type Options struct {
	Mode    Mode
	NoColor bool // attributes only: bold, faint, reverse
	ASCII   bool
	Profile termenv.Profile // what the terminal can show
	// Colors replaces the colour of roles by name: "#rrggbb" or a number of the
	// 16 or 256 colours.
	Colors map[string]string
}

// Theme is one style for every role.
type Theme struct {
	Mode Mode
	// ASCII says that the screen will be turned into ASCII: names of keys are then
	// spelled out, because their signs would not be understood.
	ASCII bool

	Text, Dim, Strong, Title, Accent, Key             Style
	Selected, Unfocused, Border, Focus                Style
	Finding, Clean, Blind, Open, Weak, Good, Bad, Gap Style
	Bar, Heading, Input                               Style
}

// role is how one style is made: attributes, and a colour for each mode.
type role struct {
	name              string
	into              func(*Theme) *Style
	auto, dark, light string
	bold, faint       bool
	reverse, under    bool
}

func roles() []role {
	return []role{
		{name: "text", into: func(t *Theme) *Style { return &t.Text }},
		{name: "dim", into: func(t *Theme) *Style { return &t.Dim }, faint: true},
		{name: "strong", into: func(t *Theme) *Style { return &t.Strong }, bold: true},
		{name: "title", into: func(t *Theme) *Style { return &t.Title }, bold: true},
		{name: "accent", into: func(t *Theme) *Style { return &t.Accent }, auto: "6", dark: "14", light: "4"},
		{name: "key", into: func(t *Theme) *Style { return &t.Key }, auto: "6", dark: "14", light: "4", bold: true},
		{name: "selected", into: func(t *Theme) *Style { return &t.Selected }, reverse: true},
		{name: "unfocused", into: func(t *Theme) *Style { return &t.Unfocused }, bold: true},
		{name: "border", into: func(t *Theme) *Style { return &t.Border }, faint: true},
		{name: "focus", into: func(t *Theme) *Style { return &t.Focus }, auto: "6", dark: "14", light: "4", bold: true},
		{name: "finding", into: func(t *Theme) *Style { return &t.Finding }, auto: "1", dark: "9", light: "1", bold: true},
		{name: "clean", into: func(t *Theme) *Style { return &t.Clean }, auto: "2", dark: "10", light: "2"},
		{name: "blind", into: func(t *Theme) *Style { return &t.Blind }, auto: "5", dark: "13", light: "5"},
		{name: "open", into: func(t *Theme) *Style { return &t.Open }, faint: true},
		{name: "weak", into: func(t *Theme) *Style { return &t.Weak }, auto: "5", dark: "11", light: "5"},
		{name: "good", into: func(t *Theme) *Style { return &t.Good }, auto: "2", dark: "10", light: "2"},
		{name: "bad", into: func(t *Theme) *Style { return &t.Bad }, auto: "1", dark: "9", light: "1", bold: true},
		{name: "gap", into: func(t *Theme) *Style { return &t.Gap }, auto: "5", dark: "13", light: "5"},
		{name: "bar", into: func(t *Theme) *Style { return &t.Bar }, auto: "6", dark: "14", light: "4"},
		{name: "heading", into: func(t *Theme) *Style { return &t.Heading }, bold: true, under: true},
		{name: "input", into: func(t *Theme) *Style { return &t.Input }, under: true},
	}
}

// New builds a theme. An unknown mode or role is an error that lists the valid
// ones.
func New(o Options) (*Theme, error) {
	if o.Mode == "" {
		o.Mode = Auto
	}
	if !slices.Contains(Modes, o.Mode) {
		return nil, fmt.Errorf("theme %q is not known: choose auto, dark or light", o.Mode)
	}
	if err := known(o.Colors); err != nil {
		return nil, err
	}
	r := lipgloss.NewRenderer(io.Discard, termenv.WithProfile(o.Profile))
	r.SetHasDarkBackground(o.Mode != Light)
	r.SetColorProfile(o.Profile)
	t := &Theme{Mode: o.Mode, ASCII: o.ASCII}
	for _, p := range roles() {
		*p.into(t) = build(r, p, o)
	}
	return t, nil
}

// Spell spells out the signs of keys where the terminal cannot show them.
func (t *Theme) Spell(s string) string {
	if !t.ASCII {
		return s
	}
	return spelled.Replace(s)
}

var spelled = strings.NewReplacer("⏎", "enter", "↑↓", "up/down", "←", "left", "→ ", "right ", "↑", "up", "↓", "down", "⊘", "!")

// Next returns the mode after m.
func (m Mode) Next() Mode {
	return Modes[(slices.Index(Modes, m)+1)%len(Modes)]
}

func known(colors map[string]string) error {
	var names []string
	for _, p := range roles() {
		names = append(names, p.name)
	}
	for name := range colors {
		if !slices.Contains(names, name) {
			return fmt.Errorf("colour for %q: no such role; roles are %s", name, strings.Join(names, ", "))
		}
	}
	return nil
}

func build(r *lipgloss.Renderer, p role, o Options) Style {
	st := r.NewStyle().Bold(p.bold).Faint(p.faint).Reverse(p.reverse).Underline(p.under)
	color := map[Mode]string{Auto: p.auto, Dark: p.dark, Light: p.light}[o.Mode]
	if c, ok := o.Colors[p.name]; ok {
		color = c
	}
	if color != "" && !o.NoColor {
		st = st.Foreground(lipgloss.Color(color))
	}
	open, closing, ok := strings.Cut(st.Render("x"), "x")
	if !ok {
		return Style{}
	}
	return Style{open: open, closing: closing}
}
