package sources

import (
	"strings"
	"testing"
)

const redactID = "e7a4bff2-adc7-4847-a9d8-25734601b405"

func TestRedactCuts(t *testing.T) {
	r := mustRedactor(t)
	jwt := "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
	for _, c := range []struct{ in, want string }{
		{"postgres://u:s3cret@h/db", "postgres://u:[redacted]@h/db"},
		{"postgres://u:p@ss@h:5432/db?x=1", "postgres://u:[redacted]@h:5432/db?x=1"},
		{"redis://:hunter2@cache:6379/0", "redis://:[redacted]@cache:6379/0"},
		{"host=h password=hunter2 dbname=d", "host=h password=[redacted] dbname=d"},
		{"host=h password='hun ter\\'2' dbname=d", "host=h password='[redacted]' dbname=d"},
		{"Server=h;Pwd=abc;Database=x", "Server=h;Pwd=[redacted];Database=x"},
		{`{"password":"a\"b","user":"x"}`, `{"password":"[redacted]","user":"x"}`},
		{`{"msg":"body {\"password\":\"abc\",\"user\":\"x\"}"}`, `{"msg":"body {\"password\":\"[redacted]\",\"user\":\"x\"}"}`},
		{"DB_PASSWORD=abc next", "DB_PASSWORD=[redacted] next"},
		{"password: hunter2", "password: [redacted]"},
		{"client_secret=abc&x=1", "client_secret=[redacted]&x=1"},
		{"GET /x?access_token=abc123&y=2", "GET /x?access_token=[redacted]&y=2"},
		{`"apiKey": "k1"`, `"apiKey": "[redacted]"`},
		{"X-Api-Key: abcdef0123456789", "X-Api-Key: [redacted]"},
		{"ALTER ROLE x PASSWORD 'a''b';", "ALTER ROLE x PASSWORD '[redacted]';"},
		{`{"s":"ALTER ROLE x PASSWORD \u0027abc\u0027"}`, `{"s":"ALTER ROLE x PASSWORD \u0027[redacted]\u0027"}`},
		{"Authorization: Bearer abc.def", "Authorization: Bearer [redacted]"},
		{`"Authorization":["Basic dTpw"]`, `"Authorization":["Basic [redacted]"]`},
		{"Proxy-Authorization: Basic dTpw\nHost: h", "Proxy-Authorization: Basic [redacted]\nHost: h"},
		{"curl -H 'authorization: Bearer abcdefghijkl0'", "curl -H 'authorization: Bearer [redacted]'"},
		{"Cookie: sid=1; b=2\nHost: h", "Cookie: [redacted]\nHost: h"},
		{"Set-Cookie: sid=1; Path=/", "Set-Cookie: [redacted]"},
		{"got " + jwt + " from x", "got [redacted] from x"},
		{"key AKIAIOSFODNN7EXAMPLE used", "key [redacted] used"},
		{"AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "AWS_SECRET_ACCESS_KEY=[redacted]"},
		{"SCRAM-SHA-256$4096:c2FsdA==$c3Q=:c2s= tail", "SCRAM-SHA-256$[redacted] tail"},
		{"'md5a3556571e93b0d20722ba62be61e8c2d'", "'[redacted]'"},
		{"psql --password hunter2 -l", "psql --password [redacted] -l"},
		{"-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nx", "-----BEGIN RSA PRIVATE KEY-----[redacted]-----END RSA PRIVATE KEY-----\nx"},
		{"password=x" + redactID + "y z", "password=[redacted]" + redactID + "[redacted] z"},
		{"token=" + redactID, "token=" + redactID},
		{"ticket T-1234 closed", "ticket [redacted] closed"},
	} {
		got, n := r.Redact(c.in)
		if got != c.want {
			t.Errorf("Redact(%q)\n got %q\nwant %q", c.in, got, c.want)
		}
		if (n > 0) != (c.in != c.want) {
			t.Errorf("Redact(%q) counted %d cuts", c.in, n)
		}
	}
}

func TestRedactLeavesOrdinaryText(t *testing.T) {
	r := mustRedactor(t)
	for _, s := range []string{
		"Unexpected token in JSON at position 0", "invalid token: expired", "max_tokens: 100 tokens=5",
		`FATAL:  password authentication failed for user "bob"`, "cd /home/pwd && ls", "PWD=/home/bob", "pwd: /srv/app",
		"id 6b1f0c52-0d1e-4a55-9f0e-3a1b7c9d2e10 created", `UPDATE "Users" SET "Password" = $1 WHERE "Id" = $2`,
		`secret "db" not found`, "connection authorized: user=bob database=app", "see http://host:8080/a@b", "md5sum of file",
		"GET https://h/path?x=1 200", "the secretary: Ann", `{"password":null}`, "token_type=Bearer", "bearer of news", "cookie not set",
		"2025-11-27 14:58:12.104 UTC [30802]: [3-1] db=dtro-prod-database,user=dtro LOG:  statement: SELECT 1",
	} {
		if got, n := r.Redact(s); got != s || n != 0 {
			t.Errorf("Redact(%q) = %q, %d", s, got, n)
		}
	}
}

func TestRedactorRefusesBadPattern(t *testing.T) {
	if _, err := NewRedactor(nil, "("); err == nil || !strings.Contains(err.Error(), `"("`) {
		t.Errorf("err = %v", err)
	}
	if got, n := (*Redactor)(nil).Redact("password=x"); n != 0 || got != "password=x" {
		t.Error("nil Redactor cut")
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("password=\"a\\\"b\" token: abc123 postgres://u:p@h", "42")
	f.Add(`{"a":"{\"password\":\"x\"}"} Cookie: a=b`, redactID)
	f.Add("-----BEGIN PRIVATE KEY----- x -----END PRIVATE KEY-----", "x")
	f.Fuzz(func(t *testing.T, s, keep string) {
		r, err := NewRedactor([]string{keep})
		if err != nil {
			t.Fatal(err)
		}
		once, n := r.Redact(s)
		if twice, m := r.Redact(once); twice != once || m != 0 {
			t.Fatalf("not idempotent: %q -> %q -> %q", s, once, twice)
		}
		if n == 0 && once != s {
			t.Fatal("changed without a cut")
		}
		b, m := r.RedactBytes([]byte(s))
		if string(b) != once || m != n {
			t.Fatalf("bytes differ: %q %d, %q %d", b, m, once, n)
		}
		if keep != "" && strings.Contains(s, keep) && !strings.Contains(once, keep) {
			t.Fatalf("keep %q was cut from %q: %q", keep, s, once)
		}
	})
}

func BenchmarkRedactCleanLine(b *testing.B) {
	r, _ := NewRedactor([]string{redactID})
	line := []byte(strings.Repeat(`{"time":"2025-11-27T14:58:12Z","level":"info","msg":"served GET /dtros/5d0c1a7e-2f4b-4c19-8a77-1f2e3d4c5b6a"} `, 10))
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		r.RedactBytes(line)
	}
}

func mustRedactor(t *testing.T) *Redactor {
	t.Helper()
	r, err := NewRedactor([]string{redactID}, `T-\d+`)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
