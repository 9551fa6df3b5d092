package drills_test

import "maps"

// proofs says of each drill how its incident shows on the server.
func proofs() map[string]happened {
	return map[string]happened{
		"vanished-dtro": {
			tuple: "aborted",
			sql: map[string]string{
				`SELECT count(*) FROM "Dtros" WHERE "Id" = '$ID'`:          "0",
				`SELECT count(*) > 2400 FROM "Dtros"`:                      "t",
				`SELECT count(*) FROM "Dtros" WHERE NOT "Data" ? 'Source'`: "1",
				`SELECT count(*) FROM pg_attribute WHERE attrelid = '"Dtros"'::regclass AND attisdropped AND attnum IN (5,6,18,19,20,21)`: "6",
				`SELECT attnum FROM pg_attribute WHERE attrelid = '"Dtros"'::regclass AND attname = 'ApplicationId'`:                      "24",
			},
			log: []string{
				`db=dtro-prod-database,user=dtro ERROR:  canceling statement due to statement timeout`,
				`user=support_portal ERROR:  .*violates foreign key constraint "FK_Dtros_Applications_ApplicationId"`,
				`Z,createFromBody,201,$ID,`, `Z,updateFromBody,404,$ID,`, `Dtro \\u0027$ID\\u0027 has either been deleted`, `"PUT /v1/dtros/updateFromBody/$ID HTTP/1.1" 404`,
			},
			silent: []string{`DELETE [^\n]*$ID`},
		},
		"psql-delete": {
			tuple:  "committed, committed",
			sql:    with(orderGone, keyInWAL, "t"),
			log:    []string{`mkoval@shop/\[unknown\] LOG:  connection authorized: user=mkoval database=shop application_name=psql`, `mkoval@shop/psql LOG:  disconnection`, `"status":404,"record_id":"$ID"`},
			silent: []string{"DELETE"},
		},
		"psql-delete-silent":    {tuple: "committed, committed", sql: orderGone, log: []string{`"status":404,"record_id":"$ID"`}, silent: []string{"DELETE", "mkoval", "connection authorized"}},
		"psql-delete-crowd":     {tuple: "committed, committed", sql: orderGone, log: []string{"application_name=psql"}, silent: []string{"DELETE"}},
		"rolled-back-error":     {tuple: "aborted", sql: orderGone, log: []string{`xid=[1-9]\d* ERROR:  duplicate key value violates unique constraint "vouchers_pkey"`, "deadlock detected"}},
		"rolled-back-silent":    {tuple: "aborted", sql: orderGone, log: []string{"stock_sync@shop xid=[1-9].*deadlock detected"}, silent: []string{"shop_app@shop xid=[1-9]", "unexpected EOF", "ROLLBACK"}},
		"deadlock-victim":       {tuple: "aborted", sql: orderGone, log: []string{"shop_app@shop/orders-api xid=[1-9].*deadlock detected"}},
		"serialization-failure": {tuple: "aborted", sql: orderGone, log: []string{"shop_app@shop/orders-api xid=[1-9].*could not serialize access"}},
		"crash-in-flight":       {tuple: "aborted", sql: orderGone, log: []string{"was terminated by signal 9", "redo done"}},
		"terminated-in-flight":  {tuple: "aborted", sql: orderGone, log: []string{"shop_app@shop/orders-api FATAL:  terminating connection due to administrator command"}},
		"client-gone":           {tuple: "aborted", sql: orderGone, log: []string{"xid=[1-9].*unexpected EOF on client connection with an open transaction"}},
		"idle-timeout":          {tuple: "aborted", sql: orderGone, log: []string{"25P03 xid=[1-9].*terminating connection due to idle-in-transaction timeout"}},
		"transaction-open": {tuple: "in progress", sql: map[string]string{
			`SELECT count(*) FROM bookings WHERE code = '$ID'`: "0",
			`SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND application_name = 'bookings' AND backend_xid IS NOT NULL`: "1",
		}},
		"prepared-orphan": {tuple: "in progress", sql: map[string]string{
			`SELECT count(*) FROM bookings WHERE code = '$ID'`: "0", `SELECT gid FROM pg_prepared_xacts`: "coord-7_131077_invoice",
		}},
		"response-before-write": {tuple: "none", sql: bookingGone, log: []string{`execute <unnamed>: SELECT code FROM bookings`, `parameters: \$1 = '$ID'`, `level=error.*id=$ID`, `status=201.*id=$ID`}, silent: []string{`INSERT INTO bookings[^\n]*\n[^\n]*'$ID'`}},
		"insert-refused":        {tuple: "none", sql: bookingGone, log: []string{`null value in column ""guest""`, `Failing row contains \($ID`, `status=201.*id=$ID`}},
		"write-swallowed":       {tuple: "none", sql: bookingGone, log: []string{`parameters: \$1 = '$ID', .*Blank Agency Travel`, `status=201.*id=$ID`}},
		"soft-deleted": {
			sql: map[string]string{`SELECT hidden FROM bookings WHERE code = '$ID'`: "t"}, log: []string{`UPDATE bookings SET hidden = true`},
		},
		"id-mismatch-case": {sql: map[string]string{
			`SELECT count(*) FROM bookings WHERE code = '$ID'`: "0", `SELECT count(*) FROM bookings WHERE lower(code) = '$ID'`: "1",
		}},
		"wrong-place": {tuple: "none", sql: map[string]string{
			`SELECT count(*) FROM bookings WHERE code = '$ID'`: "0", `SELECT count(*) FROM training.bookings WHERE code = '$ID'`: "1",
		}},
		"retention-delete": {
			sql: with(orderGone, "SELECT count(*) FROM jobs WHERE kind = 'purge_stale_drafts'", "4"),
			log: []string{`batch@shop/cron: purge_stale_drafts LOG:  disconnection`}, silent: []string{"DELETE", "application_name=psql"},
		},
		"retention-by-hand": {
			sql: with(orderGone, "SELECT count(*) FROM jobs WHERE kind = 'purge_stale_drafts'", "3"),
			log: []string{`application_name=psql`}, silent: []string{"DELETE"},
		},
		"cascade-delete":  {tuple: "committed, committed", sql: orderGone, log: []string{`DELETE FROM customers WHERE id`, `"method":"DELETE","path":"/customers/`}, silent: []string{"DELETE FROM orders"}},
		"explicit-delete": {tuple: "committed, committed", sql: orderGone, log: []string{`DELETE FROM orders WHERE customer_id`, `DELETE FROM customers WHERE id`}},
		"api-delete":      {tuple: "committed, committed", sql: orderGone, log: []string{`partner-linden \[.*"DELETE /orders/$ID HTTP/1.1" 204`}},
		"still-present": {
			sql: map[string]string{"SELECT count(*) FROM orders WHERE id = $ID": "1"}, log: []string{`"GET /v2/orders/$ID HTTP/1.1" 404`},
		},
		"truncate":      {tuple: "none", sql: with(orderGone, "SELECT count(*) < 200 FROM orders", "t"), log: []string{"application_name=psql"}, silent: []string{"TRUNCATE orders"}},
		"script-delete": {tuple: "committed, committed", sql: with(orderGone, "SELECT count(*) FROM applied_scripts", "2"), log: []string{"ops_batch@shop/psql LOG:  disconnection"}},
		"key-changed":   {sql: with(orderGone, "SELECT status FROM orders WHERE id = $ID + 7000000", "routed"), log: []string{"UPDATE orders SET id = id"}},
		"rerouted-deleted": {
			sql: with(orderGone, "SELECT count(*) FROM orders WHERE id = $ID + 7000000", "0"),
			log: []string{"UPDATE orders SET id = id", `mkoval@shop/psql LOG:  statement: DELETE FROM orders WHERE id = 70`},
		},
		"schema-dropped": {
			sql: map[string]string{"SELECT count(*) FROM pg_namespace WHERE nspname = 'claims'": "0", "SELECT count(*) FROM pg_class WHERE relname = 'claims'": "0"},
			log: []string{`"status":201,"record_id":"$ID"`, `relation "claims.claims" does not exist`, "shop_owner@shop/psql LOG:  disconnection"}, silent: []string{"DROP SCHEMA"},
		},
		"unlogged-reset": {
			sql: map[string]string{"SELECT count(*) FROM baskets": "0", "SELECT relpersistence FROM pg_class WHERE relname = 'baskets'": "u"},
			log: []string{"was not properly shut down", `"status":201,"record_id":"$ID"`},
		},
		"row-security": {
			sql: map[string]string{"SELECT count(*) FROM documents WHERE ($ID)": "1", "SELECT count(*) FROM documents WHERE ($ID) AND folder_tenant = 4": "0"},
			log: []string{`PUT /tenants/4/documents/\d+ -> 201`, `GET /tenants/4/documents/\d+ -> 404`},
		},
		"detached-partition": {sql: map[string]string{
			"SELECT count(*) FROM readings WHERE id = '$ID'": "0", "SELECT count(*) FROM readings_last WHERE id = '$ID'": "1",
			"SELECT relispartition FROM pg_class WHERE relname = 'readings_last'": "f", "SELECT count(*) FROM readings_now": "*",
		}, log: []string{"DETACH PARTITION readings_last"}},
		"partition-drop": {sql: map[string]string{
			"SELECT count(*) FROM readings WHERE id = '$ID'": "0", "SELECT count(*) FROM pg_class WHERE relname LIKE 'readings_last%'": "0",
		}, log: []string{"DROP TABLE readings_last"}},
		"wal-recycled": {tuple: "none", sql: with(orderGone, keyInWAL, "f"), silent: []string{"DELETE", "psql"}},
		"log-gap":      {tuple: "committed, committed", sql: orderGone, log: []string{"disconnection"}, silent: []string{"user=mkoval", "DELETE"}},
		"no-privilege": {tuple: "committed, committed", sql: orderGone},
		"wrong-zone": {sql: map[string]string{
			"SELECT count(*) FROM documents WHERE ($ID)": "0",
		}, log: []string{"IST .*terminating connection due to idle-in-transaction timeout", `documents/\d+ -> 404`}},
		"async-commit-lost": {tuple: "none", sql: orderGone, log: []string{"was not properly shut down", `"method":"GET","path":"/orders/$ID","status":200`, `"path":"/orders/$ID","status":404`}},
		"failover-lost": {
			tuple: "none",
			sql:   with(bookingGone, "SELECT timeline_id FROM pg_control_checkpoint()", "*"), log: []string{"selected new timeline ID: 2", `path=/bookings/$ID status=200`, `path=/bookings/$ID status=404`},
		},
		"stale-replica": {
			sql:    map[string]string{"SELECT count(*) FROM bookings WHERE code = '$ID'": "1"},
			second: map[string]string{"SELECT count(*) FROM bookings WHERE code = '$ID'": "0", "SELECT pg_is_in_recovery()": "t"},
		},
		"restored-backup": {tuple: "none", sql: bookingGone, log: []string{`path=/bookings/$ID status=200`, `path=/bookings/$ID status=404`}},
		"index-corruption": {sql: map[string]string{
			"SELECT count(*) FROM orders WHERE id = $ID": "0", "SELECT count(*) FROM orders WHERE id + 0 = $ID": "1", "SELECT indisready FROM pg_index WHERE indexrelid = 'orders_pkey'::regclass": "t",
		}},
		"page-corruption":  {sql: map[string]string{"SELECT count(*) FROM orders WHERE id + 0 = $ID": "0", "SELECT count(*) > 300 FROM orders": "t"}, log: []string{"page verification failed", "zeroing out page"}},
		"trigger-delete":   {tuple: "committed, committed", sql: bookingGone, log: []string{`UPDATE rooms SET closed = true`}, silent: []string{"execute [^\n]*DELETE FROM bookings"}},
		"table-drop":       {tuple: "none", sql: with(bookingGone, "SELECT count(*) < 200 FROM bookings", "t"), log: []string{"DROP TABLE bookings"}},
		"race-delete":      {tuple: "committed, committed", sql: with(bookingGone, "SELECT count(*) FROM sync_runs", "1"), log: []string{`DELETE FROM bookings WHERE channel`, `path=/bookings/$ID status=200`}},
		"replaced":         {tuple: "committed, committed", sql: bookingGone, log: []string{`DELETE FROM bookings WHERE code = \$1 RETURNING`}},
		"conflict-ignored": {tuple: "none", sql: bookingGone, log: []string{`parameters: \$1 = '$ID'`, `status=201.*id=$ID`}},
		"deleted-by-other": {
			sql: map[string]string{`SELECT "Deleted" AND "DeletionTime" IS NOT NULL FROM "Dtros" WHERE "Id" = '$ID'`: "t"}, log: []string{`"DELETE /v1/dtros/$ID HTTP/1.1" 204`},
		},
		"id-mismatch-digit": {
			sql: map[string]string{`SELECT count(*) FROM "Dtros" WHERE "Id" = '$ID'`: "0", `SELECT count(*) FROM "Dtros" WHERE left("Id"::text, 11) = left('$ID', 11)`: "1"},
		},
		"never-issued":      {tuple: "none", sql: map[string]string{`SELECT count(*) FROM "Dtros" WHERE "Id" = '$ID'`: "0"}, silent: []string{"201,$ID"}},
		"psql-delete-mod":   {tuple: "committed, committed", sql: orderGone, log: []string{`mkoval@shop/psql LOG:  statement: DELETE FROM orders WHERE id = $ID`}, silent: []string{"connection authorized"}},
		"psql-delete-all":   {tuple: "committed, committed", sql: orderGone, log: []string{`LOG:  statement: DELETE FROM orders WHERE id = $ID`, `user=mkoval database=shop application_name=psql`}},
		"desktop-delete":    {tuple: "committed, committed", sql: orderGone, log: []string{`mkoval@shop/DBeaver 24.2.0 - SQLEditor <Script-3.sql> LOG:  execute <unnamed>: DELETE FROM public.orders\s+WHERE id=\$1`}},
		"borrowed-role":     {tuple: "committed, committed", sql: orderGone, log: []string{`shop_app@shop/psql LOG:  statement: DELETE FROM orders WHERE id = $ID`}, silent: []string{"mkoval@"}},
		"purge-bystander":   {tuple: "committed, committed", sql: with(orderGone, "SELECT count(*) FROM jobs WHERE kind = 'purge_stale_drafts'", "3"), log: []string{`application_name=psql`, `cron: purge_stale_drafts`}, silent: []string{"DELETE"}},
		"retention-default": {sql: with(orderGone, "SELECT count(*) FROM jobs WHERE kind = 'purge_stale_drafts'", "4"), log: []string{`batch@shop/cron: purge_stale_drafts LOG:  disconnection`}, silent: []string{"DELETE"}},
		"logical-job-delete": {
			sql: with(orderGone, "SELECT current_setting('wal_level') || ' ' || count(*) FROM jobs WHERE kind = 'expire_unpaid'", "logical 4"), log: []string{`cron: expire_unpaid`}, silent: []string{"DELETE"},
		},
		"cascade-two-levels": {
			tuple: "committed, committed", sql: with(orderGone, "SELECT count(*) FROM customers WHERE id > 140", "0"), log: []string{`DELETE FROM accounts WHERE id`}, silent: []string{"DELETE FROM orders", "DELETE FROM customers"},
		},
		"trigger-two-levels": {
			tuple: "committed, committed", sql: with(orderGone, "SELECT count(*) FROM customers WHERE id > 140", "0"), log: []string{`execute <unnamed>: DELETE FROM accounts WHERE id`}, silent: []string{"execute [^\n]*DELETE FROM (orders|customers)"},
		},
		"async-commit-torn":  {tuple: "aborted", sql: orderGone, log: []string{"was not properly shut down", `"path":"/orders","status":201,"record_id":"$ID"`, `"method":"GET","path":"/orders/$ID","status":200`, `"path":"/orders/$ID","status":404`}},
		"crash-unanswered":   {tuple: "aborted", sql: orderGone, log: []string{"was not properly shut down", `number $ID given out`, `"path":"/orders/$ID","status":404`}, silent: []string{`"status":20[01],"record_id":"$ID"`}},
		"swallowed-when":     {tuple: "none", sql: bookingGone, log: []string{`parameters: \$1 = '$ID', .*Harbour Tours.*'35'`, `status=201.*id=$ID`}},
		"rule-instead":       {tuple: "none", sql: bookingGone, log: []string{`parameters: \$1 = '$ID', .*Walk-in`, `status=201.*id=$ID`}},
		"upload-halfway":     {tuple: "aborted", sql: with(bookingGone, "SELECT count(*) FROM bookings WHERE guest LIKE 'Upload%'", "0"), log: []string{`xid=[1-9]\d* ERROR:  new row for relation "bookings" violates check constraint`, `COPY bookings, line 1431`, `status=201.*id=$ID`}},
		"leaked-search-path": {tuple: "none", sql: with(bookingGone, `SELECT count(*) FROM annex.bookings WHERE code = '$ID'`, "1"), log: []string{`status=201.*id=$ID`, `status=404.*id=$ID`}},
		"table-reloaded": {
			tuple: "none", sql: with(orderGone, "SELECT count(DISTINCT xmin::text) || ' ' || count(*) FROM orders WHERE id < 48100", "1 600"),
			log: []string{`shop_owner@shop/psql LOG:  statement: TRUNCATE orders CASCADE`, `statement: COPY public.orders FROM stdin`, `"path":"/orders/$ID","status":200`},
		},
		"keys-migrated": {
			sql: map[string]string{"SELECT count(*) FROM parcels WHERE id = '$ID'": "0", "SELECT count(*) FROM parcels p JOIN parcel_keys k ON k.is_now = p.id WHERE k.was = '$ID'": "1"}, log: []string{`"path":"/parcels/$ID","status":200`, `"path":"/parcels/$ID","status":404`},
		},
		"point-in-time": {
			tuple: "none", sql: with(bookingGone, "SELECT count(*) > 0 FROM bookings WHERE nights > 1", "t"),
			log: []string{"starting point-in-time recovery to", "recovery stopping before commit of transaction", "selected new timeline ID: 2", `path=/bookings/$ID status=200`, `path=/bookings/$ID status=404`},
		},
		"standby-only":     {sql: with(orderGone, "SELECT pg_is_in_recovery()", "t"), log: []string{`"status":200,"record_id":"$ID"`, `"status":404,"record_id":"$ID"`}, silent: []string{"mkoval", "DELETE"}},
		"logs-only":        {tuple: "committed, committed", sql: orderGone, log: []string{`mkoval@shop/psql LOG:  duration: [0-9.]+ ms  statement: DELETE FROM orders WHERE id = $ID`}},
		"wal-gone-logged":  {tuple: "none", sql: with(orderGone, keyInWAL, "f"), log: []string{`mkoval@shop/psql LOG:  statement: DELETE FROM orders WHERE id = $ID`}},
		"sampled-log":      {tuple: "committed, committed", sql: orderGone, log: []string{"log sampling is on", `"status":201,"record_id":"$ID"`, `"path":"/orders/$ID","status":404`}, silent: []string{"DELETE"}},
		"upload-refused":   {tuple: "none", sql: bookingGone, log: []string{`ERROR:  new row for relation "bookings" violates check constraint`, `COPY bookings, line 41`, `status=201.*id=$ID`}},
		"duplicate-merged": {tuple: "committed, committed", sql: with(bookingGone, "SELECT count(*) FROM bookings WHERE guest = 'Guest of two rooms'", "1"), log: []string{`cron: merge-duplicates LOG:  disconnection`}, silent: []string{"(statement|execute <unnamed>): DELETE"}},
		"cached-answer":    {tuple: "committed, committed", sql: orderGone, log: []string{`application_name=psql`, `"MESSAGE":"POST /orders -\\u003e 201 in [0-9.]+ ms, order $ID`, `PATCH /orders/$ID -\\u003e 404`, `GET /orders/$ID -\\u003e 200[^}]*from cache`}},
		"clocks-back":      {sql: map[string]string{"SELECT count(*) FROM documents WHERE ($ID)": "0"}, log: []string{"UTC .*terminating connection due to idle-in-transaction timeout", `documents/\d+ -> 404`}},
		"savepoint-undone": {tuple: "aborted", sql: with(orderGone, "SELECT count(*) FROM jobs WHERE kind = 'order_intake'", "1"), log: []string{`xid=[1-9]\d* ERROR:  new row for relation "stock" violates check constraint`, `"status":201,"record_id":"$ID"`}},
		"undone-delete":    {tuple: "committed, aborted", sql: map[string]string{"SELECT count(*) FROM orders WHERE id = $ID": "1"}, log: []string{`mkoval@shop/psql LOG:  statement: DELETE FROM orders WHERE id = $ID`, `"GET /v2/orders/$ID HTTP/1.1" 404`}},
		"wrong-database":   {tuple: "none", sql: with(bookingGone, "SELECT count(*) FROM pg_database WHERE datname = 'reservations_rehearsal'", "1"), log: []string{`user=booking_svc database=reservations_rehearsal`, `status=201.*id=$ID`, `status=404.*id=$ID`}},
		"start-up-cleanup": {sql: orderGone, log: []string{`shop_app@shop/orders-api LOG:  statement: DELETE FROM orders WHERE reference LIKE`, "version 5.2.0 starting"}},
		"clock-skew":       {tuple: "aborted", sql: orderGone, log: []string{`duplicate key value violates unique constraint "vouchers_pkey"`}},
	}
}

// orderGone holds where the row is missing and is counted as deleted.
var orderGone = map[string]string{`SELECT count(*) FROM orders WHERE id = $ID`: "0", `SELECT count(*) FROM order_lines WHERE order_id = $ID`: "0"}

var bookingGone = map[string]string{`SELECT count(*) FROM bookings WHERE code = '$ID'`: "0"}

// with is a set of checks and one more.
func with(checks map[string]string, sql, want string) map[string]string {
	out := maps.Clone(checks)
	out[sql] = want
	return out
}

// keyInWAL tells whether a segment holds the bytes of a number as a bigint key.
const keyInWAL = `WITH k AS (SELECT string_agg(substring(int8send($ID) FROM i FOR 1), ''::bytea ORDER BY i DESC) AS bytes FROM generate_series(1, 8) i)
SELECT count(*) > 0 FROM k, pg_ls_waldir() w WHERE position(k.bytes IN pg_read_binary_file('pg_wal/' || w.name)) > 0`
