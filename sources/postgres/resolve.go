package postgres

import (
	"context"
	"fmt"
	"strings"

	"inquest/sources"
)

const resolveSQL = `select c.oid::bigint, n.nspname, c.relname, c.relkind,
 (c.relname = $2 and ($1 = '' or n.nspname = $1)) as exact
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'm', 'f', 'v') and lower(c.relname) = lower($2) and ($1 = '' or lower(n.nspname) = lower($1))
and ($1 <> '' or n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp_)')
order by exact desc, n.nspname = 'public' desc, n.nspname, c.relname`

// Resolve returns the relations that a name means: "schema.table" or "table",
// quoted as in SQL or plain. Plain names match their exact case first, then any
// case; a name without a schema may mean one table in each of several. A name
// that means none is a *sources.Blind that lists similar ones.
func (s *Server) Resolve(ctx context.Context, name string) ([]uint32, error) {
	n, err := splitName(name)
	if err != nil {
		return nil, err
	}
	tab, err := s.query(ctx, "the table of that name", resolveSQL, n.schema, n.table)
	if err != nil {
		return nil, err
	}
	var oids []uint32
	anyExact := truth(tab, 0, "exact")
	for i := range tab.Rows {
		exact := truth(tab, i, "exact")
		if exact || !anyExact && n.allows(tab.Text(i, "nspname"), tab.Text(i, "relname")) {
			oids = append(oids, uint32(number(tab, i, "oid")))
		}
	}
	if len(oids) == 0 {
		return nil, s.noTable(ctx, name, n.table)
	}
	return oids, nil
}

func (s *Server) noTable(ctx context.Context, name, table string) error {
	b := &sources.Blind{Why: fmt.Sprintf("there is no table %s in database %s", name, s.Database()), Opens: "check --table, the database, and the spelling"}
	tab, err := s.query(ctx, "tables of a similar name", `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_' and not c.relispartition
 and (lower(c.relname) like '%' || lower($1) || '%' or lower($1) like '%' || lower(c.relname) || '%') order by 1 limit 5`, table)
	if err != nil {
		return err
	}
	var like []string
	for i := range tab.Rows {
		like = append(like, tab.Text(i, "name"))
	}
	if len(like) > 0 {
		b.Opens = "perhaps " + strings.Join(like, ", ")
	}
	if was := s.renamed(ctx, table); was != "" {
		b.Opens = was
	}
	return b
}

// renamed says which tables bore the name before, for a rename leaves the names of
// indexes as they were; "" when none is known to have.
func (s *Server) renamed(ctx context.Context, table string) string {
	tab, err := s.query(ctx, "tables that bore the name before, by their indexes", `select format('%I.%I', n.nspname, t.relname) as name, min(i.relname) as bears
 from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid join pg_namespace n on n.oid = t.relnamespace
 where starts_with(lower(i.relname), lower($1) || '_') and not starts_with(lower(i.relname), lower(t.relname) || '_')
 and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_' group by 1 order by 1 limit 5`, table)
	if err != nil {
		return ""
	}
	var was []string
	for i := range tab.Rows {
		was = append(was, fmt.Sprintf("--table %s, if that is its new name: %s still bears the old one", tab.Text(i, "name"), tab.Text(i, "bears")))
	}
	return strings.Join(was, "; or ")
}

// tableName is a name as a person typed it; a quoted part counts by its exact
// case only.
type tableName struct {
	schema, table             string
	schemaQuoted, tableQuoted bool
}

func (n tableName) allows(schema, table string) bool {
	return (!n.schemaQuoted || schema == n.schema) && (!n.tableQuoted || table == n.table)
}

// splitName splits a name as SQL does.
func splitName(name string) (tableName, error) {
	var n tableName
	part, quoted, tail, ok := cutName(strings.TrimSpace(name))
	if ok && tail != "" {
		n.schema, n.schemaQuoted = part, quoted
		part, quoted, tail, ok = cutName(tail[1:])
	}
	if !ok || tail != "" {
		return n, fmt.Errorf("table name %q: want schema.table or table, with quotes as in SQL", name)
	}
	n.table, n.tableQuoted = part, quoted
	return n, nil
}

// cutName takes the first part off a dotted name.
func cutName(s string) (part string, quoted bool, tail string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		i := strings.IndexByte(s, '.')
		if i < 0 {
			return s, false, "", s != ""
		}
		return s[:i], false, s[i:], i > 0 && i < len(s)-1
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != '"' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == '"' {
			b.WriteByte('"')
			i++
			continue
		}
		tail = s[i+1:]
		return b.String(), true, tail, b.Len() > 0 && (tail == "" || tail[0] == '.' && len(tail) > 1)
	}
	return "", true, "", false
}
