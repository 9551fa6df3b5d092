package journal_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"inquest/investigations"
	"inquest/investigations/journal"
)

// TestMain lets the test binary be the second process of TestTwoProcesses.
func TestMain(m *testing.M) {
	if path := os.Getenv("INQUEST_TEST_HOLD"); path != "" {
		hold(path)
		return
	}
	goleak.VerifyTestMain(m)
}

// hold writes a case until its standard input is closed.
func hold(path string) {
	j, _, _, err := journal.Open(path)
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	fmt.Println("open")
	_, _ = fmt.Scanln()
	_ = j.Close()
}

var at = time.Date(2025, 11, 27, 14, 58, 12, 345678000, time.UTC)

func opened(t testing.TB, id string) investigations.Entry {
	t.Helper()
	return entry(t, investigations.EntryOpened, investigations.Opened{
		Schema: investigations.CaseSchema, Record: investigations.Record{ID: id, Table: "public.dtro"}, Version: "test",
	})
}

func note(t testing.TB, text string) investigations.Entry {
	t.Helper()
	return entry(t, investigations.EntryNoted, investigations.Noted{Text: text})
}

func entry(t testing.TB, kind investigations.EntryKind, body any) investigations.Entry {
	t.Helper()
	e, err := investigations.NewEntry(at, kind, body)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func collected(t testing.TB, size int) investigations.Entry {
	t.Helper()
	body := strings.Repeat("x", size)
	return entry(t, investigations.EntryCollected, investigations.Collected{
		Probe: "database.row", Started: at,
		Evidence: []investigations.Evidence{{ID: "E1", Kind: "text", Source: "db:a", Body: body, SHA256: sha(body)}},
	})
}

// small returns the bytes of a case of an opening and n notes.
func small(t testing.TB, n int) []byte {
	t.Helper()
	m := &journal.Memory{}
	appendAll(t, m, opened(t, "42"))
	for i := range n {
		appendAll(t, m, note(t, fmt.Sprintf("note %d <b> & é \u2028", i)))
	}
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func appendAll(t testing.TB, j investigations.Journal, entries ...investigations.Entry) {
	t.Helper()
	for _, e := range entries {
		if _, err := j.Append(e); err != nil {
			t.Fatal(err)
		}
	}
}

func write(t testing.TB, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.inquest")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func lineStarts(b []byte) []int {
	starts := []int{0}
	for i, c := range b {
		if c == '\n' && i+1 < len(b) {
			starts = append(starts, i+1)
		}
	}
	return starts
}
