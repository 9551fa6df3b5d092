package asked_test

import (
	"strings"
	"testing"

	"inquest/investigations/asked"
)

func TestNear(t *testing.T) {
	tables := []string{"public.orders", "public.order_lines", "sales.customers", `public."Dtros"`, "public.audit_log", "public.events_2025_10", "public.events_2025_11"}
	for _, c := range []struct {
		word string
		list []string
		want string // the names in order, with blanks between them
	}{
		{"orders", tables, "public.orders"},
		{"order", tables, "public.orders public.order_lines"},
		{"odrers", tables, "public.orders"},      // two changed places
		{"orxers", tables, "public.orders"},      // one is wrong
		{"ordders", tables, "public.orders"},     // one too many
		{"shop.orders", tables, "public.orders"}, // another schema
		{"dtros", tables, `public."Dtros"`},      // another case
		{"dtro", tables, `public."Dtros"`},       // one is missing
		{"customer", tables, "sales.customers"},  // a plural
		{"auditlog", tables, "public.audit_log"}, // a sign is missing
		{"events_2025_12", tables, "public.events_2025_10 public.events_2025_11"},
		{"invoices", tables, ""},
		{"o", tables, "public.orders public.order_lines"},
		{"", tables, ""},
		{"rnu", []string{"run", "open", "list", "report", "verify", "drill"}, "run"},
		{"zzz", []string{"run", "open"}, ""},
		{"prt", []string{"host", "port", "passfile", "sslrootcert"}, "port"},
	} {
		if got := strings.Join(asked.Near(c.word, c.list, 2), " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.word, got, c.want)
		}
	}
	if got := asked.Or([]string{"a", "b", "c"}); got != "a, b or c" || asked.Or(nil) != "" || asked.Or([]string{"a"}) != "a" {
		t.Error(got)
	}
}
