package logformat

import (
	"regexp"
	"regexp/syntax"
	"sync"
)

// lazily returns a regular expression that is compiled when it is first needed:
// most logs need few of them, and a program that reads no log none.
func lazily(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

// firstBytes returns the bytes that a text may begin with which an expression
// matches at its start: all of them when it is not bound to the start, or matches nothing
// at all. A byte that is not among them needs no matching.
func firstBytes(text string) *[256]bool {
	all := new([256]bool)
	for c := range all {
		all[c] = true
	}
	re, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return all
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil || prog.StartCond()&syntax.EmptyBeginText == 0 {
		return all
	}
	out := new([256]bool)
	for c := 0x80; c < 256; c++ {
		out[c] = true // the first byte of another rune, or of none
	}
	seen := make([]bool, len(prog.Inst))
	for todo := []uint32{uint32(prog.Start)}; len(todo) > 0; {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[at] {
			continue
		}
		seen[at] = true
		switch i := &prog.Inst[at]; i.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			todo = append(todo, i.Out, i.Arg)
		case syntax.InstCapture, syntax.InstNop, syntax.InstEmptyWidth:
			todo = append(todo, i.Out)
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			for c := range 0x80 {
				out[c] = out[c] || i.MatchRune(rune(c))
			}
		case syntax.InstMatch:
			return all
		case syntax.InstFail:
		}
	}
	return out
}
