package ui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"inquest/ui/keys"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/text"
	"inquest/ui/theme"
)

// The smallest screen that can be worked on.
const (
	minWidth  = 44
	minHeight = 12
)

// View draws the screen in front, what to do next, the footer, and overlays.
func (a *App) View() string {
	if a.w <= 0 || a.h <= 0 {
		return ""
	}
	lines := a.draw()
	out := strings.Join(lines, "\n")
	if a.opts.ASCII {
		out = text.ASCII(out)
	}
	return out
}

func (a *App) draw() []string {
	if a.w < minWidth || a.h < minHeight {
		return a.tiny()
	}
	f := nav.Frame{W: a.w, H: a.h, Theme: a.theme, Now: a.opts.Now(), Zone: a.opts.Zone, Tick: a.tick}
	bottom := a.bottom(f)
	body := f.Sized(f.W, f.H-len(bottom))
	lines := a.top().View(body)
	if len(lines) > body.H {
		lines = lines[:body.H]
	}
	for len(lines) < body.H {
		lines = append(lines, text.Blank(f.W))
	}
	lines = append(lines, bottom...)
	for _, o := range a.overlays {
		lines = over(lines, o.View(f), f)
	}
	return lines
}

// bottom is the line that says what to do next, where there is room for it, and
// the footer.
func (a *App) bottom(f nav.Frame) []string {
	var out []string
	if g, ok := a.top().Screen.(nav.Guide); ok && f.H >= 14 {
		if next := g.NextAt(f.Now); next != "" {
			out = append(out, parts.NewLine(f.W).Add(f.Theme.Key, " → ").Add(f.Theme.Strong, "next: ").Clean(f.Theme.Text, f.Theme.Spell(next)).String())
		} else {
			out = append(out, text.Blank(f.W))
		}
	}
	return append(out, a.footer(f))
}

func (a *App) footer(f nav.Frame) string {
	t := f.Theme
	switch {
	case a.toast.Text != "":
		st, glyph := t.Strong, " • "
		if a.toast.Bad {
			st, glyph = t.Bad, " ✗ "
		}
		msg := text.Clean(a.toast.Text)
		l := parts.NewLine(f.W).Add(st, glyph)
		const more = "  ! shows all "
		if text.Width(msg) > l.Left() {
			return l.Add(st, text.Fit(msg, l.Left()-len(more))).Add(t.Dim, more).String()
		}
		return l.Add(st, msg).String()
	case a.opening.Busy():
		return parts.NewLine(f.W).Add(t.Accent, " "+theme.Spinner(f.Tick)+" opening ").Add(t.Text, a.what).Add(t.Dim, "  ctrl+c cancels").String()
	case a.work.Busy():
		return parts.NewLine(f.W).Add(t.Accent, " "+theme.Spinner(f.Tick)+" writing the report").Add(t.Dim, "  ctrl+c cancels").String()
	}
	global := a.globals()
	if form, ok := a.top().Screen.(nav.Former); ok && form.Form() {
		global = formKeys(global)
	}
	return parts.Footer(t, f.W, a.top().table, global)
}

// formKeys names keys that are no text: q and ? are typed into a form.
func formKeys(global keys.Table) keys.Table {
	help, _ := global.ByID("help")
	back, _ := global.ByID("back")
	slices.Reverse(help.Keys)
	help.Short, back.Short, back.ID = "help", "back", "quit"
	return keys.Table{help, back}
}

func (a *App) tiny() []string {
	out := make([]string, 0, a.h)
	for _, s := range text.Wrap(fmt.Sprintf("inquest needs %d×%d; this is %d×%d. Make it larger, or ctrl+c twice to quit.", minWidth, minHeight, a.w, a.h), a.w) {
		if len(out) < a.h {
			out = append(out, text.Fit(s, a.w))
		}
	}
	return out
}

// over lays a box over the middle of the screen.
func over(lines, box []string, f nav.Frame) []string {
	if len(box) == 0 {
		return lines
	}
	w := ansi.StringWidth(box[0])
	x, y := max((f.W-w)/2, 0), max((f.H-len(box))/3, 0)
	for i, b := range box {
		if y+i >= len(lines) {
			break
		}
		base := lines[y+i]
		left := ansi.Truncate(base, x, "")
		right := ansi.TruncateLeft(base, x+w, "")
		for cut := x + w; ansi.StringWidth(right) > f.W-x-w && cut < f.W; { // a wide character was in the way
			cut++
			right = ansi.TruncateLeft(base, cut, "")
		}
		left += text.Blank(x - ansi.StringWidth(left))
		right = text.Blank(f.W-x-w-ansi.StringWidth(right)) + right
		lines[y+i] = left + b + right
	}
	return lines
}
