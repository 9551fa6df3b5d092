package parts

import (
	"context"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/sahilm/fuzzy"

	"inquest/ui/task"
)

// Filter narrows a list by fuzzy matching. While it is typed into it takes all
// keys; afterwards it stays until it is cleared.
type Filter struct {
	input  Input
	typing bool
	rows   []int // indexes that match, best first; nil: no filter
	slot   task.Slot
}

// Open starts typing.
func (f *Filter) Open() { f.typing = true }

// Typing reports whether keys go to the filter.
func (f *Filter) Typing() bool { return f.typing }

// Active reports whether the list is narrowed.
func (f *Filter) Active() bool { return f.typing || f.input.Value() != "" }

// Text returns what was typed.
func (f *Filter) Text() string { return f.input.Value() }

// Set filters by a text without typing it; Apply must follow.
func (f *Filter) Set(text string) { f.input.Set(text) }

// Input returns the input for drawing.
func (f *Filter) Input() *Input { return &f.input }

// Clear shows everything again. It reports whether there was something to clear.
func (f *Filter) Clear() bool {
	was := f.Active()
	f.slot.Stop()
	*f = Filter{slot: f.slot}
	return was
}

// Type takes a key: enter keeps the filter, escape clears it. It reports
// whether the matches may have changed.
func (f *Filter) Type(k tea.KeyMsg) bool {
	switch k.String() {
	case "esc":
		return f.Clear()
	case "enter", "up", "down", "tab":
		f.typing = false
		return false
	}
	return f.input.Type(k)
}

// Apply matches the texts anew. Call it when the filter or the source changed.
func (f *Filter) Apply(src fuzzy.Source) {
	f.slot.Stop()
	f.rows = Match(f.input.Value(), src)
}

// beside is the length from which a source is matched beside the screen.
const beside = 20_000

// Refresh is Apply for sources that may be long: it returns a command that
// matches them beside the screen, whose answer Take accepts. Until then the
// rows stay as they are. src must not change.
func (f *Filter) Refresh(src fuzzy.Source) tea.Cmd {
	pattern := f.input.Value()
	if pattern == "" || src.Len() < beside {
		f.Apply(src)
		return nil
	}
	return f.slot.Start(context.Background(), func(context.Context) (any, error) { return Match(pattern, src), nil })
}

// Take accepts the answer of the newest Refresh.
func (f *Filter) Take(d task.Done) bool {
	if !f.slot.Take(d) {
		return false
	}
	f.rows, _ = d.Value.([]int)
	return true
}

// Len returns how many of n rows are shown.
func (f *Filter) Len(n int) int {
	if f.rows == nil {
		return n
	}
	return len(f.rows)
}

// At returns the row of the source that is shown in place i.
func (f *Filter) At(i int) int {
	if f.rows == nil {
		return i
	}
	if i < 0 || i >= len(f.rows) {
		return -1
	}
	return f.rows[i]
}

// Match returns the indexes of the texts that match the pattern, best first,
// or nil when the pattern is empty.
func Match(pattern string, src fuzzy.Source) []int {
	if pattern == "" {
		return nil
	}
	found := fuzzy.FindFrom(pattern, src)
	out := make([]int, len(found))
	for i, m := range found {
		out[i] = m.Index
	}
	return out
}

// Texts adapts a function to what fuzzy matching reads.
type Texts struct {
	N  int
	At func(i int) string
}

// Len returns the number of texts.
func (t Texts) Len() int { return t.N }

// String returns one text.
func (t Texts) String(i int) string { return t.At(i) }
