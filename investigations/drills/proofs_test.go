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
	}
}
