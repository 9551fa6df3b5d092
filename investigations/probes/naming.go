package probes

import (
	"net/url"
	"strings"

	inv "inquest/investigations"
	"inquest/sources"
)

// naming tells whether an event names the record or only holds its digits. A
// long random id is its own proof; a number is not: /customers/42 is not order
// 42, and "took 42 ms" is nobody.
type naming struct {
	values []string
	random bool
	table  string // stem of the table's name, "" when unknown
}

func newNaming(in inv.Input) naming {
	n := naming{values: in.Record.Values(), table: stem(tableOf(in))}
	for _, v := range n.values {
		n.random = n.random || len(v) >= 16 && strings.ContainsAny(v, "0123456789")
	}
	return n
}

// tableOf is the record's table as ground truth or the person names it.
func tableOf(in inv.Input) string {
	for _, kind := range []inv.FactKind{inv.TupleInserted, inv.TupleDeleted, inv.TupleUpdated} {
		for _, f := range in.Facts.Of(kind) {
			if t := f.Attr("table"); t != "" {
				return t
			}
		}
	}
	return in.Record.Table
}

// names reports whether the event is about the record.
func (n naming) names(e sources.Event) bool {
	if e.Weak {
		return false
	}
	if n.random {
		return true
	}
	if resource, _, ok := n.inPath(e.Path); ok {
		return n.table == "" || stem(resource) == n.table
	}
	for k, v := range e.Fields {
		if n.isValue(v) && n.idField(k) {
			return true
		}
	}
	return n.inProse(e.Message)
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

func bare(s string) string { return strings.NewReplacer("-", "", "{", "", "}", "").Replace(s) }

// idField reports whether a field of this name would hold the record's id:
// "id", or the table's own ("order_id" for orders) when the table is known, or
// any "…_id" when it is not.
func (n naming) idField(k string) bool {
	k = strings.ToLower(k[strings.LastIndex(k, ".")+1:])
	base := strings.TrimRight(strings.TrimSuffix(k, "id"), "_-")
	switch {
	case k == "id", k == "record_id", k == "recordid", k == "entity_id", k == "resource_id", k == "key":
		return true
	case base == k || base == "":
		return false
	case n.table != "":
		return stem(base) == n.table
	default:
		return true
	}
}

// inProse reports whether free text names the id beside the table's name, such
// as "order 42 created"; with an unknown table, beside "id".
func (n naming) inProse(msg string) bool {
	words := strings.FieldsFunc(strings.ToLower(msg), func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' || r == '-' || r == '.')
	})
	for i, w := range words {
		if !n.isValue(strings.Trim(w, ".")) {
			continue
		}
		for _, before := range words[max(0, i-2):i] {
			if before == "id" || n.table != "" && stem(before) == n.table || n.table == "" && n.idField(before) {
				return true
			}
		}
	}
	return false
}

// stem brings "public.\"Dtros\"", "dtros" and "dtro" to one form.
func stem(name string) string {
	name = strings.ToLower(strings.Trim(name[strings.LastIndex(name, ".")+1:], `"`))
	name = strings.NewReplacer("_", "", "-", "", " ", "").Replace(name)
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
