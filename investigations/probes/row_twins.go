package probes

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	inv "inquest/investigations"
	"inquest/sources"
	"inquest/sources/catalog"
)

// askTwins asks for rows that hold the lost row's natural key or content under
// another key. It needs the lost row's content, as WAL or a dead version gave it.
func askTwins(ctx context.Context, c *inv.Collector, s inv.Able[sources.Querier], t catalog.Table, m catalog.Match) error {
	row := lastContent(c, s.Source.Name(), t)
	if row == nil {
		return nil
	}
	if err := askSameXact(ctx, c, s, t, m, row); err != nil {
		return err
	}
	for _, columns := range naturalKeys(t, m, row) {
		q := twinQuery(t, m, columns, row)
		if _, err := askOne(ctx, c, s, rowAsk{"twin[" + strings.Join(columns, ", ") + "]", t, q}); err != nil {
			return err
		}
	}
	return nil
}

// askSameXact asks for rows that the deleting transaction inserted into the same
// table, and which of their columns equal the lost row's.
func askSameXact(ctx context.Context, c *inv.Collector, s inv.Able[sources.Querier], t catalog.Table, m catalog.Match, row map[string]*string) error {
	var xids []string
	for _, f := range c.Facts.Of(inv.TupleDeleted).With("table", t.DisplayName()).With("server", s.Source.Name()) {
		for _, x := range c.Facts.Of(inv.XactContents).With("xid", f.Attr("xid")).With("server", s.Source.Name()) {
			if x.Number("inserts") > 0 && !slices.Contains(xids, f.Attr("xid")) {
				xids = append(xids, f.Attr("xid"))
			}
		}
	}
	var same, args, key []string
	for _, col := range t.Columns {
		v := row[col.Name]
		if col.Dropped || v == nil || slices.Contains(m.Columns, col.Name) || isTime(col.TypeName) || len(*v) < 3 || len(*v) > 2000 || strings.HasPrefix(col.TypeName, "json") {
			continue
		}
		args = append(args, *v)
		same = append(same, fmt.Sprintf("CASE WHEN t.%s::text = $%d THEN %s END", catalog.QuoteIdent(col.Name), len(args)+1, quoted(col.Name)))
	}
	if len(xids) == 0 || len(same) < 2 {
		return nil
	}
	for _, c := range m.Columns {
		key = append(key, "t."+catalog.QuoteIdent(c)+"::text")
	}
	q := sources.Query{
		SQL: fmt.Sprintf("SELECT concat_ws(',', %s) AS \"%s\", t.xmin::text AS \"%s\", concat_ws(', ', %s) AS same, %d AS compared FROM %s t WHERE t.xmin::text = ANY ($1::text[]) LIMIT 20",
			strings.Join(key, ", "), colNear, colXmin, strings.Join(same, ", "), len(same), t.FullName()),
		Args: append([]string{array(xids)}, args...), Scans: true, Note: "rows that the deleting transaction inserted",
	}
	_, err := askOne(ctx, c, s, rowAsk{"same-xact", t, q})
	return err
}

// quoted is a string literal.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// sameXactFacts states the row that replaced the lost one: the one row that the
// deleting transaction inserted, when it deleted one row and half of the content
// is equal; of several, the one that differs in a single column at most.
func sameXactFacts(in inv.Input, table string, a answer, base func(inv.FactKind, string, ...string) inv.Fact) []inv.Fact {
	var out []inv.Fact
	for i := range a.Rows {
		xid, compared := a.Text(i, colXmin), int(atoi(a.Text(i, "compared")))
		same := len(strings.Split(a.Text(i, "same"), ", "))
		if a.Text(i, "same") == "" {
			same = 0
		}
		single := len(a.Rows) == 1 && slices.ContainsFunc(in.Facts.Of(inv.XactContents).With("xid", xid), func(f inv.Fact) bool { return f.Attr("deletes") == "1" && f.Attr("inserts") == "1" })
		if single && 2*same >= compared && same >= 2 || same >= compared-1 && same >= 2 {
			key, by := a.Text(i, colNear), a.Text(i, "same")
			out = append(out, base(inv.RowTwin, fmt.Sprintf("xid %s, which deleted the row, inserted one into %s with the same %s under the key %s", xid, table, by, key), "key", key, "by", by, "xid", xid))
		}
	}
	if len(out) != 1 {
		return nil
	}
	return out
}

