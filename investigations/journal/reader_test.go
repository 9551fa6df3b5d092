package journal_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"inquest/investigations/journal"
)

func overwrite(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFollowBesideAWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.inquest")
	j, err := journal.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	appendAll(t, j, opened(t, "42"))
	r, entries, _, err := journal.OpenReadOnly(path)
	if err != nil || len(entries) != 1 {
		t.Fatal(err)
	}
	defer r.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	const n = 20
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range n {
			appendAll(t, j, note(t, "x"))
		}
	}()
	seq := 1
	for e, err := range r.Follow(ctx) {
		if seq++; err != nil || e.Seq != seq {
			t.Fatalf("entry %d: %d %v", seq, e.Seq, err)
		}
		if seq == n/2 {
			break // a later Follow goes on here
		}
	}
	for e, err := range r.Follow(ctx) {
		if seq++; err != nil || e.Seq != seq {
			t.Fatalf("entry %d: %d %v", seq, e.Seq, err)
		}
		if seq == n+1 {
			cancel()
		}
	}
	<-done
	if seq != n+1 {
		t.Fatalf("%d entries", seq)
	}
}

func TestFollowWaitsForATornLine(t *testing.T) {
	b := small(t, 2)
	starts := lineStarts(b)
	path := write(t, b[:starts[1]])
	r, _, _, err := journal.OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	overwrite(t, path, b[:starts[2]-5])
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	for e, err := range r.Follow(ctx) {
		t.Fatal("delivered a torn line", e.Seq, err)
	}
	overwrite(t, path, b)
	got := 0
	for _, err := range r.Follow(t.Context()) {
		if got++; err != nil {
			t.Fatal(err)
		}
		if got == 2 {
			break
		}
	}
}

func TestFollowReportsABrokenLine(t *testing.T) {
	b := small(t, 2)
	starts := lineStarts(b)
	path := write(t, b[:starts[1]])
	r, _, _, err := journal.OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	overwrite(t, path, bytes.Replace(b, []byte("note 0"), []byte("note 9"), 1))
	for _, err := range r.Follow(t.Context()) {
		if err == nil {
			t.Fatal("delivered a broken entry")
		}
	}
	overwrite(t, path, b[:10])
	for _, err := range r.Follow(t.Context()) {
		if err == nil {
			t.Fatal("did not notice that the file became shorter")
		}
	}
}
