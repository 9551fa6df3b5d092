package mechanisms

import (
	"fmt"
	"slices"
	"strings"

	inv "inquest/investigations"
)

// Focus is the table that the record belongs to. A short id, such as 42, is a
// key of many tables: facts of the others are about other records.
type Focus struct {
	// Table is empty when any table is meant, or when it could not be decided.
	Table string
	// Known reports that the table was chosen on grounds of its own: by the person,
	// by an id that is unique everywhere, by the log, or by what was lost.
	Known bool
	// Others are tables that hold a row under the same number while the one in focus
	// has lost it: the record may be meant there.
	Others []string
	// Rivals are tables that could be meant as well, with what became of the id
	// there; the fate is undetermined then.
	Rivals []string

	members map[string]bool
	// copies are tables that keep copies of others' rows or refer to them, where no
	// table is in focus: a row in one of them is not the record's own.
	copies   map[string]bool
	resource string // the name under which logs know the table, when they do
	unique   bool
}

// decideFocus chooses the table. Given by the person: that one. Otherwise the
// candidates are compared by what became of the id in each.
func decideFocus(d inv.Deliberation) Focus {
	unique := globallyUnique(d.Record)
	list := candidates(d)
	if len(list) == 0 {
		return Focus{unique: unique, Known: d.Record.Table != "" || unique}
	}
	for i := range list {
		c := &list[i]
		v := newView(d, c.focus(unique))
		c.fate = decideFate(v)
		c.traces = !v.Story.Empty() || !v.Discarded.Empty() || v.Facts.Any(inv.RowVisible, inv.RowNear) || len(v.Story.Removals) > 0 && c.fate.Kind != inv.FateUndetermined
	}
	own := withoutLesser(list)
	f := choose(d, own, unique)
	if f.members == nil {
		f.copies = copiesAmong(list, own)
	}
	return f
}

// copiesAmong are the history tables of the list, and those that refer to others,
// that are not meant themselves.
func copiesAmong(list, own []candidate) map[string]bool {
	out := map[string]bool{}
	for _, c := range list {
		if (c.history || c.byName) && !slices.ContainsFunc(own, func(o candidate) bool { return o.table == c.table }) {
			out[c.table] = true
		}
	}
	return out
}

func choose(d inv.Deliberation, list []candidate, unique bool) Focus {
	if len(list) == 1 {
		f := list[0].focus(unique)
		f.Known = true
		return f
	}
	hinted := filter(list, func(c candidate) bool { return namedInLogs(d, c) })
	gone := filter(list, candidate.explains)
	there := filter(list, func(c candidate) bool { return c.fate.Kind == inv.FatePresent })
	var present []candidate
	if len(gone) == 0 {
		present = both(there, hinted)
	}
	for _, try := range [][]candidate{both(gone, hinted), conflictFree(gone, hinted, there, unique), present} {
		if len(try) == 1 {
			f := try[0].focus(unique)
			f.Known = true
			if !unique && len(both(try, hinted)) == 0 && len(gone) > 0 && len(there) > 0 {
				f.Known, f.Others = false, names(there)
			}
			return f
		}
	}
	switch {
	case len(gone) == 0 && len(there) == 1:
		f := there[0].focus(unique)
		f.Known = unique
		return f
	case len(gone) == 0 && len(there) == 0 && len(hinted) == 1:
		f := hinted[0].focus(unique)
		f.Known = true
		return f
	case len(gone) == 0 && len(there) == 0:
		return Focus{unique: unique} // nothing anywhere: what is missing is missing in all
	}
	return rivals(append(gone, there...), unique)
}

// conflictFree returns the tables with a loss, unless the log names the id for
// another table where it simply is: that one could be meant.
func conflictFree(gone, hinted, there []candidate, unique bool) []candidate {
	if !unique && len(both(gone, hinted)) == 0 && len(both(there, hinted)) > 0 {
		return nil
	}
	return gone
}

func names(list []candidate) []string {
	out := make([]string, 0, len(list))
	for _, c := range list {
		out = append(out, c.table)
	}
	return out
}

