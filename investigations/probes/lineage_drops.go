package probes

import (
	"context"
	"slices"

	"inquest/sources/catalog"
	"inquest/sources/wal"
)

// Resource managers and operations of the records that are looked at here
// (access/rmgrlist.h, access/heapam_xlog.h).
const (
	rmgrXact, rmgrHeap2, rmgrHeap = 1, 9, 10
	heapOps                       = 0x70
	opInsert, opMultiInsert       = 0x00, 0x50
	xactOps, opCommit             = 0x70, 0x00
)

// drops is what a stretch of WAL tells of the tables that were dropped in it.
type drops struct {
	files  []droppedFile
	made   map[uint32]making   // tables created in it, by oid
	locked map[uint32][]uint32 // oids locked ACCESS EXCLUSIVE, by xid
}

// droppedFile is a file that got rows and was removed by a commit.
type droppedFile struct {
	file wal.RelFile
	at   wal.LSN  // of the commit
	xids []uint32 // of the transaction and its subtransactions
	name string   // of its table, when WAL holds the table's creation
}

type making struct {
	at  wal.LSN
	xid uint32
}

// lookForDrops reads WAL for files of the database that got rows in it, were
// removed by a commit in it, and are not among the known ones; the graveyard is
// shown all of it.
func lookForDrops(ctx context.Context, src wal.Source, g *graveyard, known map[wal.RelFile]bool) (*drops, error) {
	db := g.cat.DB
	d := &drops{made: map[uint32]making{}, locked: map[uint32][]uint32{}}
	names := map[uint32]string{} // by file number
	gone := map[wal.RelFile]*droppedFile{}
	err := eachRecord(ctx, src, g.most, func(r *wal.Record) {
		g.Record(r)
		for _, l := range r.StandbyLocks() {
			if l.DB == db && !slices.Contains(d.locked[l.XID], l.OID) {
				d.locked[l.XID] = append(d.locked[l.XID], l.OID)
			}
		}
		if row, ok := r.NewClassRow(); ok {
			d.made[row.OID] = making{at: r.LSN, xid: r.XID}
			names[row.File] = row.Name
		}
		if r.RMGR != rmgrXact || r.Info&xactOps != opCommit || r.Decode() != nil {
			return
		}
		if x, ok, err := r.DecodeXact(); ok && err == nil {
			for _, f := range x.Dropped {
				if f.DB == db && !known[f] {
					gone[f] = &droppedFile{file: f, at: r.LSN, xids: append([]uint32{x.XID}, x.Subxacts...), name: names[f.Rel]}
				}
			}
		}
	}, g.Forget)
	if err != nil || len(gone) == 0 {
		return d, err
	}
	err = eachRecord(ctx, src, g.most, func(r *wal.Record) {
		insert := r.RMGR == rmgrHeap && r.Info&heapOps == opInsert || r.RMGR == rmgrHeap2 && r.Info&heapOps == opMultiInsert
		if !insert || r.Decode() != nil || len(r.Blocks) == 0 {
			return
		}
		if f := gone[r.Blocks[0].Rel]; f != nil {
			d.files = append(d.files, *f)
			delete(gone, f.file)
		}
	}, func() {})
	return d, err
}

// formerFilesOf returns the dropped files that can have been the table's: those
// of its partitions, and those of a table that it was made in place of. That a
// row would fit the table's columns proves nothing: tables look alike. With the
// second result are those of them whose table's name WAL does not tell.
func (d *drops) formerFilesOf(t *catalog.Table) (files, nameless []wal.RelFile) {
	for _, f := range d.files {
		switch {
		case t.Kind == "p" && d.hadPart(t.OID, f):
			files = append(files, f.file)
		case t.Kind != "p" && d.tookPlaceOf(t, f):
			files = append(files, f.file)
			if f.name == "" {
				nameless = append(nameless, f.file)
			}
		}
	}
	return files, nameless
}

// hadPart reports that the file was a partition's: dropping or detaching one
// locks its parent as well (commands/tablecmds.c).
func (d *drops) hadPart(parent uint32, f droppedFile) bool {
	var with []uint32 // what the drop locked
	for _, x := range f.xids {
		with = append(with, d.locked[x]...)
	}
	if slices.Contains(with, parent) {
		return true
	}
	for _, oids := range d.locked {
		if slices.Contains(oids, parent) && slices.ContainsFunc(oids, func(o uint32) bool { return slices.Contains(with, o) }) {
			return true // detached before
		}
	}
	return false
}

// tookPlaceOf reports that the table was made by the transaction that removed
// the file, or after it, under the name of the table that had it.
func (d *drops) tookPlaceOf(t *catalog.Table, f droppedFile) bool {
	m, ok := d.made[t.OID]
	if !ok || f.name != "" && f.name != t.Name {
		return false
	}
	return m.at > f.at || slices.Contains(f.xids, m.xid)
}
