package logscan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"inquest/sources"
)

const tapID = "e7a4bff2-adc7-4847-a9d8-25734601b405"

func TestTapTellsOfLinesThatPassBy(t *testing.T) {
	var got []string
	q := sources.LogQuery{Needles: []sources.Needle{{Text: tapID, Whole: true}}, Found: func(e sources.Event) {
		got = append(got, fmt.Sprintf("%s %s %s %s", e.Source, e.Position, e.Time.Format(time.TimeOnly), e.Message))
	}}
	line := func(at, msg string) string {
		return `{"time":"2025-11-27T14:` + at + `Z","msg":"` + msg + `"}` + "\n"
	}
	tap := NewTap("cmd:x", Options{}, q)
	for _, l := range []string{line("58:10", "other"), line("58:11", tapID), line("58:12", "x"+tapID), line("58:13", "again "+tapID)} {
		tap.Line("a", []byte(l))
	}
	long := line("58:14", strings.Repeat("x", 5000)+tapID)
	tap.Line("b", []byte(long[:3000]))
	tap.Line("b", []byte(long[3000:]))
	tap.Line("b", []byte(line("58:15", tapID)))
	tap.Numbered("c", 77, []byte(strings.TrimSpace(line("58:16", tapID))))
	var kept strings.Builder
	w := tap.Writer("d", &kept)
	whole := line("58:17", "other") + line("58:18", tapID) + line("58:19", tapID)
	for i := 0; i < len(whole); i += 7 {
		if n, err := w.Write([]byte(whole[i:min(i+7, len(whole))])); err != nil || n == 0 {
			t.Fatal(n, err)
		}
	}
	want := []string{
		"cmd:x a:2 14:58:11 " + tapID, "cmd:x a:4 14:58:13 again " + tapID, "cmd:x b:2 14:58:15 " + tapID,
		"cmd:x c:77 14:58:16 " + tapID, "cmd:x d:2 14:58:18 " + tapID, "cmd:x d:3 14:58:19 " + tapID,
	}
	if diff := cmp.Diff(want, got); diff != "" || kept.String() != whole {
		t.Error(diff)
	}
	got = nil
	q.Window = sources.Window{From: time.Date(2025, 11, 27, 15, 0, 0, 0, time.UTC)}
	tap = NewTap("cmd:x", Options{}, q)
	tap.Line("a", []byte(line("58:11", tapID)))
	if tap.Line("a", []byte("no time "+tapID+"\n")); len(got) > 0 {
		t.Errorf("told of what lies before the window: %v", got)
	}
	if tap.Rest(q).Found != nil {
		t.Error("it would be told again")
	}
}

func TestNoTapWhereNobodyWaits(t *testing.T) {
	told := func(sources.Event) { t.Error("told") }
	for _, q := range []sources.LogQuery{{}, {Needles: sources.Spellings(tapID)}, {Found: told}} {
		tap := NewTap("x", Options{}, q)
		if tap != nil {
			t.Errorf("%+v", q)
		}
		tap.Line("a", []byte(tapID+"\n"))
		tap.Numbered("a", 1, []byte(tapID))
		var b strings.Builder
		if tap.Writer("a", &b) != &b {
			t.Error("a writer of its own")
		}
		if (tap.Rest(q).Found == nil) != (q.Found == nil) {
			t.Error("what was not told must be")
		}
	}
}
