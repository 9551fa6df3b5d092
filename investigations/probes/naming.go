package probes

import (
	"net/url"
	"slices"
	"strings"

	inv "inquest/investigations"
	"inquest/sources"
)

// naming tells whether an event names the record or only holds its digits. A
// long random id is its own proof; a number is not: /customers/42 is not order
// 42, and "took 42 ms" is nobody.
type naming struct {
	values []string
	parts  []inv.KeyPart
	random bool
	tables []string // stems of the tables that the id can be a key of
}

func newNaming(in inv.Input) naming {
	n := naming{values: in.Record.Values(), parts: in.Record.Composite()}
	if len(n.parts) > 0 {
		longest := slices.MaxFunc(n.values, func(a, b string) int { return len(a) - len(b) })
		n.values = []string{longest}
	}
	for _, v := range n.values {
		n.random = n.random || len(v) >= 16 && strings.ContainsAny(v, "0123456789")
	}
	for _, t := range tablesMeant(in) {
		n.tables = append(n.tables, stem(t))
	}
	return n
}

// tablesMeant are the tables whose key the id fits, or the one that was asked for.
func tablesMeant(in inv.Input) []string {
	var out []string
	for _, f := range in.Facts.Of(inv.TableProperty).With("name", "candidate") {
		t := f.Attr("table")
		if schema, table, ok := strings.Cut(t, "."); in.Record.Table != "" && !(ok && isTable(in.Record.Table, schema, table)) {
			continue
		}
		if t != "" && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	if len(out) == 0 && in.Record.Table != "" {
		return []string{in.Record.Table} // nothing of it is known but the name that was given
	}
	return out
}

func (n naming) isTable(resource string) bool { return slices.Contains(n.tables, stem(resource)) }

// names reports whether the event is about a record with this id, and as what:
// the stem of the resource or table that it names, "" when it names none.
func (n naming) names(e sources.Event) (resource string, ok bool) {
	if e.Weak || n.otherPart(e) {
		return "", false
	}
	if before, _, found := n.inPath(e.Path); found {
		return stem(before), true
	}
	collection := ""
	if e.Op == sources.OpCreate {
		collection = stem(lastSegment(e.Path))
	}
	for k, v := range e.Fields {
		if base, id := n.idField(k); id && n.isValue(v) {
			return orElse(base, collection), true
		}
	}
	if base, found := n.inProse(e.Message); found {
		return orElse(base, collection), true
	}
	return collection, n.random || n.telling(e)
}

// onlyRefers reports whether the event is about another record, and names this
// one as something that the other belongs to: a POST to /invoices with an order_id
// creates an invoice. The id then stands in fields named for another thing than
// the collection that was posted to, and in no other place that tells.
func (n naming) onlyRefers(e sources.Event) bool {
	if _, _, inPath := n.inPath(e.Path); inPath {
		return false
	}
	last := strings.ToLower(lastSegment(e.Path))
	collection := stem(last)
	refers := false
	for k, v := range e.Fields {
		if !n.isValue(v) {
			continue
		}
		base, isID := n.idField(k)
		switch {
		case isID && base == "", collection != "" && strings.Contains(collection, base):
			return false // its own id
		default:
			refers = true
		}
	}
	if !refers {
		return false
	}
	if last == "" {
		return n.aboutAnother(e)
	}
	return collection != last && !n.isTable(last) // orders, not checkout
}

// aboutAnother reports whether a line without a path speaks of another thing with
// an id of its own beside the record's.
func (n naming) aboutAnother(e sources.Event) bool {
	for k, v := range e.Fields {
		if base, isID := n.idField(k); isID && base == "" && v != "" && !n.isValue(v) {
			return true
		}
	}
	return false
}

// telling reports whether the event holds the id as a word of its own, for an id
// that is more than a number: letters with digits or separators, such as
// BK-20251127 or tenant/42, mean nothing else in passing.
func (n naming) telling(e sources.Event) bool {
	return slices.ContainsFunc(n.values, func(v string) bool {
		return mixedID(v) && holdsWord(strings.ToLower(e.Raw), strings.ToLower(v))
	})
}

// mixedID reports an id of letters with digits or separators, so long that no other
// thing is called so.
func mixedID(v string) bool {
	const shortest = 6
	return len(v) >= shortest && strings.ContainsFunc(v, isLetter) && strings.ContainsFunc(v, func(r rune) bool { return !isLetter(r) })
}

// own reports whether the id means one thing wherever it stands.
func (n naming) own() bool { return n.random || slices.ContainsFunc(n.values, mixedID) }

func isLetter(r rune) bool {
	return r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 127
}

// holdsWord reports whether text holds word with neither a letter nor a digit
// right before or behind it.
func holdsWord(text, word string) bool {
	inWord := func(s string) bool { return s != "" && (isLetter(rune(s[0])) || s[0] >= '0' && s[0] <= '9') }
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return false
		}
		at := from + i
		if (at == 0 || !inWord(text[at-1:at])) && !inWord(text[at+len(word):]) {
			return true
		}
		from = at + 1
	}
}

