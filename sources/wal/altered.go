package wal

import (
	"encoding/binary"
	"slices"
	"time"

	"inquest/sources/heap"
)

// AlteredTable is a table whose columns a committed transaction changed and which it gave a new file by that, as ALTER COLUMN … TYPE
// does: rows in its former file are laid out as the columns were before.
type AlteredTable struct {
	OID  uint32  `json:"oid"`
	File RelFile `json:"file"` // the former one
	// Columns are those that were changed, as they were before, with their type modifiers.
	Columns  []heap.Column `json:"columns"`
	TypeMods []int32       `json:"type_mods"`
	// Unread reports that not all of them could be read.
	Unread bool      `json:"unread,omitempty"`
	LSN    LSN       `json:"lsn"` // of the commit
	XID    uint32    `json:"xid"`
	Time   time.Time `json:"time,omitzero"`
}

// Altered returns the tables found so far whose columns were changed with their files, in the order of the changes.
func (g *Graveyard) Altered() []AlteredTable { return g.altered }

// replaced notes what an update changed of a row of pg_class or pg_attribute, once the new version is known.
func (g *Graveyard) replaced(rec *Record, at, to place) {
	old, known := g.rows[at]
	switch at.rel {
	case g.cat.Attribute.Rel:
		if len(g.alters[rec.XID]) < maxClassRows {
			g.alters[rec.XID] = append(g.alters[rec.XID], killedRow{&g.cat.Attribute, old, known})
		}
	case g.cat.Class.Rel:
		now, ok := g.rows[to]
		if !known || !ok || len(old.Data) < classFileNode+4 || len(now.Data) < classFileNode+4 {
			return
		}
		oid, from := classRow(old)
		if _, node := classRow(now); node != from {
			g.moves[rec.XID] = append(g.moves[rec.XID], classMove{oid: oid, from: from, to: node, lsn: rec.LSN})
		}
	}
}

// rewritten tells which tables a commit gave a new file together with other columns.
func (g *Graveyard) rewritten(rec *Record, x *XactEnd, ids []uint32) {
	var was []killedRow
	var moves []classMove
	for _, id := range ids {
		was, moves = append(was, g.alters[id]...), append(moves, g.moves[id]...)
	}
	unread := slices.ContainsFunc(was, func(k killedRow) bool { return !k.known })
	for _, m := range moves {
		file := numbered(x.Dropped, m.from)
		if len(file) == 0 || file[0].DB != g.cat.DB {
			continue
		}
		t := AlteredTable{OID: m.oid, File: file[0], Unread: unread, LSN: rec.LSN, XID: x.XID, Time: x.Time}
		for _, k := range was {
			if !k.known || len(k.tuple.Data) < 4 || binary.LittleEndian.Uint32(k.tuple.Data) != m.oid {
				continue
			}
			r := k.of.row(k.tuple)
			again := slices.ContainsFunc(t.Columns, func(c heap.Column) bool { return int(c.AttNum) == r.int("attnum") })
			if r.int("attnum") > 0 && !again { // the first change is the one from before
				c, mod := r.column()
				t.Columns, t.TypeMods = append(t.Columns, c), append(t.TypeMods, mod)
			}
		}
		if len(t.Columns) > 0 || unread {
			g.altered = append(g.altered, t)
		}
	}
}

// column reads a row of pg_attribute.
func (r catalogueRow) column() (heap.Column, int32) {
	return heap.Column{
		Name: r.text("attname"), AttNum: int16(r.int("attnum")), TypeOID: r.oid("atttypid"), Len: int16(r.int("attlen")), Align: (r.text("attalign") + "i")[0],
		ByVal: r.text("attbyval") == "t", Dropped: r.text("attisdropped") == "t", NotNull: r.text("attnotnull") == "t",
	}, int32(r.int("atttypmod"))
}
