package probes

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
	"inquest/sources/catalog"
	"inquest/sources/wal"
)

func integritySiblings() inv.Probe {
	return inv.Probe{
		ID: "integrity.siblings", Step: inv.StepIntegrity, Phase: inv.PhaseRows, Title: "Did others vanish too?",
		Asks:     "How many other rows went with this one, and which of its properties does no row have any more?",
		Why:      "What the vanished have in common, and those that stayed have not, is what the removal went by.",
		Negative: "Rows that were removed by other transactions; properties of other columns than the ones that are counted.",
		Needs:    "WAL of the removal, and SELECT on the table; without an index on a column one pass over the table",
		Timeout:  time.Minute,
		Sends:    "for each table that lost the row:\nSELECT count(*), count(*) FILTER (WHERE column = $1), … FROM table",
		Collect:  collectSiblings,
		Read:     readSiblings,
	}
}

// mostProperties bounds the columns that are counted.
const mostProperties = 16

// together is what a removal took, and what is left.
type together struct {
	Table   string     `json:"table"`
	XID     string     `json:"xid,omitempty"`
	Removed int        `json:"removed"` // other rows that the same transaction took
	Keys    [][]string `json:"keys,omitempty"`
	// Batch is the transaction that inserted the row, nil when WAL does not tell it.
	Batch *batch `json:"batch,omitempty"`
	// Others are the other transactions that WAL shows to have deleted from the table.
	Others others `json:"others,omitzero"`
	// Rows is how many rows the table has now, -1 when that was not counted.
	Rows       int64         `json:"rows"`
	Properties []sharedValue `json:"properties,omitempty"`
}

// sharedValue is a column of the lost row with how many rows still have its value.
type sharedValue struct {
	Column string `json:"column"`
	Value  string `json:"value"`
	Left   int64  `json:"left"`
}

// batch is what was stored together with the row.
type batch struct {
	XID      string   `json:"xid"`
	XIDs     []string `json:"xids"` // with its subtransactions
	Inserted int      `json:"inserted"`
	// Standing is how many of them are there as they were inserted: neither deleted
	// nor updated since; -1 when that was not counted.
	Standing int64 `json:"standing"`
}

// others are transactions that took other rows, in the WAL that was read.
type others struct {
	Xacts int       `json:"xacts"`
	Rows  int       `json:"rows"`
	From  time.Time `json:"from,omitzero"`
	To    time.Time `json:"to,omitzero"`
}

const evidenceTogether = "together"

func collectSiblings(ctx context.Context, c *inv.Collector) error {
	for _, s := range inv.With[sources.Querier](c) {
		server := s.Source.Name()
		for _, t := range closeTables(c, server) {
			if c.Facts.Of(inv.RowVisible).With("table", t.DisplayName()).With("server", server).Any(inv.RowVisible) {
				continue
			}
			row, _ := knownContent(c, server, t)
			found := together{Table: t.DisplayName(), Rows: -1}
			found.removed(c, server, t)
			found.born(c, server, t)
			if found.XID == "" && row == nil {
				continue
			}
			query := "rows that went with the record"
			if q, columns := countQuery(t, row, found.Batch); len(columns) > 0 || found.Batch != nil {
				tab, err := s.Ability.Query(ctx, q)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if err != nil {
					blindTo(c, server+": "+t.DisplayName(), err)
				} else {
					found.count(tab, columns, row)
					query = statement(q)
				}
			}
			if err := c.Keep(evidenceTogether, server, query, t.DisplayName(), found); err != nil {
				return err
			}
		}
	}
	return nil
}

// removed fills in what WAL tells of the transaction that took the row.
func (f *together) removed(c *inv.Collector, server string, t catalog.Table) {
	gone := goneAt(c, t, server)
	f.XID = gone.xid
	for _, l := range lineagesOf(inv.Input{Evidence: c.Runs["database.lineage"].Evidence}) {
		if l.server != server || gone.xid == "" || l.noted(noteDiscarded) {
			continue
		}
		x, _ := l.resolve(uint32(atoi(gone.xid)))
		if x != nil && x.Siblings != nil {
			f.Removed, f.Keys = x.Siblings.Removed, x.Siblings.Keys
		}
	}
}

// born fills in what WAL tells of the transaction that stored the row, and of the
// others that deleted from its table.
func (f *together) born(c *inv.Collector, server string, t catalog.Table) {
	files := map[wal.RelFile]bool{}
	names := map[string]bool{t.DisplayName(): true}
	for _, s := range t.Stored() {
		files[s.File], names[s.DisplayName()] = true, true
	}
	mine := func(fact inv.Fact) bool {
		return names[fact.Attr("table")] && fact.Attr("server") == server && fact.Attr("branch") == ""
	}
	for _, l := range lineagesOf(inv.Input{Evidence: c.Runs["database.lineage"].Evidence}) {
		if l.server != server || l.noted(noteDiscarded) || l.noted(noteDropped) {
			continue
		}
		f.Others = l.othersIn(files, f.XID)
		if inserts := c.Facts.Of(inv.TupleInserted).With("from", "wal").Where(mine); len(inserts) == 1 {
			f.Batch = l.batchOf(inserts[0].Attr("xid"), files)
		}
	}
}

