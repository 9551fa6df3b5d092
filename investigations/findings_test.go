package investigations_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	inv "inquest/investigations"
	"inquest/sources"
)

func TestFindingsListsAreNeverNull(t *testing.T) {
	full := inv.Assessment{
		Judgement: inv.Judgement{Hypotheses: []inv.Hypothesis{{Mechanism: "m"}}},
		Coverage:  []sources.Coverage{{Source: "a"}}, Expiring: []sources.Expiry{{What: "x"}}, Recovered: &inv.Recovered{},
		Steps: []inv.StepResult{{Step: inv.Step{ID: inv.StepCode}, Probes: []inv.ProbeResult{{Ran: true}, {Ran: false}}}},
	}
	for _, a := range []inv.Assessment{{}, full} {
		f := inv.NewFindings(inv.State{Record: inv.Record{ID: "42"}, Evidence: []inv.Evidence{{ID: "E1"}}}, a)
		b, err := f.JSON()
		if err != nil || !bytes.HasSuffix(b, []byte("}\n")) {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := json.Unmarshal(b, &doc); err != nil {
			t.Fatal(err)
		}
		noNull(t, "", doc, map[string]bool{".recovered": true, ".window.from": true, ".window.to": true, ".coverage.from": true, ".coverage.to": true, ".expiring.expires": true})
		for _, list := range []string{"hypotheses", "steps", "timeline", "coverage", "expiring", "evidence", "sources"} {
			if reflect.TypeOf(doc[list]) != reflect.TypeFor[[]any]() {
				t.Errorf("%s is %T", list, doc[list])
			}
		}
	}
	if full.Hypotheses[0].Supports != nil || full.Recovered.Row != nil {
		t.Error("the assessment was changed")
	}
}

func noNull(t *testing.T, path string, v any, may map[string]bool) {
	t.Helper()
	switch v := v.(type) {
	case nil:
		if !may[path] {
			t.Errorf("%s is null", path)
		}
	case []any:
		for _, x := range v {
			noNull(t, path, x, may)
		}
	case map[string]any:
		for k, x := range v {
			noNull(t, path+"."+k, x, may)
		}
	}
}

func TestTableOf(t *testing.T) {
	s := inv.State{Record: inv.Record{Table: "typed"}}
	if got := inv.TableOf(s, inv.Assessment{}); got != "typed" {
		t.Error(got)
	}
	a := inv.Assessment{Facts: inv.Facts{{Kind: inv.RowVisible, Attrs: map[string]string{"table": "seen"}}, {Kind: inv.TupleInserted, Attrs: map[string]string{"table": "written"}}}}
	if got := inv.TableOf(s, a); got != "written" {
		t.Error(got)
	}
}
