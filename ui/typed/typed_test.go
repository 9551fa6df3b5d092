package typed

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestRecordID(t *testing.T) {
	for typed, want := range map[string]string{
		"48213":                     "48213",
		"  48213 ":                  "48213",
		`"48213"`:                   "48213",
		`"48213",`:                  "48213",
		"'a b'":                     "a b",
		"“48213”":                   "48213",
		"`48213`;":                  "48213",
		`"'48213'"`:                 "48213",
		`o'brien`:                   `o'brien`,
		`'a','b'`:                   `'a','b'`, // two things: the quotes do not stand around one
		`"`:                         `"`,
		"tenant_id=7,doc_id=42":     "tenant_id=7,doc_id=42",
		`tenant_id=7,name="a"`:      `tenant_id=7,name="a"`,
		"{48213}":                   "{48213}",
		"":                          "",
		"https://api.example/o/482": "https://api.example/o/482",
	} {
		if got, cut := RecordID(typed); got != want || cut != (want != strings.TrimSpace(typed)) {
			t.Errorf("%q: %q, cut %v, want %q", typed, got, cut, want)
		}
	}
}

func TestSplitDatabases(t *testing.T) {
	for typed, want := range map[string][]string{
		"":                                    nil,
		"postgres://u:p@h/db":                 {"postgres://u:p@h/db"},
		"postgres://u:p;w=1@h/db":             {"postgres://u:p;w=1@h/db"},
		"a=postgres://h/x;postgresql://h/y":   {"a=postgres://h/x", "postgresql://h/y"},
		"host=a dbname=x ; host=b dbname=y;":  {"host=a dbname=x", "host=b dbname=y;"},
		"host=a;host = b":                     {"host=a", "host = b"},
		"service=prod; standby=service=other": {"service=prod", "standby=service=other"},
		" ; ; ":                               nil,
	} {
		if diff := cmp.Diff(want, Databases(typed)); diff != "" {
			t.Errorf("%q: %s", typed, diff)
		}
	}
}

func TestPlaceText(t *testing.T) {
	for typed, want := range map[string]string{
		"ssh gw1:/var/log/nginx":                    "ssh gw1:/var/log/nginx",
		"--ssh gw1:/var/log/nginx":                  "ssh gw1:/var/log/nginx",
		"--ssh=gw1:/var/log/nginx":                  "ssh gw1:/var/log/nginx",
		"--kubectl '-n prod deploy/api'":            "kubectl -n prod deploy/api",
		"kubectl logs -n prod deploy/api":           "kubectl -n prod deploy/api",
		"kubectl logs":                              "kubectl logs",
		"docker logs api":                           "docker api",
		"journalctl -u postgresql":                  "journal postgresql",
		"--journal":                                 "journal",
		"--journal=postgresql.service":              "journal postgresql.service",
		"command api=aws logs tail --since {from}":  "command api=aws logs tail --since {from}",
		`--command 'api=grep "x" /l'`:               `command api=grep "x" /l`,
		`command a=sh -c 'x' 'y'`:                   `command a=sh -c 'x' 'y'`,
		`  `:                                        "",
		"gw1:/var/log/x":                            "gw1:/var/log/x",
		"loki http://l:3100,{app=\"x\", env=\"y\"}": "loki http://l:3100,{app=\"x\", env=\"y\"}",
	} {
		if got := Place(typed); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}

// TestSecretsAreHidden checks that nothing of a password is shown, and that
// hiding it while it is typed leaves as many runes.
func TestSecretsAreHidden(t *testing.T) {
	for _, typed := range []string{
		"postgres://u:s3cret@h/db", "postgres://u:s3cret", "postgres://u:p@s3cret@h/db", "postgres://u:a;s3cret@h/db", "postgres://u:s3/cret3s@h/db",
		"host=h password=s3cret dbname=x", "host=h PASSWORD = 's3cret more s3cret' dbname=x", "host=h password='s3cret", "postgres://h/db?user=u&password=s3cret&x=1",
		"postgres://u:s3cret@h/db;postgres://u:s3cret@i/db ; password=s3cret host=j", "a=postgres://u:s3cret@h/db", "elastic https://u:s3cret@es:9200,logs-*", "postgres://u:1s3cret",
	} {
		for _, hidden := range []string{Masked(typed), Dotted(typed)} {
			if strings.Contains(hidden, "3cret") || strings.Contains(hidden, "cret3s") || !strings.Contains(hidden, bullet) {
				t.Errorf("%q is shown as %q", typed, hidden)
			}
		}
		if utf8.RuneCountInString(Dotted(typed)) != utf8.RuneCountInString(typed) {
			t.Errorf("%q has another length as %q", typed, Dotted(typed))
		}
	}
	for _, typed := range []string{"postgres://h:5432/db", "postgres://u@h:5432/db?x=1", "loki http://l:3100,{app=\"x\"}", "https://api:8443/o/{id}", "host=h port=5432", "ssh gw1:/var/log"} {
		if Masked(typed) != typed || Dotted(typed) != typed {
			t.Errorf("%q is shown as %q", typed, Masked(typed))
		}
	}
}

func TestPastedLinesAreSeveral(t *testing.T) {
	got := Lines("/a.log\n\n  /b c.log\r\n")
	if got != "/a.log ; /b c.log" || len(List(got)) != 2 {
		t.Errorf("%q", got)
	}
}

// FuzzTyped checks that no text that is typed or pasted breaks the reading of a
// form.
func FuzzTyped(f *testing.F) {
	f.Add("postgres://u:p;w@h/db ; host=a")
	f.Add("--command 'a=b'")
	f.Add(`"'x'",`)
	f.Fuzz(func(t *testing.T, s string) {
		id, _ := RecordID(s)
		if again, cut := RecordID(id); cut {
			t.Errorf("%q became %q and then %q", s, id, again)
		}
		if p := Place(s); utf8.ValidString(s) && !utf8.ValidString(p) {
			t.Errorf("%q became %q", s, p)
		}
		if utf8.ValidString(s) && utf8.RuneCountInString(Dotted(s)) != utf8.RuneCountInString(s) {
			t.Errorf("%q has another length when dotted: %q", s, Dotted(s))
		}
		_, _ = Databases(s), Masked(s)
	})
}