// batchOf is what the transaction that stored the row stored with it, nil when that
// is not known for sure.
func (l lineage) batchOf(xid string, files map[wal.RelFile]bool) *batch {
	x, _ := l.resolve(uint32(atoi(xid)))
	if x != nil && l.Xacts[x.TopXID] != nil {
		x = l.Xacts[x.TopXID] // which tells of the whole family
	}
	if x == nil || x.State != wal.Committed || !l.whole(x) {
		return nil
	}
	b := &batch{XID: fmt.Sprint(x.XID), XIDs: []string{fmt.Sprint(x.XID)}, Standing: -1}
	for _, sub := range x.Subxacts {
		b.XIDs = append(b.XIDs, fmt.Sprint(sub))
	}
	for rel, n := range x.Tables {
		if files[rel] {
			b.Inserted += n.Insert
		}
	}
	if b.Inserted == 0 {
		return nil
	}
	return b
}

// othersIn counts the other committed transactions that deleted from the table, as
// many of them as are described.
func (l lineage) othersIn(files map[wal.RelFile]bool, except string) others {
	var out others
	if x := l.Xacts[uint32(atoi(except))]; x != nil && x.TopXID != 0 {
		except = fmt.Sprint(x.TopXID)
	}
	for _, x := range l.Xacts {
		rows := 0
		for rel, n := range x.Tables {
			if files[rel] {
				rows += n.Delete
			}
		}
		if x.State == wal.Committed && x.TopXID == 0 && rows > 0 && fmt.Sprint(x.XID) != except && l.whole(x) {
			out.Xacts, out.Rows = out.Xacts+1, out.Rows+rows
		}
	}
	if n := len(l.Covered); n > 0 {
		out.From, out.To = l.Covered[n-1].FromTime, l.Covered[n-1].ToTime
	}
	return out
}

// whole reports that nothing in the transaction's family was rolled back to a
// savepoint: its counts would hold rows that were never stored.
func (l lineage) whole(x *wal.Xact) bool {
	for _, o := range l.Xacts {
		if o.TopXID == x.XID && o.State != wal.Committed {
			return false
		}
	}
	return true
}

// countQuery counts, in one pass, the rows and those that have a value of the lost
// row: of columns of plain types that can be a property of many; and those that its
// transaction inserted and nobody changed since.
func countQuery(t catalog.Table, row content, b *batch) (sources.Query, []string) {
	var counts, columns, args []string
	if b != nil && b.Inserted > 1 {
		args = append(args, array(b.XIDs))
		counts = append(counts, "count(*) FILTER (WHERE t.xmin::text = ANY ($1::text[])) AS standing")
	}
	for i, col := range t.Columns {
		value, known := row[col.Name]
		typ, plain := plainType(&t.Columns[i])
		if col.Dropped || !known || value == nil || !plain || slices.Contains(t.PrimaryKey, col.AttNum) || !grouping(typ, *value) || len(columns) == mostProperties {
			continue
		}
		args = append(args, *value)
		name := "t." + catalog.QuoteIdent(col.Name)
		counts = append(counts, fmt.Sprintf("count(*) FILTER (WHERE %s = $%d::%s) AS %s", name, len(args), typ, catalog.QuoteIdent(fmt.Sprintf("p%d", len(columns)+1))))
		columns = append(columns, col.Name)
	}
	return sources.Query{
		SQL:  fmt.Sprintf("SELECT %s FROM %s t", strings.Join(append([]string{"count(*) AS rows"}, counts...), ", "), t.FullName()),
		Args: args, Scans: true, Note: "how many rows still have the lost row's properties", MaxRows: 1,
	}, columns
}

// grouping reports whether a value can be shared by many rows: not a time to the
// second, a long text or a fraction.
func grouping(typ, value string) bool {
	switch typ {
	case "boolean", "smallint", "integer", "bigint", "uuid", "date":
		return true
	case "text":
		return len(value) <= 40
	}
	return false
}

func (f *together) count(t *sources.Table, columns []string, row content) {
	f.Rows = atoi(t.Text(0, "rows"))
	if _, counted := t.Cell(0, "standing"); counted {
		f.Batch.Standing = atoi(t.Text(0, "standing"))
	}
	for i, name := range columns {
		f.Properties = append(f.Properties, sharedValue{Column: name, Value: *row[name], Left: atoi(t.Text(0, fmt.Sprintf("p%d", i+1)))})
	}
}

