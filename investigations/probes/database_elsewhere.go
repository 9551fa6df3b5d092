package probes

import (
	"context"
	"fmt"
	"time"

	inv "inquest/investigations"
	"inquest/sources/catalog"
)

// databaseSearcher is the ability to look for an id in every database of a cluster.
type databaseSearcher interface {
	SearchDatabases(ctx context.Context, key catalog.Key, inside bool) ([]catalog.DatabaseSearch, error)
}

// A row of the record's key in another database of the cluster may be the
// record, written to the wrong place, or a copy of it: a clone, a restored
// backup, a staging set. It speaks for the wrong place only where WAL shows that
// no such row was ever written here.
func databaseElsewhere() inv.Probe {
	return inv.Probe{
		ID: "database.elsewhere", Step: inv.StepDatabase, Phase: inv.PhaseRows, Title: "Other databases of the cluster",
		Asks:     "Does another database of the same cluster hold a row with this id?",
		Why:      "A connection string or an environment mix-up puts a record where nobody looks for it.",
		Negative: "Databases that the role may not enter, and other clusters.",
		Needs:    "CONNECT on those databases and SELECT on their tables; an id that is unique beyond its table",
		Timeout:  time.Minute,
		Collect:  collectElsewhere,
		Read:     readElsewhere,
	}
}

const evidenceDatabases = "databases"

func collectElsewhere(ctx context.Context, c *inv.Collector) error {
	if !uniqueEverywhere(inv.Input{Record: c.Record, Facts: c.Facts}) {
		return nil // a number names another record in every database
	}
	servers := inv.With[databaseSearcher](c)
	if len(servers) == 0 {
		return noServer(c)
	}
	for _, s := range servers {
		key := keyOf(c.Record)
		key.Table = ""
		found, err := s.Ability.SearchDatabases(ctx, key, false)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			blindTo(c, s.Source.Name(), err)
			continue
		}
		for _, d := range found {
			if d.Why != "" && !d.Own {
				c.Blind("database "+d.Database+": "+d.Why, d.Opens)
			}
		}
		query := "every key column of every database that can hold " + c.Record.ID
		if err := c.Keep(evidenceDatabases, s.Source.Name(), query, "", found); err != nil {
			return err
		}
	}
	return nil
}

func uniqueEverywhere(in inv.Input) bool {
	n := newNaming(in)
	return n.own() && len(in.Record.Composite()) == 0
}

func readElsewhere(in inv.Input) inv.Reading {
	if !uniqueEverywhere(in) {
		return inv.Reading{Outcome: inv.NotApplicable, Summary: "the id is no proof of identity in another database: a number or a short key names another record there"}
	}
	r := inv.Reading{Outcome: inv.Absent}
	looked := 0
	for _, e := range in.Evidence {
		var found []catalog.DatabaseSearch
		if e.Kind != evidenceDatabases || e.Decode(&found) != nil {
			continue
		}
		for _, d := range found {
			if d.Own {
				continue
			}
			if len(d.Looked) > 0 {
				looked++
			}
			for _, h := range d.Hits {
				if h.Rank <= 1 && !h.Within {
					r.Facts = append(r.Facts, elsewhereFact(in, e, d, h))
				}
			}
		}
	}
	switch {
	case len(r.Facts) > 0:
		r.Outcome, r.Summary = inv.Found, r.Facts[0].Says
	case looked > 0:
		r.Summary = "no row with this id in " + plural(looked, "other database")
		if len(in.Blind) > 0 {
			r.Summary += "; " + plural(len(in.Blind), "database") + " could not be searched"
		}
	case len(in.Blind) > 0:
		return inv.BlindReading(in.Blind)
	default:
		r.Outcome, r.Summary = inv.NotApplicable, "the cluster has no other database that could hold it"
	}
	return r
}

func elsewhereFact(in inv.Input, e inv.Evidence, d catalog.DatabaseSearch, h catalog.PlaceHit) inv.Fact {
	table := h.Schema + "." + h.Table
	f := inv.Fact{
		Kind: inv.RowElsewhere, Ground: inv.GroundTruth, Evidence: []string{e.ID},
		Attrs: map[string]string{"table": table, "column": h.Column, "database": d.Database},
		Says:  fmt.Sprintf("The row is in %s of the database %s on the same cluster.", table, d.Database),
	}
	if !in.Facts.Any(inv.WALKeyAbsent) {
		f.Kind = inv.TableProperty
		f.Attrs["name"], f.Attrs["value"] = "held-by-database", d.Database
		f.Says = fmt.Sprintf("%s of the database %s holds a row with this id: the record, or a copy of it", table, d.Database)
	}
	return f
}
