package probes

import (
	"slices"
	"testing"

	inv "inquest/investigations"
)

func TestTablesMeantByTheirNameAlone(t *testing.T) {
	candidate := func(table string) inv.Fact {
		return inv.Fact{Kind: inv.TableProperty, Attrs: map[string]string{"name": "candidate", "table": table}}
	}
	facts := inv.Facts{candidate("public.notes"), candidate("Sales.Notes"), candidate("public.other")}
	for _, c := range []struct {
		asked string
		want  []string
	}{
		{"", []string{"public.notes", "Sales.Notes", "public.other"}},
		{"public.notes", []string{"public.notes"}},
		{"other", []string{"public.other"}},
		{`"Sales"."Notes"`, []string{"Sales.Notes"}},
		{"notes", []string{"public.notes", "Sales.Notes"}},
		{"gone", []string{"gone"}},
	} {
		if got := tablesMeant(inv.Input{Record: inv.Record{ID: "1", Table: c.asked}, Facts: facts}); !slices.Equal(got, c.want) {
			t.Errorf("%q means %v, want %v", c.asked, got, c.want)
		}
	}
	in := inv.Input{Record: inv.Record{ID: "1", Table: "other"}, Facts: facts}
	if got := meantTable(in, "OTHER"); got != "public.other" {
		t.Errorf("a statement's table is %q", got)
	}
}
