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

func rollbackRestore() inv.Probe {
	return inv.Probe{
		ID: "rollback.restore", Step: inv.StepRollback, Phase: inv.PhaseRows, Title: "Can the content be put back?",
		Asks:     "Is the recovered content whole and valid for the table as it is now, and what stands in the way of inserting it again?",
		Why:      "An INSERT of recovered content fails on generated and identity columns, and on parents that are gone as well.",
		Negative: "Triggers, checks and unique keys that would refuse the row; columns of types that are not plain are not held against their type.",
		Needs:    "the row's last content (WAL, a dead version or a log), a connection (--db), and SELECT on the parents",
		Timeout:  30 * time.Second,
		Sends:    restoreColumnsSQL + ";\n\n" + restoreParentsSQL + ";\n\nSELECT ($1::type)::text = $1, …   -- no table is read\n\nfor each parent: SELECT EXISTS (SELECT FROM parent WHERE key = $1)",
		Collect:  collectRestore,
		Read:     readRestore,
	}
}

const restoreColumnsSQL = `SELECT attname AS name, attgenerated <> '' AS generated, attidentity = 'a' AS always
FROM pg_attribute WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum`

const restoreParentsSQL = `SELECT c.conname AS name, n.nspname AS schema, p.relname AS parent,
  (SELECT string_agg(a.attname, E'\x1f' ORDER BY k.ord) FROM unnest(c.conkey) WITH ORDINALITY k(att, ord) JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.att) AS columns,
  (SELECT string_agg(a.attname, E'\x1f' ORDER BY k.ord) FROM unnest(c.confkey) WITH ORDINALITY k(att, ord) JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.att) AS keys
FROM pg_constraint c JOIN pg_class p ON p.oid = c.confrelid JOIN pg_namespace n ON n.oid = p.relnamespace
WHERE c.conrelid = $1::oid AND c.contype = 'f' ORDER BY 1 LIMIT 20`

// restorable is what was found about putting the row back.
type restorable struct {
	Table     string   `json:"table"`
	From      string   `json:"from"`
	Columns   int      `json:"columns"`             // of the table, without generated ones
	Unknown   []string `json:"unknown,omitempty"`   // columns whose value is not known
	Generated []string `json:"generated,omitempty"` // to be left out
	Always    []string `json:"always,omitempty"`    // identity columns: OVERRIDING SYSTEM VALUE
	Invalid   []string `json:"invalid,omitempty"`   // columns whose value the server prints otherwise, or refuses
	Parents   []parent `json:"parents,omitempty"`
	Triggers  []string `json:"triggers,omitempty"` // that fire on an INSERT
}

// parent is a row that a foreign key of the lost one refers to.
type parent struct {
	Constraint string `json:"constraint"`
	Table      string `json:"table"`
	Key        string `json:"key"`
	There      string `json:"there"` // yes, no, or why that is not known
}

const evidenceRestore = "restore"

func collectRestore(ctx context.Context, c *inv.Collector) error {
	for _, s := range inv.With[sources.Querier](c) {
		for _, t := range closeTables(c, s.Source.Name()) {
			row, from := knownContent(c, s.Source.Name(), t)
			if row == nil || t.History != "" || c.Facts.Of(inv.RowVisible).With("table", t.DisplayName()).With("server", s.Source.Name()).Any(inv.RowVisible) {
				continue
			}
			found := restorable{Table: t.DisplayName(), From: from, Triggers: firing(t)}
			for _, look := range []func(context.Context, sources.Querier, *catalog.Table, content) error{found.columns, found.values, found.parents} {
				err := look(ctx, s.Ability, &t, row)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if err != nil {
					blindTo(c, s.Source.Name()+": "+t.DisplayName(), err)
				}
			}
			if found.Columns == 0 {
				continue
			}
			if err := c.Keep(evidenceRestore, s.Source.Name(), "the recovered content of "+t.DisplayName()+" against the table as it is now", t.DisplayName(), found); err != nil {
				return err
			}
		}
	}
	return nil
}

// firing names the triggers that an INSERT into the table sets off.
func firing(t catalog.Table) []string {
	var out []string
	for _, g := range t.Triggers {
		if g.Insert && g.Enabled != "D" {
			out = append(out, g.Name)
		}
	}
	return out
}

func (r *restorable) columns(ctx context.Context, q sources.Querier, t *catalog.Table, row content) error {
	tab, err := q.Query(ctx, sources.Query{SQL: restoreColumnsSQL, Args: []string{fmt.Sprint(t.OID)}, Note: "generated and identity columns"})
	if err != nil {
		return err
	}
	for i := range tab.Rows {
		name := tab.Text(i, "name")
		if tab.Text(i, "generated") == "t" {
			r.Generated = append(r.Generated, name)
			continue
		}
		r.Columns++
		if tab.Text(i, "always") == "t" {
			r.Always = append(r.Always, name)
		}
		if _, known := row[name]; !known {
			r.Unknown = append(r.Unknown, name)
		}
	}
	return nil
}

