package catalog

import (
	"slices"
	"testing"

	"inquest/sources/heap"
)

func TestUUIDInOtherColumns(t *testing.T) {
	const id, bare = "e7a4bff2-5d10-4bb0-87ab-2a9f0c1d2e3f", "e7a4bff25d104bb087ab2a9f0c1d2e3f"
	column := func(typ string, oid uint32) Table {
		return Table{Columns: []heap.Column{{Name: "id", AttNum: 1, TypeOID: oid, TypeName: typ, Len: -1}}}
	}
	for typ, c := range map[string]struct {
		oid  uint32
		text string // "": no value of it
		also int
	}{
		"text": {25, id, 5}, "character varying(32)": {1043, id, 5}, "character varying(31)": {1043, "", 0},
		"bytea": {17, `\x` + bare, 0}, "uuid": {2950, id, 0}, "bigint": {20, "", 0},
	} {
		table := column(typ, c.oid)
		got := table.Match(Key{ID: id})
		switch {
		case c.text == "" && len(got) > 0:
			t.Errorf("%s can hold it: %+v", typ, got)
		case c.text == "":
		case len(got) != 1 || got[0].Parts[0].Text != c.text || len(got[0].Parts[0].Also) != c.also:
			t.Errorf("%s: %+v", typ, got)
		case c.also > 0 && !slices.Contains(got[0].Parts[0].Also, bare):
			t.Errorf("%s: %q", typ, got[0].Parts[0].Also)
		case len(got[0].Spellings()) != 1+c.also:
			t.Errorf("%s: %d spellings", typ, len(got[0].Spellings()))
		}
	}
	if s := spellings("BK-20251127"); s != nil {
		t.Errorf("a reference has spellings: %q", s)
	}
}
