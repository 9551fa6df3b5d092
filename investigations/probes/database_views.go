package probes

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
	"inquest/sources/catalog"
)

// An application often reads a view and not the table: a flag that the view
// filters by hides the row while the table still has it.
func databaseViews() inv.Probe {
	return inv.Probe{
		ID: "database.views", Step: inv.StepDatabase, Phase: inv.PhaseRows, Title: "Views over the table",
		Asks:     "Does every view over the table that shows its key show the row as well?",
		Why:      "An application that reads a view does not see what the view filters out: inactive rows, drafts, other tenants.",
		Negative: "Filters in the application's own queries; views that join tables or do not show the key.",
		Needs:    "SELECT on the views",
		Timeout:  time.Minute,
		Sends:    "for each view that reads this table alone and shows its key: SELECT 1 FROM view WHERE key = $1 LIMIT 1",
		Collect:  collectViews,
		Read:     readViews,
	}
}

// viewsSQL lists the views that read the table and no other relation, with the
// columns that they show under the same name and type.
const viewsSQL = `SELECT c.oid::text AS oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS quoted, n.nspname || '.' || c.relname AS name,
  has_table_privilege(c.oid, 'SELECT') AS readable, pg_get_viewdef(c.oid) AS definition,
  array(SELECT a.attname FROM pg_attribute a JOIN pg_attribute b ON b.attrelid = $1::oid AND b.attname = a.attname AND b.atttypid = a.atttypid
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)::text AS columns
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_rewrite r ON r.ev_class = c.oid
WHERE c.relkind = 'v'
  AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid = $1::oid)
  AND NOT EXISTS (SELECT FROM pg_depend d JOIN pg_class o ON o.oid = d.refobjid WHERE d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                  AND d.refclassid = 'pg_class'::regclass AND o.relkind IN ('r', 'p', 'v', 'm', 'f') AND d.refobjid NOT IN ($1::oid, c.oid))
ORDER BY name LIMIT 20`

func viewsTag(table string) string { return "views:" + table }

func viewTag(table, view string) string { return "view:" + table + " " + view }

