package investigations

import (
	"slices"
	"testing"
	"time"
)

func TestVersionsOfALineage(t *testing.T) {
	body := `{"events":[
	 {"lsn":"0/3","op":"hot-update","xid":791,"table":"public.t","tid":"(0,1)","new_tid":"(0,2)","after":"2025-11-27T14:00:02Z","before":"2025-11-27T14:00:03Z","row":{"id":"7","name":"b","note":null}},
	 {"lsn":"0/2","op":"lock","xid":790,"table":"public.t"},
	 {"lsn":"0/1","op":"insert","xid":790,"top_xid":789,"table":"public.t","tid":"(0,1)","before":"2025-11-27T14:00:01Z","row":{"id":"7","name":"a","big":"x","note":""},"unknown":["big"]}],
	 "xacts":{"789":{"state":"committed"},"790":{"state":"unfinished","top_xid":789},"791":{"state":"aborted"}}}`
	row := `{"columns":["inquest.ctid","inquest.xmin","id"],"rows":[["(0,3)","9",null]]}`
	at := time.Date(2025, 11, 27, 15, 0, 0, 0, time.UTC)
	s := State{Runs: map[string]Run{
		"database.lineage": {Evidence: []Evidence{{ID: "E1", Kind: EvidenceLineage, Body: body}, {ID: "E2", Kind: EvidenceLineage, Body: "torn"}}},
		"database.row":     {Evidence: []Evidence{{ID: "E3", Kind: EvidenceTable, Tag: "key:public.t", Body: row, CollectedAt: at}, {ID: "E4", Kind: EvidenceTable, Tag: "near:public.t", Body: row}}},
	}}
	got := Versions(s)
	if len(got) != 3 {
		t.Fatalf("%d versions: %+v", len(got), got)
	}
	first, second, third := got[0], got[1], got[2]
	if first.Op != "insert" || first.XID != 790 || first.End != "committed" || first.Time.Second() != 1 || first.TID != "(0,1)" {
		t.Errorf("first: %+v", first)
	}
	if second.End != "aborted" || second.TID != "(0,2)" || second.Until.Second() != 3 {
		t.Errorf("second: %+v", second)
	}
	if third.From != "row" || third.TID != "(0,3)" || third.XID != 9 || third.Row["id"] != nil || len(third.Row) != 1 {
		t.Errorf("third: %+v", third)
	}
	diff := Diff(first, second)
	if len(diff) != 2 || diff[0].Column != "name" || *diff[0].After != "b" || diff[1].Column != "note" || diff[1].After != nil || !diff[1].Has {
		t.Errorf("diff: %+v", diff)
	}
	if Diff(first, Version{}) != nil {
		t.Error("a version without content has no difference")
	}
}

func TestTimelineWithoutTimesComesLast(t *testing.T) {
	at := time.Date(2025, 11, 27, 15, 0, 0, 0, time.UTC)
	list := []Moment{{Summary: "no time"}, {Time: at, Summary: "late"}, {Time: at.Add(-time.Hour), Summary: "early"}}
	slices.SortStableFunc(list, byTime)
	for i, want := range []string{"early", "late", "no time"} {
		if list[i].Summary != want {
			t.Errorf("%d: %s, want %s", i, list[i].Summary, want)
		}
	}
}
