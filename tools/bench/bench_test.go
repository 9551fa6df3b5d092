package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

func testStore(t *testing.T) *store {
	t.Helper()
	return &store{dir: t.TempDir(), scale: 1e-9, say: func(string, ...any) {}}
}

func TestTheSameScaleMakesTheSameData(t *testing.T) {
	var made [2][]byte
	for i := range made {
		s := testStore(t)
		for _, file := range []func(context.Context) (string, error){
			s.ugly, func(ctx context.Context) (string, error) { return s.file(ctx, jsonSet) }, func(ctx context.Context) (string, error) { return s.single(ctx, ".zst") },
		} {
			p, err := file(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			made[i] = append(made[i], b...)
		}
	}
	if !bytes.Equal(made[0], made[1]) {
		t.Error("two runs made different data")
	}
}

// TestSearchFindsEveryLine compares the worker's search with a plain loop, in
// every made format.
func TestSearchFindsEveryLine(t *testing.T) {
	s := testStore(t)
	for _, set := range []set{jsonSet, accessSet, csvSet, jsonlogSet, logfmtSet, syslogSet} {
		p, err := s.file(t.Context(), set)
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		for l := range bytes.Lines(b) {
			if bytes.Contains(l, []byte(wanted)) {
				want.Write(l)
			}
		}
		for _, task := range []string{"find", "search"} {
			var got bytes.Buffer
			if err := work(t.Context(), &got, []string{task, wanted, p}); err != nil {
				t.Fatal(set.name, err)
			}
			if err := sameLines(want.Bytes(), got.Bytes()); err != nil {
				t.Errorf("%s %s: %v", task, set.name, err)
			}
		}
	}
}

func TestADifferenceIsSeen(t *testing.T) {
	if err := sameLines([]byte("a\nb\n"), []byte("b\r\na\n")); err != nil {
		t.Error(err)
	}
	for _, ours := range []string{"a\n", "a\nc\n", "a\nb\nb\n"} {
		if sameLines([]byte("a\nb\n"), []byte(ours)) == nil {
			t.Errorf("%q is called the same", ours)
		}
	}
	if sameLines(nil, nil) == nil {
		t.Error("nothing and nothing is called a find")
	}
	if linesAmong([]byte("a\nb\n"), []byte("a\nc\n")) == nil {
		t.Error("a line is missing and was not missed")
	}
	if positionsAmong([]byte("lsn: 0/0000A1, lsn: 0/000000B2"), []byte("0/B2 insert\n0/B2 update\n0/C3 delete\n")) == nil {
		t.Error("a record that the peer does not have is accepted")
	}
}

func TestTableSaysWhatWasMissed(t *testing.T) {
	var b strings.Builder
	tb := newTable(&b, 1, 3)
	tb.add(row{id: "1", goal: 0.7}, result{measure: 0.71, value: "0.71"}, nil)
	tb.add(row{id: "2", goal: 0.7}, result{measure: 0.70, value: "0.70"}, nil)
	tb.add(row{id: "12", goal: 0.6, least: true}, result{measure: 0.59, value: "0.59"}, nil)
	tb.add(row{id: "4", goal: 0.1}, result{}, &missing{"lnav", "apt-get install lnav"})
	tb.print()
	for _, want := range []string{"| 0.71 |  |  |  | missed |", "| 0.70 |  |  |  | met |", "≥ 0.6 | 0.59 |  |  |  | missed |", "not measured |  |  |  | lnav is not on this machine: apt-get install lnav |"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

func TestRowsAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rows() {
		if r.id == "" || r.work == "" || r.run == nil || seen[r.id] {
			t.Errorf("row %q is not whole, or twice in the list", r.id)
		}
		seen[r.id] = true
		if !chosen("", r.id) || !chosen("99,"+r.id, r.id) || chosen("99", r.id) {
			t.Errorf("row %q is not chosen as it should be", r.id)
		}
	}
	if !chosen("3", "3 json") || chosen("1", "10") {
		t.Error("a number must name all kinds of its row, and no other row")
	}
}

func TestFillStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := fill(ctx, io.Discard, newFeed(1, dayStart, time.Hour, 10), writeJSON, 1<<30); err == nil {
		t.Error("it went on")
	}
}