func collectViews(ctx context.Context, c *inv.Collector) error {
	servers := inv.With[sources.Querier](c)
	if len(servers) == 0 {
		return noServer(c)
	}
	for _, s := range standbysFirst(c, servers) {
		for _, t := range closeTables(c, s.Source.Name()) {
			if m, ok := ownKey(t); ok && t.OID != 0 {
				if err := askViews(ctx, c, s, t, m); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func askViews(ctx context.Context, c *inv.Collector, s inv.Able[sources.Querier], t catalog.Table, m catalog.Match) error {
	views := sources.Query{SQL: viewsSQL, Args: []string{fmt.Sprint(t.OID)}, Note: "views that read " + t.DisplayName() + " alone"}
	list, err := query(ctx, c, s, views, viewsTag(t.DisplayName()))
	if err != nil || list == nil {
		return err
	}
	shownBy := 0
	for i := range list.Rows {
		if !showsKey(list.Text(i, "columns"), t, m) {
			continue
		}
		if list.Text(i, "readable") != "t" && c.Options.AppRole == "" {
			c.Blind(s.Source.Name()+": view "+list.Text(i, "name")+" may not be read", "GRANT SELECT ON "+list.Text(i, "quoted")+" to the role")
			continue
		}
		where, args := t.KeyCondition(m)
		q := sources.Query{
			SQL: "SELECT 1 AS shown FROM " + list.Text(i, "quoted") + " t WHERE " + where + " LIMIT 1", Args: args, Scans: true,
			As: c.Options.AppRole, Settings: c.Options.AppSettings, Note: "the row through the view " + list.Text(i, "name"),
		}
		if _, err := query(ctx, c, s, q, viewTag(t.DisplayName(), list.Text(i, "name"))); err != nil {
			return err
		}
		shownBy++
	}
	if shownBy == 0 {
		return nil
	}
	row := keyQuery(t, m)
	row.Note = "the row that the views are about"
	_, err = query(ctx, c, s, row, "viewed:"+t.DisplayName())
	return err
}

// query asks and keeps the answer; a nil table without an error means that the
// server could not answer.
func query(ctx context.Context, c *inv.Collector, s inv.Able[sources.Querier], q sources.Query, tag string) (*sources.Table, error) {
	t, err := s.Ability.Query(ctx, q)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		blindTo(c, s.Source.Name(), err)
		return nil, nil
	}
	return t, c.Keep(inv.EvidenceTable, s.Source.Name(), statement(q), tag, t)
}

// showsKey reports whether a view shows all columns of the key; columns is an
// array of names in PostgreSQL's text form.
func showsKey(columns string, t catalog.Table, m catalog.Match) bool {
	for _, p := range m.Parts {
		name := t.Columns[p.AttNum-1].Name
		if !strings.Contains(","+strings.Trim(columns, "{}")+",", ","+name+",") && !strings.Contains(columns, `"`+name+`"`) {
			return false
		}
	}
	return len(m.Parts) > 0
}

func readViews(in inv.Input) inv.Reading {
	r := inv.Reading{Outcome: inv.NotApplicable, Summary: "no view reads the table alone and shows its key"}
	var says string
	shown, filtered, without := 0, 0, 0
	for _, e := range in.Evidence {
		table, ok := strings.CutPrefix(e.Tag, "views:")
		if !ok || e.Kind != inv.EvidenceTable {
			continue
		}
		var list sources.Table
		if e.Decode(&list) != nil {
			continue
		}
		for i := range list.Rows {
			for _, a := range answersOf(in, viewTag(table, list.Text(i, "name")), e.Source) {
				f, lacks := viewLacks(in, table, &list, i, a)
				switch {
				case len(a.Rows) > 0:
					shown++
				case a.Filtered:
					filtered++ // row-level security may have taken it, not the view
				case lacks:
					r.Facts = append(r.Facts, f)
					says = joinLine(says, f.Says)
				default:
					without++
				}
			}
		}
	}
	switch {
	case len(r.Facts) > 0:
		r.Outcome, r.Summary = inv.Found, says
	case filtered > 0:
		r.Outcome, r.Summary = inv.BlindOutcome, "row-level security may have hidden the row from this role in "+plural(filtered, "view")
		r.Opens = "connect as the table's owner or a role with BYPASSRLS"
	case shown > 0:
		r.Outcome, r.Summary = inv.Absent, plural(shown, "view")+" over the table show the row as the table does"
	case len(in.Blind) > 0:
		return inv.BlindReading(in.Blind)
	case without > 0:
		r.Summary = "the table itself does not show the row, so that no view can leave it out"
	}
	return r
}

func answersOf(in inv.Input, tag, source string) []answer {
	return filter(answers(in, tag), func(a answer) bool { return a.source == source })
}

// livingMark matches names of columns that are false for a row that counts as
// removed. Such a name proves nothing by itself: an inactive account is still one.
var livingMark = regexp.MustCompile(`(?i)^(is_?)?(active|enabled|visible|live|alive|current|valid)(_?flag)?$`)

// viewLacks is the fact that a view does not show a row which the table has, with
// the column that the view's text filters by where one is told.
func viewLacks(in inv.Input, table string, views *sources.Table, i int, a answer) (inv.Fact, bool) {
	name, definition := views.Text(i, "name"), views.Text(i, "definition")
	for _, row := range answersOf(in, "viewed:"+table, a.source) {
		if len(row.Rows) == 0 {
			return inv.Fact{}, false
		}
		f := property(a.evidence, table, "view-lacks", name, fmt.Sprintf("the view %s does not show the row that %s has", name, table))
		f.Attrs["server"], f.Attrs["definition"] = a.source, short(strings.Join(strings.Fields(definition), " "), 400)
		f.Evidence = append(f.Evidence, row.evidence)
		_, filter, _ := strings.Cut(definition, "WHERE")
		for _, column := range row.Columns {
			v, notNull := row.Cell(0, column)
			if notNull && livingMark.MatchString(column) && (v == "f" || v == "0" || strings.EqualFold(v, "n")) && mentions(filter, column) {
				f.Attrs["column"], f.Attrs["is"] = column, v
				f.Says += ": " + column + " is " + v
			}
		}
		return f, true
	}
	return inv.Fact{}, false
}

// mentions reports that a text has a name as a word.
func mentions(text, name string) bool {
	return regexp.MustCompile(`(?i)\b` + regexp.QuoteMeta(name) + `\b`).MatchString(text)
}
