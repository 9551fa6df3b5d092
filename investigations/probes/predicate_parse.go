package probes

import (
	"fmt"
	"slices"

	"inquest/sources/catalog"
)

// predicate is a condition that was found in somebody's code, written anew from
// words that are known to be harmless. Nothing of the found text gets into its SQL
// but the names of the table's own columns, quoted; its strings are parameters.
type predicate struct {
	sql     string   // over t, with $1… for args
	args    []string // values of the parameters
	columns []string // of t that it reads
	// moments are the numbers of the parameters that stand for the present moment.
	moments []int
	// zoned marks one whose value can depend on the session's time zone.
	zoned bool
}

// conditionReader reads a condition and refuses, with a reason, whatever it does
// not know.
type conditionReader struct {
	tokens []token
	at     int
	table  *catalog.Table
	names  []string // by which columns may be qualified: the table, its alias, new
	out    predicate
	depth  int
	nested bool // inside a sub-select that stands for the condition
}

// refusal is why a condition cannot be evaluated.
type refusal struct{ why string }

func (r refusal) Error() string { return r.why }

// readCondition reads a condition over the table's columns that begins at the first
// token. It returns what is left behind it. The error says why the condition is
// not evaluated.
func readCondition(tokens []token, table *catalog.Table, names ...string) (p predicate, rest []token, err error) {
	r := &conditionReader{tokens: tokens, table: table, names: names}
	defer func() {
		if v := recover(); v != nil {
			why, ok := v.(refusal)
			if !ok {
				panic(v)
			}
			err = why
		}
	}()
	r.out.sql = r.or()
	return r.out, r.tokens[r.at:], nil
}

func (r *conditionReader) refuse(format string, args ...any) {
	panic(refusal{fmt.Sprintf(format, args...)})
}

func (r *conditionReader) peek() token {
	if r.at < len(r.tokens) {
		return r.tokens[r.at]
	}
	return token{}
}

func (r *conditionReader) next() token {
	t := r.peek()
	r.at++
	return t
}

func (r *conditionReader) isWord(words ...string) bool {
	t := r.peek()
	return t.kind == tokenWord && slices.Contains(words, t.text)
}

func (r *conditionReader) word(words ...string) bool {
	if r.isWord(words...) {
		r.at++
		return true
	}
	return false
}

func (r *conditionReader) sign(texts ...string) bool {
	if t := r.peek(); t.kind == tokenSign && slices.Contains(texts, t.text) {
		r.at++
		return true
	}
	return false
}

func (r *conditionReader) want(sign string) {
	if !r.sign(sign) {
		r.refuse("%q is not understood", r.peek().text)
	}
}
