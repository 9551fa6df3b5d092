package drills_test

import (
	"fmt"
	"strings"
	"testing"

	"inquest/investigations/drills"
)

// keyed says of each kind of record which table it is in and which bytes its row
// versions begin with.
func keyed(record string) (table, bytes string) {
	switch {
	case strings.HasPrefix(record, "BK-"):
		return "bookings", fmt.Sprintf(`set_byte('\x00'::bytea, 0, (octet_length('%[1]s') + 1) * 2 + 1) || '%[1]s'::bytea`, record)
	case len(record) == 36:
		return `"Dtros"`, fmt.Sprintf("uuid_send('%s')", record)
	}
	return "orders", fmt.Sprintf(`(SELECT string_agg(substring(int8send(%s) FROM i FOR 1), ''::bytea ORDER BY i DESC) FROM generate_series(1, 8) i)`, record)
}

// versions reads the pages of the record's table. A lock on a row is not counted
// as the end of it.
func versions(t *testing.T, s drills.Scene) string {
	t.Helper()
	table, bytes := keyed(s.Record)
	value(t, proof(s), "CREATE EXTENSION IF NOT EXISTS pageinspect")
	got := value(t, proof(s), fmt.Sprintf(`
		WITH k AS (SELECT %[2]s AS bytes)
		SELECT string_agg(pg_xact_status(t_xmin::text::xid8) || CASE WHEN t_xmax <> '0' AND t_infomask & 128 = 0 THEN ', ' || pg_xact_status(t_xmax::text::xid8) ELSE '' END, '; ' ORDER BY b, lp)
		FROM k, generate_series(0, pg_relation_size('%[1]s') / current_setting('block_size')::int - 1) b, heap_page_items(get_raw_page('%[1]s', b::int))
		WHERE substring(t_data FROM 1 FOR octet_length(k.bytes)) = k.bytes`, table, bytes))
	if got == "" {
		return "none"
	}
	return got
}
