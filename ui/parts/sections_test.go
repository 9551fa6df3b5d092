package parts

import (
	"strings"
	"testing"

	"inquest/ui/nav"
	"inquest/ui/theme"
)

func TestComposeNarrowsByWords(t *testing.T) {
	th, err := theme.New(theme.Options{NoColor: true})
	if err != nil {
		t.Fatal(err)
	}
	f := nav.Frame{W: 40, H: 10, Theme: th}
	para := func(s string) []string { return Para(f, th.Text, " ", s) }
	all := []Section{
		{Heading: "Gone soon", Passages: [][]string{para("WAL in pg_wal goes at the next checkpoint, which is a long way to say soon"), para("dead row versions")}},
		{Passages: [][]string{para("app.log was read from 14:28 to 15:28")}},
	}
	for pattern, want := range map[string][2]string{
		"":               {"dead row versions", ""},
		"checkpoint wal": {"at the next checkpoint", "dead row"},
		"APP.log":        {"app.log was read", "Gone soon"},
		"dedrow":         {"dead row versions", "app.log"},
		"zzz":            {"Nothing matches", "dead"},
	} {
		got := strings.Join(strings.Fields(strings.Join(Compose(f, all, pattern), " ")), " ")
		if !strings.Contains(got, want[0]) || want[1] != "" && strings.Contains(got, want[1]) {
			t.Errorf("%q shows %q", pattern, got)
		}
	}
}