// values holds each value against its column's type: the server must read it and
// print it as it was.
func (r *restorable) values(ctx context.Context, q sources.Querier, t *catalog.Table, row content) error {
	for i, col := range t.Columns {
		value, known := row[col.Name]
		typ, plain := plainType(&t.Columns[i])
		if col.Dropped || !known || value == nil || !plain || typ == "text" {
			continue
		}
		query := sources.Query{SQL: fmt.Sprintf("SELECT ($1::%s)::text = $1::text AS same", typ), Args: []string{*value}, Note: "is a recovered value one of its column's type; no table is read", MaxRows: 1}
		tab, err := q.Query(ctx, query)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil || tab.Text(0, "same") != "t" {
			r.Invalid = append(r.Invalid, col.Name)
		}
	}
	return nil
}

func (r *restorable) parents(ctx context.Context, q sources.Querier, t *catalog.Table, row content) error {
	tab, err := q.Query(ctx, sources.Query{SQL: restoreParentsSQL, Args: []string{fmt.Sprint(t.OID)}, Note: "parents of the table"})
	if err != nil {
		return err
	}
	for i := range tab.Rows {
		of := catalog.Table{Schema: tab.Text(i, "schema"), Name: tab.Text(i, "parent")}
		p := parent{Constraint: tab.Text(i, "name"), Table: of.DisplayName()}
		var where, args, key []string
		keys := strings.Split(tab.Text(i, "keys"), "\x1f")
		whole := true
		for n, name := range strings.Split(tab.Text(i, "columns"), "\x1f") {
			value, known := row[name]
			if !known || value == nil || n >= len(keys) {
				whole = false // not known, or NULL, which refers to nothing
				break
			}
			args = append(args, *value)
			where = append(where, fmt.Sprintf("p.%s = $%d", catalog.QuoteIdent(keys[n]), len(args)))
			key = append(key, keys[n]+"="+*value)
		}
		if !whole {
			continue
		}
		p.Key = strings.Join(key, ",")
		query := sources.Query{SQL: fmt.Sprintf("SELECT EXISTS (SELECT FROM %s p WHERE %s) AS there", of.FullName(), strings.Join(where, " AND ")), Args: args, Note: "is the parent there", MaxRows: 1}
		there, err := q.Query(ctx, query)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			p.There = "not known: " + short(err.Error(), 120)
		case there.Text(0, "there") == "t":
			p.There = "yes"
		case there.Filtered:
			p.There = "not known: row-level security may hide it"
		default:
			p.There = "no"
		}
		r.Parents = append(r.Parents, p)
	}
	return nil
}

func readRestore(in inv.Input) inv.Reading {
	r := inv.Reading{Outcome: inv.Found}
	for _, e := range in.Evidence {
		var found restorable
		if e.Kind != evidenceRestore || e.Decode(&found) != nil {
			continue
		}
		f := found.fact(e)
		r.Facts = append(r.Facts, f)
		r.Summary = joinLine(r.Summary, f.Says)
	}
	switch {
	case len(r.Facts) == 0 && len(in.Blind) > 0:
		return inv.BlindReading(in.Blind)
	case len(r.Facts) == 0:
		return inv.Reading{Outcome: inv.NotApplicable, Summary: "no content of the record was recovered"}
	}
	return r
}

func (r restorable) fact(e inv.Evidence) inv.Fact {
	value := "whole"
	says := fmt.Sprintf("the content of %s is whole (%s, from %s)", r.Table, plural(r.Columns, "column"), r.From)
	if len(r.Unknown) > 0 {
		value = "incomplete"
		says = fmt.Sprintf("of %s of %s the values of %s are not known", plural(r.Columns, "column"), r.Table, strings.Join(r.Unknown, ", "))
	}
	if len(r.Invalid) > 0 {
		value = "doubtful"
		says += "; the server reads the values of " + strings.Join(r.Invalid, ", ") + " otherwise than they were recovered: check them"
	}
	if len(r.Generated) > 0 {
		says += "; leave out " + strings.Join(r.Generated, ", ") + ", which the server generates"
	}
	if len(r.Always) > 0 {
		says += "; INSERT with OVERRIDING SYSTEM VALUE, for " + strings.Join(r.Always, ", ") + " is an identity column"
	}
	missing := filter(r.Parents, func(p parent) bool { return p.There == "no" })
	for _, p := range missing {
		value = "blocked"
		says += fmt.Sprintf("; its parent %s of %s is gone as well (%s): put that back first", p.Key, p.Table, p.Constraint)
	}
	for _, p := range r.Parents {
		if p.There != "yes" && !slices.Contains(missing, p) {
			says += fmt.Sprintf("; whether its parent %s of %s is there is %s", p.Key, p.Table, p.There)
		}
	}
	if len(r.Triggers) > 0 {
		says += "; triggers fire on the INSERT: " + strings.Join(r.Triggers, ", ")
	}
	var gone, unsure []string
	for _, p := range r.Parents {
		switch name := strings.ReplaceAll(p.Table+" "+p.Key, ",", " "); p.There {
		case "yes":
		case "no":
			gone = append(gone, name)
		default:
			unsure = append(unsure, name)
		}
	}
	f := property(e.ID, r.Table, "restore", value, says)
	f.Attrs["gone"], f.Attrs["unsure"] = strings.Join(gone, ","), strings.Join(unsure, ",")
	f.Attrs["invalid"], f.Attrs["triggers"] = strings.Join(r.Invalid, ","), strings.Join(r.Triggers, ",")
	f.Attrs["server"], f.Attrs["generated"], f.Attrs["identity"] = e.Source, strings.Join(r.Generated, ","), strings.Join(r.Always, ",")
	return f
}
