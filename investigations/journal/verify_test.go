package journal_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"inquest/investigations"
	"inquest/investigations/journal"
)

// TestTamperedByteIsNamed changes every byte of a case, one at a time.
func TestTamperedByteIsNamed(t *testing.T) {
	b := small(t, 2)
	starts := lineStarts(b)
	path := write(t, b)
	entry := 0
	for i := range b {
		if entry < len(starts) && i == starts[entry] {
			entry++
		}
		for _, flip := range []byte{0x01, 0x20, 0x80} {
			bad := bytes.Clone(b)
			bad[i] ^= flip
			overwrite(t, path, bad)
			r, err := journal.Verify(path)
			if err != nil || r.Result != journal.Broken || r.Seq != entry || r.Line != entry || r.Entries != entry-1 {
				t.Fatalf("byte %d (%q, entry %d) xor %#x: %+v %v", i, b[i], entry, flip, r, err)
			}
			if _, _, _, err := journal.Open(path); err == nil {
				t.Fatalf("byte %d: opened", i)
			}
		}
	}
}

func TestRemovedAddedMovedLines(t *testing.T) {
	lines := bytes.SplitAfter(small(t, 4), []byte("\n"))[:5]
	join := func(at ...int) []byte {
		var out []byte
		for _, i := range at {
			out = append(out, lines[i]...)
		}
		return out
	}
	for name, c := range map[string]struct {
		b   []byte
		seq int
	}{
		"first removed": {join(1, 2, 3, 4), 1}, "middle removed": {join(0, 1, 3, 4), 3}, "swapped": {join(0, 2, 1, 3, 4), 2},
		"repeated": {join(0, 1, 1, 2), 3}, "blank line": {append(join(0, 1), "\n"...), 3}, "stranger": {append(join(0, 1), "{}\n"...), 3},
		"crlf":              {bytes.ReplaceAll(join(0, 1, 2), []byte("\n"), []byte("\r\n")), 1},
		"space":             {bytes.Replace(join(0, 1, 2), []byte(`,"kind":"noted"`), []byte(`, "kind":"noted"`), 1), 2},
		"key case":          {bytes.Replace(join(0, 1, 2), []byte(`"kind":"noted"`), []byte(`"KIND":"noted"`), 1), 2},
		"other case's tail": {append(join(0, 1), bytes.SplitAfter(small(t, 5), []byte("\n"))[3]...), 3},
	} {
		r, err := journal.Verify(write(t, c.b))
		if err != nil || r.Result != journal.Broken || r.Seq != c.seq {
			t.Errorf("%s: %+v %v, want entry %d", name, r, err, c.seq)
		}
		if !strings.Contains(r.String(), "broken at line") {
			t.Error(r)
		}
	}
}

// TestResealedEvidenceIsFound: whoever recomputes the chain but not the hash
// inside still shows.
func TestResealedEvidenceIsFound(t *testing.T) {
	m := &journal.Memory{}
	e := collected(t, 10)
	var c investigations.Collected
	if err := json.Unmarshal(e.Body, &c); err != nil {
		t.Fatal(err)
	}
	c.Evidence[0].Body = "something else"
	appendAll(t, m, opened(t, "42"), note(t, "x"), entry(t, investigations.EntryCollected, c))
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	r, err := journal.Verify(write(t, b.Bytes()))
	if err != nil || r.Result != journal.Broken || r.Seq != 3 || !strings.Contains(r.Why, "E1") {
		t.Fatal(r, err)
	}
}

func FuzzRead(f *testing.F) {
	b := small(f, 3)
	f.Add(b)
	f.Add(b[:len(b)-7])
	f.Add(bytes.Replace(b, []byte("note 1"), []byte("note 9"), 1))
	f.Add([]byte(`{"seq":1,"time":"`))
	f.Fuzz(func(t *testing.T, in []byte) {
		entries, note, err := journal.Read(bytes.NewReader(in))
		for i, e := range entries {
			if e.Seq != i+1 {
				t.Fatalf("entry %d is numbered %d", i+1, e.Seq)
			}
		}
		if err != nil {
			return
		}
		m, _, err := journal.Load(bytes.NewReader(in))
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if _, err := m.WriteTo(&out); err != nil {
			t.Fatal(err)
		}
		if whole := in[:int64(len(in))-note.Torn]; bytes.HasPrefix(b, whole) && !bytes.Equal(whole, out.Bytes()) {
			t.Fatalf("read and written back:\n%s\n%s", whole, out.Bytes())
		}
	})
}
