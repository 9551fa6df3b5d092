package drills_test

// proofs says of each drill how its incident shows on the server.
func proofs() map[string]happened {
	return map[string]happened{
		"vanished-dtro": {
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
			sql:    orderGone,
			log:    []string{`mkoval@shop/\[unknown\] LOG:  connection authorized: user=mkoval database=shop application_name=psql`, `mkoval@shop/psql LOG:  disconnection`, `"status":404,"record_id":"$ID"`},
			silent: []string{"DELETE"},
		},
		"psql-delete-silent":    {sql: orderGone, log: []string{`"status":404,"record_id":"$ID"`}, silent: []string{"DELETE", "mkoval", "connection authorized"}},
		"psql-delete-crowd":     {sql: orderGone, log: []string{"application_name=psql"}, silent: []string{"DELETE"}},
		"rolled-back-error":     {sql: orderGone, log: []string{`xid=[1-9]\d* ERROR:  duplicate key value violates unique constraint "vouchers_pkey"`, "deadlock detected"}},
		"rolled-back-silent":    {sql: orderGone, log: []string{"stock_sync@shop xid=[1-9].*deadlock detected"}, silent: []string{"shop_app@shop xid=[1-9]", "unexpected EOF", "ROLLBACK"}},
		"deadlock-victim":       {sql: orderGone, log: []string{"shop_app@shop/orders-api xid=[1-9].*deadlock detected"}},
		"serialization-failure": {sql: orderGone, log: []string{"shop_app@shop/orders-api xid=[1-9].*could not serialize access"}},
		"crash-in-flight":       {sql: orderGone, log: []string{"was terminated by signal 9", "redo done"}},
		"terminated-in-flight":  {sql: orderGone, log: []string{"shop_app@shop/orders-api FATAL:  terminating connection due to administrator command"}},
		"client-gone":           {sql: orderGone, log: []string{"xid=[1-9].*unexpected EOF on client connection with an open transaction"}},
		"idle-timeout":          {sql: orderGone, log: []string{"25P03 xid=[1-9].*terminating connection due to idle-in-transaction timeout"}},
		"transaction-open": {sql: map[string]string{
			`SELECT count(*) FROM bookings WHERE code = '$ID'`: "0",
			`SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND application_name = 'bookings' AND backend_xid IS NOT NULL`: "1",
		}},
		"prepared-orphan": {sql: map[string]string{
			`SELECT count(*) FROM bookings WHERE code = '$ID'`: "0", `SELECT gid FROM pg_prepared_xacts`: "coord-7_131077_invoice",
		}},
		"response-before-write": {sql: bookingGone, log: []string{`execute <unnamed>: SELECT code FROM bookings`, `parameters: \$1 = '$ID'`, `level=error.*id=$ID`, `status=201.*id=$ID`}, silent: []string{`INSERT INTO bookings[^\n]*\n[^\n]*'$ID'`}},
		"insert-refused":        {sql: bookingGone, log: []string{`null value in column ""guest""`, `Failing row contains \($ID`, `status=201.*id=$ID`}},
		"write-swallowed":       {sql: bookingGone, log: []string{`parameters: \$1 = '$ID', .*Blank Agency Travel`, `status=201.*id=$ID`}},
		"soft-deleted": {
			sql: map[string]string{`SELECT hidden FROM bookings WHERE code = '$ID'`: "t"}, log: []string{`UPDATE bookings SET hidden = true`},
		},
		"id-mismatch-case": {sql: map[string]string{
			`SELECT count(*) FROM bookings WHERE code = '$ID'`: "0", `SELECT count(*) FROM bookings WHERE lower(code) = '$ID'`: "1",
		}},
		"wrong-place": {sql: map[string]string{
			`SELECT count(*) FROM bookings WHERE code = '$ID'`: "0", `SELECT count(*) FROM training.bookings WHERE code = '$ID'`: "1",
		}},
	}
}

// orderGone holds where the row is missing and is counted as deleted.
var orderGone = map[string]string{`SELECT count(*) FROM orders WHERE id = $ID`: "0", `SELECT count(*) FROM order_lines WHERE order_id = $ID`: "0"}

var bookingGone = map[string]string{`SELECT count(*) FROM bookings WHERE code = '$ID'`: "0"}