// otherPart reports whether a field names another value for a part of a
// composite id.
func (n naming) otherPart(e sources.Event) bool {
	for _, p := range n.parts {
		if v := e.Field(p.Column); v != "" && !strings.EqualFold(v, p.Value) {
			return true
		}
	}
	return false
}

func lastSegment(path string) string {
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		path = path[:i]
	}
	path = strings.Trim(path, "/")
	return path[strings.LastIndexByte(path, '/')+1:]
}

// inPath returns the segment before the id and whether the id is the last one.
func (n naming) inPath(path string) (resource string, last, ok bool) {
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		path = path[:i]
	}
	segments := strings.Split(strings.Trim(path, "/"), "/")
	for i, s := range segments {
		if u, err := url.PathUnescape(s); err == nil {
			s = u
		}
		if n.isValue(s) {
			if i > 0 {
				resource = segments[i-1]
			}
			return resource, i == len(segments)-1, true
		}
	}
	return "", false, false
}

func (n naming) isValue(s string) bool {
	for _, v := range n.values {
		if strings.EqualFold(s, v) || n.random && strings.EqualFold(bare(s), bare(v)) {
			return true
		}
	}
	return false
}

// Replacers are made once: a case may hold a hundred thousand lines with ten
// fields each, and making one costs more than using it.
var (
	unframed = strings.NewReplacer("-", "", "{", "", "}", "")
	unparted = strings.NewReplacer("_", "", "-", "", " ", "")
)

func bare(s string) string { return unframed.Replace(s) }

// idField reports whether a field of this name would hold a record's id: "id",
// or "…_id", with the stem of what it is the id of.
func (n naming) idField(k string) (of string, ok bool) {
	k = strings.ToLower(k[strings.LastIndex(k, ".")+1:])
	switch k {
	case "id", "record_id", "recordid", "entity_id", "resource_id", "key":
		return "", true
	}
	for _, suffix := range []string{"id", "code", "number", "no", "ref", "reference", "key", "uuid"} {
		base := strings.TrimRight(strings.TrimSuffix(k, suffix), "_-")
		if base != k && base != "" && (strings.HasSuffix(suffix, "id") || n.isTable(base)) {
			return stem(base), true
		}
	}
	return stem(k), n.isTable(k)
}

// inProse reports whether free text names the id beside the name of one of its
// tables, such as "order 42 created", or beside "id".
func (n naming) inProse(msg string) (of string, ok bool) {
	words := strings.FieldsFunc(strings.ToLower(msg), func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' || r == '-' || r == '.')
	})
	for i, w := range words {
		if !n.isValue(strings.Trim(w, ".")) {
			continue
		}
		for _, before := range words[max(0, i-2):i] {
			base, field := n.idField(before)
			switch {
			case n.isTable(before):
				return stem(before), true
			case before == "id", field && base != "" && (len(n.tables) == 0 || n.isTable(base)):
				return base, true
			}
		}
	}
	return "", false
}

// stem brings "public.\"Dtros\"", "dtros" and "dtro" to one form.
func stem(name string) string {
	name = strings.ToLower(strings.Trim(name[strings.LastIndex(name, ".")+1:], `"`))
	name = unparted.Replace(name)
	switch {
	case strings.HasSuffix(name, "ies") && len(name) > 4:
		return name[:len(name)-3] + "y"
	case strings.HasSuffix(name, "sses"), strings.HasSuffix(name, "xes"), strings.HasSuffix(name, "ches"):
		return name[:len(name)-2]
	case strings.HasSuffix(name, "s") && !strings.HasSuffix(name, "ss") && len(name) > 2:
		return name[:len(name)-1]
	}
	return name
}
