package asked

import (
	"context"
	"fmt"
	"time"

	"inquest/sources"
)

// What a remark is about.
const (
	Table = "table"
	Role  = "role"
)

// Remark is one thing that was typed and is not as it was thought to be.
type Remark struct {
	About string   // Table or Role
	Says  string   // what was looked for, where, and what is there
	Near  []string // what may have been meant, the likeliest first
	Next  string   // what to do
	// Wrong says that nothing can come of it: it has to be corrected. Otherwise it
	// may be right all the same, as the name of a table that was dropped.
	Wrong bool
}

// String is the remark for people: what is so, what may have been meant, what to do.
func (r Remark) String() string {
	if len(r.Near) > 0 {
		return r.Says + ". Did you mean " + Or(r.Near) + "? " + r.Next
	}
	return r.Says + ". " + r.Next
}

const (
	timeout   = 5 * time.Second
	mostNames = 5000
	mostNear  = 3
)

// Check looks the table and the role up on every server among the sources; an empty
// one is not looked up. Servers that do not answer say nothing here: their own check
// does.
func Check(ctx context.Context, list []sources.Source, table, role string) []Remark {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var servers []server
	for _, s := range list {
		if q, ok := s.(sources.Querier); ok {
			servers = append(servers, server{s.Name(), q})
		}
	}
	var out []Remark
	if table != "" {
		out = append(out, checkTable(ctx, servers, table)...)
	}
	if role != "" {
		out = append(out, checkRole(ctx, servers, role)...)
	}
	return out
}

// server is a source that answers SQL.
type server struct {
	name string
	sources.Querier
}

func (s server) rows(ctx context.Context, note, sql string, args ...string) (*sources.Table, bool) {
	t, err := s.Query(ctx, sources.Query{SQL: sql, Args: args, Note: note, Timeout: timeout, MaxRows: mostNames})
	return t, err == nil
}

// relationSQL finds what goes by a name, and, of what has no rows of its own, the
// tables behind it. parse_ident reads the name as SQL does.
const relationSQL = `WITH asked AS (SELECT parse_ident($1) AS part),
rel AS (SELECT c.oid, c.relkind::text AS kind, format('%I.%I', n.nspname, c.relname) AS name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, asked
  WHERE lower(c.relname) = lower(part[array_length(part, 1)]) AND n.nspname !~ '^pg_(toast|temp_)'
    AND (array_length(part, 1) = 1 AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      OR array_length(part, 1) > 1 AND lower(n.nspname) = lower(part[array_length(part, 1) - 1])))
SELECT current_database() AS database, r.kind, r.name, coalesce(string_agg(DISTINCT b.name, ', '), '') AS behind
FROM (SELECT 1) one LEFT JOIN rel r ON true
LEFT JOIN LATERAL (
  SELECT d.refobjid AS oid FROM pg_rewrite w JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass WHERE w.ev_class = r.oid
  UNION SELECT indrelid FROM pg_index WHERE indexrelid = r.oid
  UNION SELECT refobjid FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = r.oid AND refclassid = 'pg_class'::regclass AND r.kind = 'S'
) t ON true
LEFT JOIN LATERAL (SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = t.oid AND c.relkind IN ('r', 'p', 'f')) b ON true
GROUP BY r.kind, r.name, r.oid ORDER BY r.name LIMIT 20`

const tablesSQL = `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp_)'
ORDER BY c.relispartition, 1 LIMIT 5000`

// renamedSQL finds tables that bear the name no longer, while something of theirs
// still does: a rename leaves the names of indexes and sequences as they were.
const renamedSQL = `WITH asked AS (SELECT part[array_length(part, 1)] AS name FROM parse_ident($1) AS part),
part AS (SELECT x.indrelid AS owner, i.relname AS name FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
  UNION SELECT d.refobjid, s.relname FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i'))
SELECT format('%I.%I', n.nspname, t.relname) AS name, min(p.name) AS bears
FROM part p JOIN pg_class t ON t.oid = p.owner AND t.relkind IN ('r', 'p') JOIN pg_namespace n ON n.oid = t.relnamespace, asked
WHERE starts_with(lower(p.name), lower(asked.name) || '_') AND NOT starts_with(lower(p.name), lower(t.relname) || '_')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp_)'
GROUP BY 1 ORDER BY 1 LIMIT 5`

// kinds are what a name can mean beside a table, in words.
var kinds = map[string]string{
	"v": "a view", "m": "a materialized view", "i": "an index", "I": "an index", "S": "a sequence", "c": "a composite type",
}

func checkTable(ctx context.Context, servers []server, table string) []Remark {
	var missing, names, renamed []string
	other := Remark{About: Table, Wrong: true}
	for _, s := range servers {
		found, ok := s.rows(ctx, "is there a table of the name that was asked for", relationSQL, table)
		if !ok {
			continue
		}
		for i := range found.Rows {
			kind, name := found.Text(i, "kind"), found.Text(i, "name")
			switch what := kinds[kind]; {
			case kind == "":
			case what == "":
				return nil // a table
			default:
				behind := found.Text(i, "behind")
				other.Says = fmt.Sprintf("%s is %s (%s, database %s), which holds no rows of its own", name, what, s.name, found.Text(0, "database"))
				other.Next = "Name the table, or leave it out: it is found by itself"
				if behind != "" {
					other.Next = "Name the table behind it: " + behind
				}
			}
		}
		missing = append(missing, fmt.Sprintf("database %s (%s)", found.Text(0, "database"), s.name))
		if was, ok := s.rows(ctx, "tables that bore the name before, by their indexes and sequences", renamedSQL, table); ok {
			for i := range was.Rows {
				renamed = append(renamed, fmt.Sprintf("%s (by %s)", was.Text(i, "name"), was.Text(i, "bears")))
			}
		}
		if all, ok := s.rows(ctx, "tables whose names are like it", tablesSQL); ok {
			for i := range all.Rows {
				names = append(names, all.Text(i, "name"))
			}
		}
	}
	switch {
	case other.Says != "":
		return []Remark{other}
	case len(missing) == 0:
		return nil
	}
	r := Remark{About: Table, Says: fmt.Sprintf("there is no table %s in %s", table, Or(missing))}
	r.Next = "Correct it, or go on if a table of that name was dropped"
	if len(renamed) > 0 {
		r.Says += "; what still bears its name belongs to " + Or(renamed)
		r.Next = "If that is the table under its new name, give that name"
		return []Remark{r}
	}
	r.Near = Near(table, names, mostNear)
	return []Remark{r}
}

const rolesSQL = `SELECT rolname AS name, (rolname = $1)::text AS same FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY rolname = $1 DESC, 1 LIMIT 5000`

func checkRole(ctx context.Context, servers []server, role string) []Remark {
	var missing, names []string
	for _, s := range servers {
		all, ok := s.rows(ctx, "is there a role of the name that was asked for", rolesSQL, role)
		if !ok {
			continue
		}
		if all.Text(0, "same") == "true" {
			return nil
		}
		missing = append(missing, s.name)
		for i := range all.Rows {
			names = append(names, all.Text(i, "name"))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	r := Remark{About: Role, Wrong: true, Says: fmt.Sprintf("there is no role %s on %s", role, Or(missing)), Next: `Name the role that the application connects with (\du in psql lists them), or leave it out`}
	r.Near = Near(role, names, mostNear)
	return []Remark{r}
}