// reserve weakens an answer that rests on the choice of a table: a loss is what is
// asked about, and still the number may be meant of another table, which has it.
func (fo Focus) reserve(f inv.Fate) inv.Fate {
	if len(fo.Others) == 0 || f.Kind == inv.FateUndetermined {
		return f
	}
	if f.Standing == inv.Established {
		f.Standing = inv.Probable
	}
	const most = 3
	list := strings.Join(fo.Others[:min(len(fo.Others), most)], ", ")
	if more := len(fo.Others) - most; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	f.Summary += " A row with this key is still in " + list + ": if that is the record, name its table with --table."
	f.Settles = append(f.Settles, "name the table with --table")
	return f
}

func rivals(list []candidate, unique bool) Focus {
	f := Focus{unique: unique, members: map[string]bool{}}
	for _, c := range list {
		f.Rivals = append(f.Rivals, fmt.Sprintf("%s in %s", c.fate.Kind, c.table))
	}
	return f
}

func (c candidate) focus(unique bool) Focus {
	return Focus{Table: c.table, members: c.members, resource: stem(c.table), unique: unique}
}

// parts are the partitions of the table in focus.
func (fo Focus) parts() []string {
	var out []string
	for t := range fo.members {
		if t != fo.Table {
			out = append(out, t)
		}
	}
	slices.Sort(out)
	return out
}

// filter keeps the facts that speak of the table in focus, or of no table.
func (fo Focus) filter(facts inv.Facts) inv.Facts {
	if fo.members == nil {
		return facts.Where(func(f inv.Fact) bool { return !fo.copies[f.Attr("table")] })
	}
	names := fo.logNames(facts)
	return facts.Where(func(f inv.Fact) bool {
		switch f.Kind {
		case inv.IDIssued, inv.APIAnswer:
			return fo.unique || names == nil || f.Attr("resource") == "" || names[f.Attr("resource")]
		case inv.RowElsewhere, inv.RowInHistory:
			return f.Attr("of") == "" || fo.members[f.Attr("of")]
		case inv.WALKeyAbsent:
			return fo.absentIn(f)
		}
		t := f.Attr("table")
		return t == "" || fo.members[t]
	})
}

// absentIn reports whether the fact says that the key is absent in every part of
// the table.
func (fo Focus) absentIn(f inv.Fact) bool {
	tables := strings.Split(f.Attr("tables"), ", ")
	if f.Attr("tables") == "" {
		return true
	}
	for _, t := range tables {
		if fo.members[t] {
			return true
		}
	}
	return false
}

// logNames are the resources by which logs name the table in focus: its own name
// where a log uses it; else, when logs name a single resource with the id, that
// one. Nil means that no log line has a resource.
func (fo Focus) logNames(facts inv.Facts) map[string]bool {
	seen := map[string]bool{}
	for _, f := range facts {
		if (f.Kind == inv.IDIssued || f.Kind == inv.APIAnswer) && f.Attr("resource") != "" {
			seen[f.Attr("resource")] = true
		}
	}
	switch {
	case len(seen) == 0:
		return nil
	case seen[fo.resource]:
		return map[string]bool{fo.resource: true}
	case len(seen) == 1 && !slices.ContainsFunc(candidates(inv.Deliberation{Facts: facts}), func(c candidate) bool { return seen[stem(c.table)] }):
		return seen
	}
	return map[string]bool{}
}

func filter[T any](list []T, ok func(T) bool) []T {
	var out []T
	for _, x := range list {
		if ok(x) {
			out = append(out, x)
		}
	}
	return out
}

// globallyUnique reports whether an id is so long and random that no two tables
// hold it for different things.
func globallyUnique(r inv.Record) bool {
	for _, v := range r.Values() {
		v = strings.NewReplacer("-", "", "{", "", "}", "").Replace(v)
		if len(v) >= 16 && strings.ContainsAny(v, "0123456789") && strings.Trim(v, "0123456789") != "" {
			return true
		}
	}
	return false
}

// stem brings `public."Dtros"`, dtros and dtro to one form, as the probes do for
// the resources of log lines.
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
