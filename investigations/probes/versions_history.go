package probes

import (
	"context"
	"fmt"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
	"inquest/sources/catalog"
)

// mostReferences is how many tables that may refer to the record are asked.
const mostReferences = 12

func versionsHistory() inv.Probe {
	return inv.Probe{
		ID: "versions.history", Step: inv.StepVersions, Phase: inv.PhaseRows, Title: "History and references",
		Asks:     "Does a history, audit or archive table hold a version of the record, and do other tables still refer to it?",
		Why:      "A history row or a dangling reference proves that the record existed, and may hold its content.",
		Negative: "Tables without an index on the id that are too large to read; copies kept outside this database.",
		Needs:    "SELECT on those tables",
		Timeout:  time.Minute,
		Collect:  collectHistory,
		Read:     readHistory,
	}
}

func collectHistory(ctx context.Context, c *inv.Collector) error {
	servers := inv.With[sources.Querier](c)
	if len(servers) == 0 {
		return noServer()
	}
	for _, s := range servers {
		asked := 0
		for _, found := range tablesOf(c.Runs["database.tables"].Evidence) {
			if found.Server != s.Source.Name() {
				continue
			}
			for _, t := range found.Tables {
				for _, m := range references(c, t) {
					if asked++; asked > mostReferences {
						c.Blind("more than "+itoa(mostReferences)+" columns could refer to the id", "name the table with --table")
						return nil
					}
					q := keyQuery(t, m)
					q.Scans, q.Note = true, "rows that refer to the record"
					if _, err := askOne(ctx, c, s, rowAsk{"reference", t, q}); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// references returns the columns by which a table can refer to the record
// without being its own table. A number refers to a record only from a column
// that is named for its table.
func references(c *inv.Collector, t catalog.Table) []catalog.Match {
	n := newNaming(inv.Input{Record: c.Record, Facts: c.Facts})
	var out []catalog.Match
	for _, m := range t.Matches {
		if m.Primary || m.Unique || len(m.Columns) != 1 {
			continue
		}
		column := m.Columns[0]
		base := strings.TrimRight(strings.TrimSuffix(strings.ToLower(column), "id"), "_-")
		named := base != strings.ToLower(column) && n.table != "" && stem(base) == n.table
		if named || n.random && base != strings.ToLower(column) || t.History != "" && n.random {
			out = append(out, m)
		}
	}
	return out
}

func readHistory(in inv.Input) inv.Reading {
	looked := 0
	r := inv.Reading{Outcome: inv.Absent}
	for _, e := range in.Evidence {
		_, table, _ := strings.Cut(e.Tag, ":")
		a := answer{evidence: e.ID, source: e.Source, at: e.CollectedAt}
		if e.Kind != inv.EvidenceTable || e.Decode(&a.Table) != nil {
			continue
		}
		looked++
		for i := range a.Rows {
			op := operationOf(a, i)
			r.Facts = append(r.Facts, inv.Fact{
				Kind: inv.RowInHistory, Ground: inv.GroundTruth, Evidence: []string{a.evidence},
				Attrs: map[string]string{"table": table, "operation": op, "server": a.source},
				Says:  strings.TrimSpace(fmt.Sprintf("%s has a row that names the id %s", table, op)),
			})
		}
		if n := len(a.Rows); n > 0 {
			r.Outcome = inv.Found
			r.Summary = joinLine(r.Summary, fmt.Sprintf("%s in %s", plural(n, "row"), table))
		}
	}
	switch {
	case looked > 0 && r.Outcome == inv.Absent:
		r.Summary = "no row of " + plural(looked, "other table") + " names the id"
	case looked == 0 && len(in.Blind) > 0:
		return inv.BlindReading(in.Blind)
	case looked == 0:
		return inv.Reading{Outcome: inv.NotApplicable, Summary: "no other table has a column that could name the id"}
	}
	return r
}

// operationOf reads the operation of an audit row, such as DELETE, from a column
// that is named for it.
func operationOf(a answer, row int) string {
	for _, name := range a.Columns {
		switch strings.ToLower(name) {
		case "operation", "op", "action", "tg_op", "event", "change_type", "audit_action", "type":
			switch v := strings.ToUpper(a.Text(row, name)); {
			case v == "D" || strings.HasPrefix(v, "DELETE"):
				return "delete"
			case v == "I" || strings.HasPrefix(v, "INSERT"):
				return "insert"
			case v == "U" || strings.HasPrefix(v, "UPDATE"):
				return "update"
			}
		}
	}
	return ""
}
