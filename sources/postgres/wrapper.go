package postgres

import (
	"fmt"
	"strings"

	"inquest/sources/catalog"
)

// Functions that a superuser may make for an investigator instead of granting
// pg_read_binary_file, which reads every file of the server. They are recognised
// by name, arguments and result, and used only when a superuser owns them, who
// could read the files anyway. inquest prints how to make them and makes none.
const (
	wrapperWAL  = "inquest_wal_read"  // (text, bigint, bigint): bytes of a file of pg_wal
	wrapperPage = "inquest_page_read" // (oid, bigint): a block of one table, its indexes and TOAST
)

// wrapper is the call name of one of the functions, empty when there is none.
func (f *Facts) wrapper(name string) string {
	schema, ok := f.Wrappers[name]
	if !ok {
		return ""
	}
	return catalog.QuoteIdent(schema) + "." + name
}

// readWALFile is the expression that reads n bytes of a file of pg_wal from off.
func (f *Facts) readWALFile(name, off, n string) string {
	if w := f.wrapper(wrapperWAL); w != "" && !f.Functions[fnReadBinary] {
		return fmt.Sprintf("%s(%s, %s, %s)", w, name, off, n)
	}
	return fmt.Sprintf("pg_read_binary_file('pg_wal/' || %s, %s, %s, true)", name, off, n)
}

// makeWALReader is the SQL of a function that reads nothing but WAL.
func (f *Facts) makeWALReader() string {
	return makeFunction("public."+wrapperWAL, "name text, off bigint, len bigint", "text, bigint, bigint", f.Role,
		`SELECT pg_read_binary_file('pg_wal/' || name, off, len, true) WHERE name ~ '^[0-9A-F]{8}([0-9A-F]{16}([.]partial)?|[.]history)$'`)
}

// makePageReader is the SQL of a function that reads nothing but pages of one
// table, its partitions, their indexes and TOAST.
func (f *Facts) makePageReader(t *TableInfo) string {
	name := quoteLiteral(t.FullName()) + "::regclass"
	return makeFunction("public."+wrapperPage, "rel oid, block bigint", "oid, bigint", f.Role,
		`WITH t AS (SELECT `+name+`::oid AS o UNION SELECT relid::oid FROM pg_partition_tree(`+name+`) UNION SELECT reltoastrelid FROM pg_class WHERE oid IN (SELECT `+name+`::oid UNION SELECT relid::oid FROM pg_partition_tree(`+name+`))) `+
			`SELECT pg_read_binary_file(pg_relation_filepath(rel) || CASE WHEN block >= 131072 THEN '.' || block / 131072 ELSE '' END, block % 131072 * 8192, 8192, true) `+
			`WHERE rel IN (SELECT o FROM t) OR rel IN (SELECT indexrelid FROM pg_index WHERE indrelid IN (SELECT o FROM t))`)
}

func makeFunction(name, params, types, role, body string) string {
	tag := "$f$"
	for strings.Contains(body, tag) {
		tag = "$f" + tag[2:len(tag)-1] + "f$"
	}
	sig := name + "(" + types + ")"
	return "as superuser CREATE FUNCTION " + name + "(" + params + ") RETURNS bytea LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS " + tag + body + tag +
		"; REVOKE ALL ON FUNCTION " + sig + " FROM PUBLIC; GRANT EXECUTE ON FUNCTION " + sig + " TO " + catalog.QuoteIdent(role) + " (afterwards: DROP FUNCTION " + sig + ")"
}
