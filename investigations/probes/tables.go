package probes

import (
	"context"
	"slices"
	"strings"

	inv "inquest/investigations"
	"inquest/sources/catalog"
)

// catalogue is the ability to say which tables can hold a key.
type catalogue interface {
	Candidates(ctx context.Context, key catalog.Key, limit int) ([]catalog.Table, error)
}

// candidates is what the tables probe stores of one server.
type candidates struct {
	Server string          `json:"server"`
	Tables []catalog.Table `json:"tables"`
	// Cut says that there were more than were asked for.
	Cut bool `json:"cut,omitempty"`
	// Continues says that these are further partitions of the table before.
	Continues bool `json:"continues,omitempty"`

	evidence string
}

const evidenceTables = "tables"

// keyOf is the record's key as the driver wants it.
func keyOf(r inv.Record) catalog.Key {
	k := catalog.Key{ID: r.ID, Table: r.Table}
	for _, p := range r.Composite() {
		k.Parts = append(k.Parts, catalog.KeyPart{Column: p.Column, Value: p.Value})
	}
	return k
}

// ownKey returns the match by which a table can hold the record as a row of its
// own: its primary key or a unique key, else, for one value of a composite key, the
// first column of the primary key. A table need not have such a key, or only one that
// leaves out what is marked as deleted: then it is the columns that the person named,
// or the one that is named for the table's own id.
func ownKey(t catalog.Table) (catalog.Match, bool) {
	var best, named catalog.Match
	found, byName := false, false
	for _, m := range t.Matches {
		switch {
		case m.Primary:
			return m, true
		case m.Unique && !found, partOfPrimary(t, m) && !found:
			best, found = m, true
		case !byName && (m.Asked || namesOwnID(t, m)):
			named, byName = m, true
		}
	}
	if !found {
		return named, byName
	}
	return best, found
}

// namesOwnID reports a column that holds the table's own id by its name: id, uuid,
// order_id or orderNumber in orders, public_id.
func namesOwnID(t catalog.Table, m catalog.Match) bool {
	if len(m.Columns) != 1 || t.History != "" {
		return false
	}
	name := strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(m.Columns[0]))
	of := strings.ReplaceAll(stem(t.Name), "_", "")
	for _, before := range []string{"", of, "public", "external", "ext", "global", "api"} {
		if rest, ok := strings.CutPrefix(name, before); ok && slices.Contains(idNames, rest) {
			return true
		}
	}
	return false
}

// idNames are what columns of ids are called.
var idNames = []string{"id", "uuid", "guid", "uid", "key", "ref", "reference", "number", "no", "code"}

func partOfPrimary(t catalog.Table, m catalog.Match) bool {
	if len(t.PrimaryKey) < 2 {
		return false
	}
	for _, p := range m.Parts {
		in := false
		for _, k := range t.PrimaryKey {
			in = in || k == p.AttNum
		}
		if !in {
			return false
		}
	}
	return len(m.Parts) > 0
}

// ownTables returns the tables of one server that can hold the record as a row
// of their own, as the catalogue probe stored them.
func ownTables(c *inv.Collector, server string) []catalog.Table {
	var out []catalog.Table
	for _, found := range tablesOf(c.Runs["database.tables"].Evidence) {
		if found.Server != server {
			continue
		}
		for _, t := range found.Tables {
			if _, ok := ownKey(t); ok {
				out = append(out, t)
			}
		}
	}
	return out
}

// mostClose is of how many tables everything is asked.
const mostClose = 40

// closeTables are the own tables of which everything is asked: all, when they are
// few; else those that the earlier phases saw the record in, or the logs name it
// with, and then the likeliest.
func closeTables(c *inv.Collector, server string) []catalog.Table {
	own := ownTables(c, server)
	if len(own) <= mostClose {
		return own
	}
	seen := seenIn(c.Facts)
	slices.SortStableFunc(own, func(a, b catalog.Table) int { return rank(seen, &b) - rank(seen, &a) })
	return own[:mostClose]
}

// rank is 2 for a table that the record was seen in, 1 for one that a log names it
// with, else 0.
func rank(seen map[string]int, t *catalog.Table) int {
	n := seen[stem(t.Name)]
	for _, s := range t.Stored() {
		n = max(n, seen[s.DisplayName()])
	}
	return max(n, seen[t.DisplayName()])
}

// seenIn ranks the names that facts about the record hold: of tables, and the stems
// of what logs call it.
func seenIn(facts inv.Facts) map[string]int {
	out := map[string]int{}
	for _, f := range facts {
		if r := f.Attr("resource"); r != "" {
			out[stem(r)] = max(out[stem(r)], 1)
		}
		switch f.Kind {
		case inv.TableProperty, inv.RowAbsent, inv.WALKeyAbsent, inv.WALCovered:
			continue
		}
		for _, name := range []string{f.Attr("table"), f.Attr("part")} {
			if name != "" {
				out[name] = 2
			}
		}
	}
	return out
}