func atoi(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

// lastContent is the content of the key's row as it was recovered.
func lastContent(c *inv.Collector, server string, t catalog.Table) map[string]*string {
	names := []string{t.DisplayName()}
	for _, leaf := range t.Stored() {
		names = append(names, leaf.DisplayName())
	}
	in := inv.Input{Evidence: c.Runs["database.lineage"].Evidence}
	for _, l := range slices.Backward(lineagesOf(in)) {
		for _, e := range slices.Backward(l.Events) {
			if l.server == server && slices.Contains(names, e.Table) && len(e.Row) > 0 && len(e.Unknown) == 0 {
				return e.Row
			}
		}
	}
	for _, p := range pagesOf(c.Runs["database.versions"].Evidence) {
		for _, ps := range p.searches {
			for _, v := range ps.Versions {
				if p.server == server && slices.Contains(names, v.Table) && v.Key == "same" && len(v.Row) > 0 && len(v.Unknown) == 0 {
					return v.Row
				}
			}
		}
	}
	return nil
}

// knownContent is what is known of the row's last content, and from where: WAL or a
// dead version, else what a logged insert gave to the server. A column that is not
// known is missing.
func knownContent(c *inv.Collector, server string, t catalog.Table) (content, string) {
	if row := lastContent(c, server, t); row != nil {
		return row, "wal or heap"
	}
	in := inv.Input{Record: c.Record, Facts: c.Facts}
	for _, probe := range []string{"database.serverlog", "concurrency.request"} {
		in.Evidence = append(in.Evidence, c.Runs[probe].Evidence...)
	}
	list := loggedContents(in, eventsOf(in, ""))
	for _, rec := range slices.Backward(list) {
		if rec.Table == t.DisplayName() {
			return rec.Row, "log"
		}
	}
	return nil, ""
}

// naturalKeys returns the sets of columns by which the row can be known again:
// those of other unique indexes, else everything but the key and times.
func naturalKeys(t catalog.Table, m catalog.Match, row map[string]*string) [][]string {
	var out [][]string
	for _, ix := range t.Indexes {
		if columns := plainColumns(t, ix); ix.Unique && !ix.Primary && !ix.Partial && columns != nil && !haveCommon(columns, m.Columns) && allSet(row, columns) {
			out = append(out, columns)
		}
	}
	var content []string
	weight := 0
	for _, col := range t.Columns {
		v := row[col.Name]
		if col.Dropped || v == nil || slices.Contains(m.Columns, col.Name) || isTime(col.TypeName) || len(*v) > 2000 || strings.HasPrefix(col.TypeName, "json") {
			continue
		}
		content = append(content, col.Name)
		weight += len(*v)
	}
	const telling = 16 // characters of content that two rows do not share by chance
	if len(content) >= 2 && weight >= telling {
		out = append(out, content)
	}
	return out
}

func plainColumns(t catalog.Table, ix catalog.Index) []string {
	var out []string
	for _, c := range ix.Columns[:min(ix.Keys, len(ix.Columns))] {
		if c.AttNum < 1 || int(c.AttNum) > len(t.Columns) {
			return nil
		}
		out = append(out, t.Columns[c.AttNum-1].Name)
	}
	return out
}

func haveCommon(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

func allSet(row map[string]*string, columns []string) bool {
	return !slices.ContainsFunc(columns, func(c string) bool { return row[c] == nil })
}

func isTime(typeName string) bool { return strings.HasPrefix(typeName, "timestamp") }

func twinQuery(t catalog.Table, m catalog.Match, columns []string, row map[string]*string) sources.Query {
	var where, args, key []string
	for i, c := range columns {
		where = append(where, fmt.Sprintf("t.%s::text = $%d", catalog.QuoteIdent(c), i+1))
		args = append(args, *row[c])
	}
	for _, c := range m.Columns {
		key = append(key, "t."+catalog.QuoteIdent(c)+"::text")
	}
	return sources.Query{
		SQL: fmt.Sprintf("SELECT concat_ws(',', %s) AS \"%s\", t.xmin::text AS \"%s\" FROM %s t WHERE %s LIMIT 3",
			strings.Join(key, ", "), colNear, colXmin, t.FullName(), strings.Join(where, " AND ")),
		Args: args, Scans: true, Note: "rows with the lost row's content under another key",
	}
}

// twinFacts states the rows of one such query. Several equal rows tell nothing:
// the content is no key then.
func twinFacts(how, table string, a answer, asked []string, base func(inv.FactKind, string, ...string) inv.Fact) []inv.Fact {
	by := strings.TrimSuffix(strings.TrimPrefix(how, "twin["), "]")
	if len(a.Rows) != 1 || slices.Contains(asked, a.Text(0, colNear)) {
		return nil
	}
	key := a.Text(0, colNear)
	return []inv.Fact{base(inv.RowTwin, fmt.Sprintf("%s has a row with the same %s under the key %s", table, cmp.Or(by, "content"), key), "key", key, "by", by, "xid", a.Text(0, colXmin))}
}
