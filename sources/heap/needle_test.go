package heap

import (
	"bytes"
	"testing"
)

// TestNeedleStandsInEveryMatch compares with Match on versions that hold the key and on such that hold nearly the same.
func TestNeedleStandsInEveryMatch(t *testing.T) {
	const id = "e7a4bff2-adc7-4847-a9d8-25734601b405"
	column := func(name string, n int16, oid uint32) Column {
		c, ok := NewColumn(name, n, oid)
		if !ok {
			t.Fatalf("no column of type %d", oid)
		}
		return c
	}
	missing := "7"
	added := column("added", 3, 23)
	added.Missing = &missing
	cols := []Column{column("n", 1, 20), column("id", 2, 2950), added, column("note", 4, 25)}
	for _, c := range []struct {
		name string
		key  []KeyPart
		want int
	}{
		{"uuid", []KeyPart{{AttNum: 2, Text: id}}, 16},
		{"the longest of two", []KeyPart{{AttNum: 1, Text: "300"}, {AttNum: 2, Text: id}}, 16},
		{"bigint", []KeyPart{{AttNum: 1, Text: "300"}}, 8},
		{"a value that may be missing", []KeyPart{{AttNum: 3, Text: "7"}}, 0},
		{"text may be compressed", []KeyPart{{AttNum: 4, Text: "note"}}, 0},
		{"text beside a number", []KeyPart{{AttNum: 4, Text: "note"}, {AttNum: 1, Text: "300"}}, 8},
	} {
		m, err := NewMatcher(cols, c.key)
		if err != nil {
			t.Fatal(err)
		}
		needle := m.Needle()
		if len(needle) != c.want {
			t.Errorf("%s: a needle of %d bytes, want %d", c.name, len(needle), c.want)
		}
		num := []byte{44, 1, 0, 0, 0, 0, 0, 0}
		uid, err := EncodeKey(2950, id)
		if err != nil {
			t.Fatal(err)
		}
		data := append(append(append(num, uid...), 7, 0, 0, 0), "\x0bnote"...)
		same := 0
		for i := -1; i < len(data); i++ {
			b := bytes.Clone(data)
			if i >= 0 {
				b[i] ^= 1
			}
			if m.Match(Tuple{Data: b, Infomask2: 4}) == Same {
				if same++; !bytes.Contains(b, needle) {
					t.Errorf("%s: a version with the key lacks the needle", c.name)
				}
			}
		}
		if same == 0 {
			t.Errorf("%s: no version has the key", c.name)
		}
	}
}
