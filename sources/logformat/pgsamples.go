package logformat

import "inquest/sources"

// postgresSamples are lines under many a log_line_prefix.
var postgresSamples = []Sample{
	{ // Debian
		Text: "2025-11-27 14:58:12.104 UTC [30802] dtro@app ERROR:  duplicate key value violates unique constraint \"pk\"\n" +
			"2025-11-27 14:58:12.104 UTC [30802] dtro@app DETAIL:  Key (id)=(e7a4) already exists.\n" +
			"2025-11-27 14:58:12.104 UTC [30802] dtro@app STATEMENT:  INSERT INTO t\n\tVALUES ('e7a4')",
		Time: "2025-11-27T14:58:12.104Z", Level: sources.LevelError, Message: `duplicate key value violates unique constraint "pk"`,
		Want: map[string]string{"pid": "30802", "user": "dtro", "dbname": "app", "detail": "Key (id)=(e7a4) already exists.", "statement": "INSERT INTO t\nVALUES ('e7a4')", "@op": "create"},
	},
	{ // Debian, a process without a session
		Text: "2025-11-27 14:58:12.104 CET [1] LOG:  database system is ready to accept connections",
		Time: "2025-11-27T13:58:12.104Z", Level: sources.LevelInfo, Want: map[string]string{"pid": "1", "user": "", "@op": "restart"},
	},
	{ // Cloud SQL
		Text: "2025-11-27 14:58:12.104 UTC [30802]: [3-1] db=dtro-prod-database,user=dtro LOG:  execute <unnamed>: INSERT INTO \"Dtros\" (\"Id\") VALUES ($1)\n" +
			"2025-11-27 14:58:12.104 UTC [30802]: [4-1] db=dtro-prod-database,user=dtro DETAIL:  parameters: $1 = '5d0c1a7e'",
		Time: "2025-11-27T14:58:12.104Z", Level: sources.LevelInfo, Message: `execute <unnamed>: INSERT INTO "Dtros" ("Id") VALUES ($1)`,
		Want: map[string]string{"dbname": "dtro-prod-database", "user": "dtro", "line_num": "3", "parameters": "$1 = '5d0c1a7e'", "@op": "create", "@actor": "dtro"},
	},
	{ // seconds only
		Text: "2025-11-27 14:58:12 GMT LOG:  statement: /* x */ DELETE FROM \"Dtros\" WHERE \"Id\" = 'e7a4';",
		Time: "2025-11-27T14:58:12Z", Level: sources.LevelInfo, Want: map[string]string{"@op": "delete"},
	},
	{ // RDS
		Text: "2025-11-27 14:58:12 UTC:10.0.0.5(51234):dtro@app:[30802]:LOG:  connection authorized: user=dtro database=app application_name=psql SSL enabled (protocol=TLSv1.3)",
		Time: "2025-11-27T14:58:12Z", Want: map[string]string{"remote_host": "10.0.0.5", "remote_port": "51234", "user": "dtro", "application_name": "psql", "@op": "login"},
	},
	{ // everything, with labels
		Text: "2025-11-27 14:58:12.104 UTC [30802] sid=6928661f.7852 xid=764 vxid=3/127 state=40P01 user=dtro,db=app,app=api,client=10.0.0.5 ERROR:  deadlock detected",
		Time: "2025-11-27T14:58:12.104Z", Level: sources.LevelError, Message: "deadlock detected",
		Want: map[string]string{"session_id": "6928661f.7852", "txid": "764", "vxid": "3/127", "state_code": "40P01", "user": "dtro", "dbname": "app", "application_name": "api", "remote_host": "10.0.0.5"},
	},
	{ // shapes without labels
		Text: "2025-11-27 14:58:12.104 UTC [30802] 6928661f.7852 3/127 764 dtro@app LOG:  disconnection: session time: 0:00:12.345 user=dtro database=app host=[local]",
		Time: "2025-11-27T14:58:12.104Z", Want: map[string]string{"session_id": "6928661f.7852", "vxid": "3/127", "user": "dtro", "session_time": "0:00:12.345", "remote_host": "[local]"},
	},
	{ // a zone that PostgreSQL has no letters for, epoch prefix
		Text: "1764255492.104 [7] LOG:  duration: 12.500 ms  statement: SELECT 1",
		Time: "2025-11-27T14:58:12.104Z", Want: map[string]string{"duration_ms": "12.500", "statement": "SELECT 1", "@op": "read"},
	},
	{
		Text: "2025-11-27 14:58:12.104 -03 [7] u@d LOG:  AUDIT: SESSION,3,1,WRITE,DELETE,TABLE,public.t,delete from t where id=1,<not logged>",
		Time: "2025-11-27T17:58:12.104Z", Want: map[string]string{"audit_class": "WRITE", "statement": "delete from t where id=1", "@op": "delete"},
	},
	{
		Text: "2025-11-27 14:58:12.104 UTC [7] LOG:  cron job 1 starting: DELETE FROM t",
		Time: "2025-11-27T14:58:12.104Z", Want: map[string]string{"@op": "job"},
	},
}
