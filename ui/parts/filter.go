package parts

import (
	tea "github.com/charmbracelet/bubbletea"
	"github.com/sahilm/fuzzy"
)

// Filter narrows a list by fuzzy matching. While it is typed into it takes all
// keys; afterwards it stays until it is cleared.
type Filter struct {
	input  Input
	typing bool
	rows   []int // indexes that match, best first; nil: no filter
	width  int   // length of the source when rows was made
}

// Open starts typing.
func (f *Filter) Open() { f.typing = true }

// Typing reports whether keys go to the filter.
func (f *Filter) Typing() bool { return f.typing }

// Active reports whether the list is narrowed.
func (f *Filter) Active() bool { return f.typing || f.input.Value() != "" }

// Text returns what was typed.
func (f *Filter) Text() string { return f.input.Value() }

// Input returns the input for drawing.
func (f *Filter) Input() *Input { return &f.input }

// Clear shows everything again. It reports whether there was something to clear.
func (f *Filter) Clear() bool {
	was := f.Active()
	*f = Filter{}
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
	f.rows, f.width = Match(f.input.Value(), src), src.Len()
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