func readSiblings(in inv.Input) inv.Reading {
	r := inv.Reading{Outcome: inv.Absent}
	looked := 0
	for _, e := range in.Evidence {
		var found together
		if e.Kind != evidenceTogether || e.Decode(&found) != nil {
			continue
		}
		looked++
		f := found.fact(e)
		r.Facts = append(r.Facts, f)
		r.Summary = joinLine(r.Summary, f.Says)
		switch {
		case found.Removed > 0 || f.Attr("none-left") != "" || found.Batch.changed() > 0:
			r.Outcome = inv.Found
		case found.XID == "" && r.Outcome == inv.Absent:
			r.Outcome = inv.BlindOutcome // what took the row is not known
		}
	}
	if looked == 0 {
		if len(in.Blind) > 0 {
			return inv.BlindReading(in.Blind)
		}
		return inv.Reading{Outcome: inv.NotApplicable, Summary: "neither the removal of the row nor its content is known"}
	}
	return r
}

// fewestLeft is how many rows a table must have left for the absence of a value to
// say anything.
const fewestLeft = 20

func (f together) fact(e inv.Evidence) inv.Fact {
	var none, some []string
	for _, p := range f.Properties {
		switch {
		case p.Left == 0 && f.Rows >= fewestLeft:
			none = append(none, p.Column+" = "+short(p.Value, 40))
		case p.Left > 0:
			some = append(some, fmt.Sprintf("%d with %s = %s", p.Left, p.Column, short(p.Value, 40)))
		}
	}
	out := inv.Fact{
		Kind: inv.Cohort, Ground: inv.GroundTruth, Evidence: []string{e.ID},
		Attrs: map[string]string{
			"table": f.Table, "server": e.Source, "xid": f.XID, "removed": itoa(f.Removed), "rows": fmt.Sprint(f.Rows), "none-left": strings.Join(none, "; "), "left": strings.Join(some, "; "),
		},
	}
	says := "no other row of " + f.Table + " is known to have gone with it"
	switch {
	case f.XID != "" && f.Removed > 0:
		says = fmt.Sprintf("xid %s took %s of %s as well%s", f.XID, plural(f.Removed, "other row"), f.Table, f.sample())
	case f.XID != "":
		says = fmt.Sprintf("xid %s took no other row of %s", f.XID, f.Table)
	}
	if f.Rows >= 0 {
		says += fmt.Sprintf("; %s are left", plural(int(f.Rows), "row"))
		if len(none) > 0 {
			says += ", none with " + strings.Join(none, ", nor with ")
		}
		if len(some) > 0 {
			says += ", " + short(strings.Join(some, ", "), 240)
		}
	}
	if b := f.Batch; b != nil && b.Inserted > 1 {
		out.Attrs["batch"], out.Attrs["born-with"] = b.XID, itoa(b.Inserted-1)
		says += fmt.Sprintf("; xid %s had inserted it with %s", b.XID, plural(b.Inserted-1, "other row"))
		if b.Standing >= 0 {
			out.Attrs["stand"] = fmt.Sprint(b.Standing)
			says += fmt.Sprintf(", of which %d stand as it wrote them and %d were changed since or are gone", b.Standing, b.changed())
		}
	}
	if o := f.Others; o.Xacts > 0 {
		out.Attrs["others"], out.Attrs["others-removed"] = itoa(o.Xacts), itoa(o.Rows)
		says += fmt.Sprintf("; in WAL from %s to %s, %s took %s of the table at least", clock(o.From), clock(o.To), plural(o.Xacts, "other transaction"), plural(o.Rows, "row"))
	}
	out.Says = says
	return out
}

// changed is how many of the other rows of the batch were deleted or updated since;
// a row that was updated has another xmin, so it is not told which.
func (b *batch) changed() int64 {
	if b == nil || b.Standing < 0 {
		return 0
	}
	return max(int64(b.Inserted-1)-b.Standing, 0)
}

// sample names some of the keys that went, and their range where they are numbers.
func (f together) sample() string {
	if len(f.Keys) == 0 {
		return ""
	}
	var keys []string
	low, high, numbers := int64(0), int64(0), true
	for i, k := range f.Keys {
		keys = append(keys, strings.Join(k, ","))
		numbers = numbers && len(k) == 1 && isNumber(k[0])
		if numbers {
			n := atoi(k[0])
			if i == 0 || n < low {
				low = n
			}
			high = max(high, n)
		}
	}
	if numbers && len(keys) > 3 {
		return fmt.Sprintf(" (such as %s; from %d to %d)", strings.Join(keys[:3], ", "), low, high)
	}
	return " (such as " + short(strings.Join(keys[:min(len(keys), 3)], ", "), 120) + ")"
}
