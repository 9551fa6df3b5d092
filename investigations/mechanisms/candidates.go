package mechanisms

import (
	"slices"
	"strings"

	inv "inquest/investigations"
)

// candidate is a table with a key that the id fits.
type candidate struct {
	table   string
	members map[string]bool // the table and its partitions
	part    bool            // the id is one column of a longer key
	refers  string          // another candidate that its key refers to
	byName  bool            // by its name alone: no foreign key says so
	history bool
	twin    string // the partitioned table that it looks like a former part of
	fate    inv.Fate
	traces  bool
}

// explains reports that the id is gone from, or hidden in, the table.
func (c candidate) explains() bool {
	switch c.fate.Kind {
	case inv.FateDeleted, inv.FateLost, inv.FateNeverCommitted, inv.FateRekeyed, inv.FateHidden:
		return true
	}
	return false
}

// withoutLesser drops tables that are about the record without being its own:
// those whose key refers to another candidate that has it, copies in history
// tables, former partitions, and keys of which the id is only a part.
func withoutLesser(list []candidate) []candidate {
	named := map[string]candidate{}
	for _, c := range list {
		named[c.table] = c
	}
	out := filter(list, func(c candidate) bool {
		parent, refers := named[c.refers]
		_, former := named[c.twin]
		// Without a foreign key the row that is referred to can be gone, without a trace.
		return !(refers && c.refers != c.table && (parent.traces || !c.traces || c.byName)) && !former
	})
	if own := filter(out, func(c candidate) bool { return !c.history }); len(own) > 0 {
		out = own
	}
	whole := filter(out, func(c candidate) bool { return !c.part })
	if slices.ContainsFunc(whole, candidate.explains) {
		out = whole
	}
	return out
}

// candidates collects the tables with a key that the id fits, and those that
// ground truth has the key in.
func candidates(d inv.Deliberation) []candidate {
	home := homeServer(d.Facts)
	var out []candidate
	index := map[string]int{}
	add := func(table string) *candidate {
		i, ok := index[table]
		if !ok {
			i = len(out)
			index[table] = i
			out = append(out, candidate{table: table, members: map[string]bool{table: true}})
		}
		return &out[i]
	}
	roots := partitionRoots(d.Facts)
	for _, f := range d.Facts.Where(func(f inv.Fact) bool { return on(f, home) && f.Attr("table") != "" }) {
		table := rootOf(roots, f.Attr("table"))
		switch f.Kind {
		case inv.TableProperty:
			switch f.Attr("name") {
			case "candidate":
				c := add(table)
				c.part, c.refers, c.byName, c.history = f.Attr("value") == "part", f.Attr("refers"), f.Attr("by-name") == "true", f.Attr("history") != ""
			case "lookalike", "replaced-by":
				add(table).twin = f.Attr("value")
			}
		case inv.TupleInserted, inv.TupleUpdated, inv.TupleDeleted, inv.TupleRekeyed, inv.RowVisible, inv.RowAbsent, inv.RowNear:
			add(table)
		}
	}
	for part, root := range roots {
		if i, ok := index[root]; ok {
			out[i].members[part] = true
		}
	}
	for _, c := range out {
		if i, ok := index[c.twin]; ok && c.twin != "" {
			out[i].members[c.table] = true // a former part still tells of the table
		}
	}
	if asked := filter(out, func(c candidate) bool { return c.asked(d.Record.Table) }); d.Record.Table != "" && len(asked) > 0 {
		return asked
	}
	return out
}

// asked reports whether a person who typed this name can have meant the table.
func (c candidate) asked(name string) bool {
	plain := strings.ReplaceAll(name, `"`, "")
	for t := range c.members {
		_, bare, _ := strings.Cut(t, ".")
		if strings.EqualFold(t, plain) || strings.EqualFold(bare, plain) {
			return true
		}
	}
	return false
}

func partitionRoots(facts inv.Facts) map[string]string {
	out := map[string]string{}
	for _, f := range facts.Of(inv.TableProperty).With("name", "partition") {
		out[f.Attr("table")] = f.Attr("value")
	}
	return out
}

func rootOf(roots map[string]string, table string) string {
	if r := roots[table]; r != "" {
		return r
	}
	return table
}

// namedInLogs reports whether a log line names the id as a key of the table.
func namedInLogs(d inv.Deliberation, c candidate) bool {
	return len(d.Facts.Where(func(f inv.Fact) bool {
		switch f.Kind {
		case inv.IDIssued, inv.APIAnswer:
			return f.Attr("resource") == stem(c.table)
		case inv.LogStatement, inv.LogError:
			return f.Attr("joins") == "id" && c.members[f.Attr("table")]
		}
		return false
	})) > 0
}

func both(a, b []candidate) []candidate {
	return filter(a, func(c candidate) bool {
		return slices.ContainsFunc(b, func(o candidate) bool { return o.table == c.table })
	})
}
