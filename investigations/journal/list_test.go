package journal_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"inquest/investigations"
	"inquest/investigations/journal"
)

func judged(t testing.TB) investigations.Entry {
	return entry(t, investigations.EntryJudged, investigations.Judged{
		Fate:    investigations.Fate{Kind: investigations.FateNeverCommitted, Standing: investigations.Established, Summary: "s", Evidence: []string{}},
		Leading: "rolled-back", Cause: investigations.CauseApplication, Version: "test",
	})
}

func save(t testing.TB, path string, entries ...investigations.Entry) {
	t.Helper()
	m := &journal.Memory{}
	appendAll(t, m, entries...)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.WriteTo(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestList(t *testing.T) {
	dir := t.TempDir()
	late := note(t, "late")
	late.Time = at.Add(time.Hour)
	save(t, filepath.Join(dir, "old.inquest"), opened(t, "1"), collected(t, 5<<20), judged(t))
	save(t, filepath.Join(dir, "new.inquest"), opened(t, "2"), judged(t), collected(t, 200<<10), late)
	save(t, filepath.Join(dir, "open.inquest"), opened(t, "3"), collected(t, 3<<20))
	for name, body := range map[string]string{"x.inquest": "hello\n", "y.inquest": "", "z.txt": "", "torn.inquest": string(small(t, 2)) + `{"seq":4`} {
		overwrite(t, filepath.Join(dir, name), []byte(body))
	}
	got, err := journal.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]journal.Summary{}
	for _, s := range got {
		by[filepath.Base(s.Path)] = s
	}
	if len(got) != 6 || by["x.inquest"].Broken == "" || by["y.inquest"].Broken == "" {
		t.Fatalf("%+v", got)
	}
	want := journal.Summary{
		Path: filepath.Join(dir, "new.inquest"), Record: "2", Table: "public.dtro", Opened: at, Updated: late.Time,
		Fate: investigations.FateNeverCommitted, Standing: investigations.Established, Leading: "rolled-back", Entries: 4,
	}
	if by["new.inquest"] != want {
		t.Errorf("got %+v\nwant %+v", by["new.inquest"], want)
	}
	if s := by["old.inquest"]; s.Entries != 3 || s.Fate == "" || s.Broken != "" {
		t.Errorf("%+v", s)
	}
	if s := by["open.inquest"]; s.Entries != 2 || s.Fate != "" || s.Broken != "" {
		t.Errorf("%+v", s)
	}
	if s := by["torn.inquest"]; s.Entries != 3 || s.Broken != "" {
		t.Errorf("%+v", s)
	}
	if none, err := journal.List(filepath.Join(dir, "none")); none != nil || err != nil {
		t.Error(none, err)
	}
}

// TestListIsQuick: 500 cases, one of them of 50 MB.
func TestListIsQuick(t *testing.T) {
	dir := t.TempDir()
	for i := range 499 {
		save(t, filepath.Join(dir, fmt.Sprintf("%03d.inquest", i)), opened(t, fmt.Sprint(i)), collected(t, 3<<10), judged(t))
	}
	hollow(t, filepath.Join(dir, "big.inquest"), 50<<20)
	start := time.Now()
	got, err := journal.List(dir)
	if took := time.Since(start); err != nil || len(got) != 500 || took > 3*time.Second {
		t.Fatalf("%d cases in %s: %v", len(got), took, err)
	} else {
		t.Logf("500 cases in %s", took)
	}
	if s := journal.Summarize(filepath.Join(dir, "big.inquest")); s.Broken != "" || s.Leading != "rolled-back" || s.Entries != 2 {
		t.Errorf("%+v", s)
	}
}

// hollow writes a case with nothing in its middle: List must not look there.
func hollow(t testing.TB, path string, size int64) {
	t.Helper()
	m := &journal.Memory{}
	appendAll(t, m, opened(t, "big"), judged(t))
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	head, tail, _ := bytes.Cut(b.Bytes(), []byte("\n"))
	overwrite(t, path, append(head, '\n'))
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(append([]byte("\n"), tail...), size); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestNewPath(t *testing.T) {
	dir := t.TempDir()
	seen := map[string]string{}
	ids := []string{
		"e7a4bff2-adc7-4847-a9d8-25734601b405", "42", "../../etc/passwd", "..", ".", "/", "", "a/b", "a.b", "tenant_id=7,doc_id=42",
		strings.Repeat("x", 1000), strings.Repeat("é", 500), "\x00\n\x1b[2J", "CON", "-rf", `C:\x`, strings.Repeat("x", 999),
	}
	for _, id := range ids {
		path := journal.NewPath(dir, id, at)
		name := filepath.Base(path)
		if filepath.Dir(path) != dir || len(name) > 120 || !strings.HasPrefix(name, "20251127-145812-") || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != "" {
			t.Errorf("%q: %s", id, path)
		}
		if other, taken := seen[path]; taken {
			t.Errorf("%q and %q share %s", id, other, path)
		}
		seen[path] = id
		j, err := journal.Create(path)
		if err != nil {
			t.Fatalf("%q: %v", id, err)
		}
		j.Close()
		if again := journal.NewPath(dir, id, at); again == path {
			t.Errorf("%q: a taken name was given out again", id)
		}
	}
	if name := filepath.Base(journal.NewPath(dir, "other", at)); name != "20251127-145812-other.inquest" {
		t.Error(name)
	}
	if !strings.HasSuffix(journal.DefaultDir(), "inquest") {
		t.Error(journal.DefaultDir())
	}
}
