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
			if found.XID == "" && row == nil {
				continue
			}
			query := "rows that went with the record"
			if q, columns := countQuery(t, row); len(columns) > 0 {
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

// countQuery counts, in one pass, the rows and those that have a value of the lost
// row: of columns of plain types that can be a property of many.
func countQuery(t catalog.Table, row content) (sources.Query, []string) {
	var counts, columns, args []string
	for i, col := range t.Columns {
		value, known := row[col.Name]
		typ, plain := plainType(&t.Columns[i])
		if col.Dropped || !known || value == nil || !plain || slices.Contains(t.PrimaryKey, col.AttNum) || !grouping(typ, *value) || len(columns) == mostProperties {
			continue
		}
		args = append(args, *value)
		name := "t." + catalog.QuoteIdent(col.Name)
		counts = append(counts, fmt.Sprintf("count(*) FILTER (WHERE %s = $%d::%s) AS %s", name, len(args), typ, catalog.QuoteIdent(fmt.Sprintf("p%d", len(args)))))
		columns = append(columns, col.Name)
	}
	return sources.Query{
		SQL:  fmt.Sprintf("SELECT count(*) AS rows, %s FROM %s t", strings.Join(counts, ", "), t.FullName()),
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
		case found.Removed > 0 || f.Attr("none-left") != "":
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
	out.Says = says
	return out
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
