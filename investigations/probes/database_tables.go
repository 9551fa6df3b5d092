package probes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
	"inquest/sources/catalog"
)

// mostTables is how many tables are described at most; a schema with more needs
// --table.
const mostTables = 40

func databaseTables() inv.Probe {
	return inv.Probe{
		ID: "database.tables", Step: inv.StepDatabase, Phase: inv.PhaseCatalogue, Title: "Tables that can hold the id",
		Asks:     "Which tables have a key that the id fits, and what in the catalogue could make a row of them vanish?",
		Why:      "Everything else looks in these tables; their triggers, rules, policies and cascades are suspects.",
		Negative: "Other databases of the cluster; a table that was dropped since.",
		Needs:    "a connection (--db); no privilege beyond connecting",
		Timeout:  30 * time.Second,
		Collect:  collectTables,
		Read:     readTables,
	}
}

func collectTables(ctx context.Context, c *inv.Collector) error {
	servers := inv.With[catalogue](c)
	if len(servers) == 0 {
		return noServer()
	}
	for _, s := range servers {
		tables, err := s.Ability.Candidates(ctx, keyOf(c.Record), mostTables+1)
		if err != nil {
			blindTo(c, s.Source.Name(), err)
			continue
		}
		if err := keepTables(c, s.Source.Name(), tables); err != nil {
			return err
		}
	}
	return nil
}

// keepTables keeps one item a table, so that one with a thousand columns does
// not push out the others.
func keepTables(c *inv.Collector, server string, tables []catalog.Table) error {
	query := "catalogue: tables with a column that fits " + c.Record.ID
	if err := c.Keep(evidenceTables, server, query, "", candidates{Server: server, Cut: len(tables) > mostTables}); err != nil {
		return err
	}
	for _, t := range tables[:min(len(tables), mostTables)] {
		err := c.Keep(evidenceTables, server, query, t.DisplayName(), candidates{Server: server, Tables: []catalog.Table{t}})
		var tooLarge *sources.Blind
		if errors.As(err, &tooLarge) {
			c.Blind(t.DisplayName()+": "+tooLarge.Why, "")
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tablesOf returns what the probe stored, by server.
func tablesOf(evidence []inv.Evidence) []candidates {
	var out []candidates
	for _, e := range evidence {
		if e.Kind != evidenceTables {
			continue
		}
		found := candidates{evidence: e.ID}
		if e.Decode(&found) == nil {
			out = append(out, found)
		}
	}
	return out
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

func readTables(in inv.Input) inv.Reading {
	stored := tablesOf(in.Evidence)
	if len(stored) == 0 {
		return noAnswer(in)
	}
	r := inv.Reading{Outcome: inv.Absent, Summary: "no table has a key that the id fits"}
	var own []string
	for _, found := range stored {
		for _, t := range found.Tables {
			if _, ok := ownKey(t); ok {
				own = append(own, t.DisplayName())
				r.Facts = append(r.Facts, propertyFacts(t, found.evidence)...)
			}
		}
		if found.Cut {
			r.Summary = "more tables fit than are followed"
			r.Facts = append(r.Facts, property(found.evidence, "", "cut", "true", "more tables fit the id than are followed: name the table with --table"))
		}
	}
	if len(own) > 0 {
		r.Outcome = inv.Found
		r.Summary = plural(len(own), "table") + " with a key that fits: " + short(strings.Join(own, ", "), 160)
	}
	return r
}

func property(evidence, table, name, value, says string) inv.Fact {
	return inv.Fact{
		Kind: inv.TableProperty, Ground: inv.GroundTruth, Evidence: []string{evidence},
		Attrs: map[string]string{"table": table, "name": name, "value": value}, Says: says,
	}
}

// propertyFacts are what the catalogue says that can make a row vanish.
func propertyFacts(t catalog.Table, evidence string) []inv.Fact {
	name := t.DisplayName()
	add := func(out *[]inv.Fact, key, value, format string, args ...any) {
		*out = append(*out, property(evidence, name, key, value, fmt.Sprintf(format, args...)))
	}
	var out []inv.Fact
	add(&out, "candidate", "key", "%s has a key that the id fits", name)
	if t.Persistence == "u" {
		add(&out, "persistence", "unlogged", "%s is unlogged: a crash empties it", name)
	}
	if t.RLS.Enabled {
		add(&out, "row-security", "on", "%s has row-level security: %s", name, plural(len(t.Policies), "policy"))
	}
	for _, g := range t.Triggers {
		if g.Enabled == "D" {
			continue
		}
		if g.Swallows && g.Insert && g.Row && g.Timing != "after" {
			add(&out, "swallows", g.Name, "trigger %s on %s can return NULL and so drop an insert without an error", g.Name, name)
		}
		if g.Deletes {
			add(&out, "trigger-deletes", g.Name, "trigger %s on %s runs code that deletes", g.Name, name)
		}
	}
	for _, rule := range t.Rules {
		if rule.Instead && rule.Event == "insert" && rule.Enabled != "D" {
			add(&out, "swallows", rule.Name, "rule %s on %s replaces inserts", rule.Name, name)
		}
	}
	for _, fk := range t.Parents {
		if fk.OnDelete == "c" {
			add(&out, "cascade", fk.Name, "deleting from %s cascades to %s (%s)", fk.Parent, fk.Child, fk.Name)
		}
	}
	if t.Rewritten {
		add(&out, "rewritten", "true", "%s is not in its first file: it was truncated or rewritten at some time", name)
	}
	if len(t.SoftDelete) > 0 {
		add(&out, "soft-delete", strings.Join(t.SoftDelete, ","), "%s has columns that look like a deletion mark: %s", name, strings.Join(t.SoftDelete, ", "))
	}
	return out
}
