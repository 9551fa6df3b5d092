package probes

import (
	"slices"
	"testing"

	inv "inquest/investigations"
	"inquest/sources/wal"
)

// TestDroppedTablesThatMayHaveHeldTheRecord: a dropped table is told when the record can have been in it and nothing shows whether it was.
func TestDroppedTablesThatMayHaveHeldTheRecord(t *testing.T) {
	const id = "e7a4bff2-adc7-4847-a9d8-25734601b405"
	list := []goneTable{
		{Name: "public.older", XID: 701, LSN: 0x100, Fits: true},
		{Name: "public.whole_life_was_read", XID: 702, LSN: 0x200, Fits: true, Made: 0x50},
		{Name: "public.no_key_that_fits", XID: 703, LSN: 0x300},
		{Name: "public.unlogged", XID: 704, LSN: 0x400, Fits: true, Made: 0x50, Unlogged: true},
		{Name: "?.base/5/16455", XID: 705, LSN: 0x500, Unread: "the rows of the catalogue that describe it are not in the WAL that was read"},
		{Name: "public.seen", XID: 706, LSN: 0x600, Fits: true, Seen: true},
	}
	ins := wal.Event{LSN: 0x580, Op: wal.OpInsert, XID: 690, Table: "public.seen", Incarnation: 1}
	for _, c := range []struct {
		name    string
		rows    int // that the inserting transaction wrote to the table
		assumed string
	}{{"stored by itself", 1, ""}, {"copied with many others", 500, "true"}} {
		l := wal.Lineage{
			Targets: []string{"public.seen"}, Events: []wal.Event{ins}, Notes: []string{noteGone},
			Xacts: map[uint32]*wal.Xact{690: {XID: 690, State: wal.Committed, Steps: []wal.Step{{Table: "public.seen", Op: wal.OpInsert, Rows: c.rows}}}},
		}
		in := inv.Input{Record: inv.Record{ID: id}, Evidence: []inv.Evidence{
			stored(t, "E1", inv.EvidenceLineage, "db:shop", "", l), stored(t, "E2", evidenceGone, "db:shop", "", list),
		}}
		r := readLineage(in)
		var unseen []string
		for _, f := range inv.Facts(r.Facts).Of(inv.TableDropped) {
			switch {
			case f.Attr("unseen") == "true":
				unseen = append(unseen, f.Attr("table"))
			case f.Attr("table") != "public.seen" || f.Attr("assumed") != c.assumed:
				t.Errorf("%s: %v", c.name, f)
			}
			if len(inv.Facts(r.Facts).Of(inv.XactCommitted).With("xid", f.Attr("xid"))) != 1 {
				t.Errorf("%s: nothing says that xid %s committed", c.name, f.Attr("xid"))
			}
		}
		if want := []string{"public.older", "public.unlogged", "?.base/5/16455"}; !slices.Equal(unseen, want) {
			t.Errorf("%s: unseen %v, want %v", c.name, unseen, want)
		}
	}
}
