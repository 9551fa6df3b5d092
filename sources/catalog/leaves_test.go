package catalog

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"inquest/sources/heap"
)

func TestTableWithPartitionsReadsBack(t *testing.T) {
	columns := []heap.Column{{Name: "id", AttNum: 1, TypeName: "uuid"}, {Name: "at", AttNum: 2, TypeName: "date"}}
	other := []heap.Column{{Name: "at", AttNum: 1, TypeName: "date"}, {Name: "id", AttNum: 2, TypeName: "uuid"}}
	want := Table{Name: "events", Kind: "p", Columns: columns, Leaves: []Table{
		{Name: "events_1", Columns: columns}, {Name: "events_2", Columns: other}, {Name: "events_3", Columns: columns, Leaves: []Table{}},
	}}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(b), `"type_name":"uuid"`); n != 2 {
		t.Errorf("the columns are written %d times", n)
	}
	var got Table
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	want.Leaves[2].Leaves = nil // omitempty
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if want.Leaves[0].Columns == nil {
		t.Error("writing changed the table")
	}
}
