package wal

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"time"

	"inquest/sources/heap"
)

// SystemCatalogue says where the catalogue of one database lies and how its rows are laid out: both are the server's to tell, for
// versions differ in both.
type SystemCatalogue struct {
	DB                                       uint32
	Class, Attribute, Index, Namespace, Type CatalogueTable
}

// CatalogueTable is one table of the catalogue. Columns are those of pg_attribute, from attnum 1.
type CatalogueTable struct {
	Rel     RelFile
	Columns []heap.Column
}

// DroppedTable is a table that a committed transaction dropped, as the rows of pg_class, pg_attribute and pg_index tell that this
// transaction deleted. Their deletes carry no content: it comes from the page images, inserts and updates before them in the WAL.
type DroppedTable struct {
	OID         uint32         `json:"oid"`
	Namespace   uint32         `json:"namespace"`        // pg_class.relnamespace
	Schema      string         `json:"schema,omitempty"` // when the transaction dropped the schema as well
	Name        string         `json:"name"`
	Persistence string         `json:"persistence"` // p permanent, u unlogged
	File        RelFile        `json:"file"`
	Toast       RelFile        `json:"toast,omitzero"`
	Columns     []heap.Column  `json:"columns,omitempty"` // types by oid and layout; those that were dropped with the table also by name and base
	TypeMods    []int32        `json:"type_mods,omitempty"`
	Indexes     []DroppedIndex `json:"indexes,omitempty"`
	// Unread says what of the definition could not be read; empty: Columns and Indexes are whole.
	Unread string    `json:"unread,omitempty"`
	Made   LSN       `json:"made,omitzero"` // where this WAL holds its creation; zero: it is older, or WAL is missing since
	LSN    LSN       `json:"lsn"`           // of the commit
	XID    uint32    `json:"xid"`
	XIDs   []uint32  `json:"xids,omitempty"` // with its subtransactions
	Time   time.Time `json:"time,omitzero"`
}

// DroppedIndex is an index of a DroppedTable.
type DroppedIndex struct {
	OID     uint32  `json:"oid"`
	Name    string  `json:"name"`
	File    RelFile `json:"file"`
	BTree   bool    `json:"btree"`
	Unique  bool    `json:"unique,omitempty"`
	Primary bool    `json:"primary,omitempty"`
	Partial bool    `json:"partial,omitempty"`
	Columns []int16 `json:"columns"` // attnums, 0 is an expression
	Keys    int     `json:"keys"`    // how many of them are key columns
}

// btreeMethod is pg_am.oid of btree (catalog/pg_am.dat).
const btreeMethod = 403

// Graveyard finds the tables of one database that were dropped in a stretch of WAL. It is given every record, in order. A table that was
// made and dropped by one transaction is left out: no other saw it.
type Graveyard struct {
	cat     SystemCatalogue
	rows    map[place]heap.Tuple   // what WAL shows of the catalogue's rows
	killed  map[uint32][]killedRow // by xid
	made    map[uint32]LSN         // by oid of the relation
	madeBy  map[uint32]uint32
	moves   map[uint32][]classMove // by xid
	alters  map[uint32][]killedRow // rows of pg_attribute as they were before the transaction changed them
	dropped []DroppedTable
	altered []AlteredTable
}

// NewGraveyard returns a Graveyard that has seen nothing yet.
func NewGraveyard(cat SystemCatalogue) *Graveyard {
	return &Graveyard{cat: cat, rows: map[place]heap.Tuple{}, killed: map[uint32][]killedRow{}, made: map[uint32]LSN{}, madeBy: map[uint32]uint32{}, moves: map[uint32][]classMove{}, alters: map[uint32][]killedRow{}}
}

// Dropped returns the tables found so far, in the order of their drops.
func (g *Graveyard) Dropped() []DroppedTable { return g.dropped }

// killedRow is a row of the catalogue that a transaction deleted.
type killedRow struct {
	of    *CatalogueTable
	tuple heap.Tuple
	known bool
}

// Forget tells of a hole in the WAL: what was seen before it says nothing of what comes after, for places are used again.
func (g *Graveyard) Forget() {
	clear(g.rows)
	clear(g.killed)
	clear(g.made)
	clear(g.madeBy)
	clear(g.moves)
	clear(g.alters)
}

func (g *Graveyard) table(f RelFile) *CatalogueTable {
	for _, t := range []*CatalogueTable{&g.cat.Class, &g.cat.Attribute, &g.cat.Index, &g.cat.Namespace, &g.cat.Type} {
		if t.Rel == f {
			return t
		}
	}
	return nil
}

// Record looks at one record.
func (g *Graveyard) Record(rec *Record) {
	switch rec.RMGR {
	case rmHeap, rmHeap2, rmXLOG:
		if f, ok := firstRel(rec); ok && g.table(f) != nil && rec.Decode() == nil {
			g.images(rec)
			g.change(rec)
		}
	case rmXact:
		switch rec.Info & 0x70 {
		case xactCommit, xactCommitPrepared, xactAbort, xactAbortPrepared:
			if rec.Decode() == nil {
				g.ended(rec)
			}
		}
	}
}

func (g *Graveyard) put(p place, t heap.Tuple) {
	if t.To == 0 && len(g.rows) < 4*maxClassRows {
		g.rows[p] = keep(t)
	} else {
		delete(g.rows, p)
	}
}

func (g *Graveyard) images(rec *Record) {
	for b, p := range rec.heapImages(func(f RelFile) bool { return g.table(f) != nil }) {
		for n := 1; n <= p.Pointers(); n++ {
			if t, ok := p.Tuple(n); ok {
				g.put(place{b.Rel, heap.TID{Block: b.Block, Offset: uint16(n)}}, t)
			}
		}
	}
}

func (g *Graveyard) change(rec *Record) {
	if rec.RMGR == rmHeap2 && rec.Info&heapOpMask == heap2MultiInsert {
		m, err := rec.DecodeMultiInsert()
		for err == nil {
			tid, t, has, ok := m.Next()
			if !ok {
				return
			}
			if has {
				g.put(place{m.Rel, tid}, t)
			}
		}
	}
	if rec.RMGR != rmHeap {
		return
	}
	c, ok, err := rec.DecodeHeap()
	if !ok || err != nil {
		return
	}
	at, to := place{c.Rel, c.TID}, place{c.Rel, c.NewTID}
	switch c.Op {
	case heapInsert:
		if c.HasNew {
			g.put(at, c.New)
		}
		g.born(rec, at)
	case heapUpdate, heapHotUpdate:
		defer g.replaced(rec, at, to)
		if old, known := g.rows[at]; known && c.Complete(old) || c.HasNew && c.Prefix+c.Suffix == 0 {
			g.put(to, c.New)
		} else if !c.NewBlock.HasImage {
			delete(g.rows, to)
		}
	case heapDelete:
		t, known := g.rows[at]
		if len(g.killed[rec.XID]) < maxClassRows {
			g.killed[rec.XID] = append(g.killed[rec.XID], killedRow{g.table(c.Rel), t, known})
		}
	}
}

// born notes a relation that is made.
func (g *Graveyard) born(rec *Record, at place) {
	if t, ok := g.rows[at]; ok && at.rel == g.cat.Class.Rel && len(t.Data) >= 4 {
		oid := binary.LittleEndian.Uint32(t.Data)
		g.made[oid], g.madeBy[oid] = rec.LSN, rec.XID
	}
}

func (g *Graveyard) ended(rec *Record) {
	x, ok, err := rec.DecodeXact()
	if !ok || err != nil {
		return
	}
	ids := append([]uint32{x.XID}, x.Subxacts...)
	if x.Op == xactCommit || x.Op == xactCommitPrepared {
		g.bury(rec, &x, ids)
		g.rewritten(rec, &x, ids)
	}
	for _, id := range ids {
		delete(g.killed, id)
		delete(g.moves, id)
		delete(g.alters, id)
	}
}

// bury tells which tables a commit dropped.
func (g *Graveyard) bury(rec *Record, x *XactEnd, ids []uint32) {
	if len(x.Dropped) == 0 {
		return
	}
	var list []DroppedTable
	unread := map[*CatalogueTable]int{}
	rows := map[*CatalogueTable][]catalogueRow{}
	for _, id := range ids {
		for _, k := range g.killed[id] {
			if k.known {
				rows[k.of] = append(rows[k.of], k.of.row(k.tuple))
			} else {
				unread[k.of]++
			}
		}
	}
	for _, r := range rows[&g.cat.Class] {
		file := numbered(x.Dropped, r.oid("relfilenode"))
		oid := r.oid("oid")
		if r.text("relkind") != "r" && r.text("relkind") != "m" || len(file) == 0 || file[0].DB != g.cat.DB || slices.Contains(ids, g.madeBy[oid]) && g.madeBy[oid] != 0 {
			continue
		}
		t := DroppedTable{
			OID: oid, Namespace: r.oid("relnamespace"), Name: r.text("relname"), Persistence: r.text("relpersistence"), File: file[0],
			Made: g.made[oid], LSN: rec.LSN, XID: x.XID, XIDs: ids, Time: x.Time,
		}
		t.define(r, rows, g, x)
		if t.Unread != "" && unread[&g.cat.Attribute]+unread[&g.cat.Index] > 0 {
			t.Unread += fmt.Sprintf(" (%d of the rows that describe what was dropped are not in the WAL that was read)", unread[&g.cat.Attribute]+unread[&g.cat.Index])
		}
		list = append(list, t)
	}
	for _, f := range x.Dropped { // a file whose row of pg_class is not known
		if unread[&g.cat.Class] > 0 && f.DB == g.cat.DB && !g.told(f, rows[&g.cat.Class]) {
			list = append(list, DroppedTable{File: f, LSN: rec.LSN, XID: x.XID, XIDs: ids, Time: x.Time, Unread: "the rows of the catalogue that describe it are not in the WAL that was read"})
		}
	}
	g.dropped = append(g.dropped, list...)
}

// told reports that a known row of pg_class has the file.
func (g *Graveyard) told(f RelFile, rows []catalogueRow) bool {
	return slices.ContainsFunc(rows, func(r catalogueRow) bool { return r.oid("relfilenode") == f.Rel })
}

// define reads the columns and indexes of a table.
func (t *DroppedTable) define(class catalogueRow, rows map[*CatalogueTable][]catalogueRow, g *Graveyard, x *XactEnd) {
	for _, r := range rows[&g.cat.Namespace] {
		if r.oid("oid") == t.Namespace {
			t.Schema = r.text("nspname")
		}
	}
	columns := map[int]catalogueRow{}
	for _, r := range rows[&g.cat.Attribute] {
		if n := r.int("attnum"); r.oid("attrelid") == t.OID && n > 0 {
			columns[n] = r
		}
	}
	natts := class.int("relnatts")
	for _, n := range slices.Sorted(maps.Keys(columns)) {
		r := columns[n]
		if n != len(t.Columns)+1 {
			break
		}
		c, mod := r.column()
		t.Columns, t.TypeMods = append(t.Columns, c), append(t.TypeMods, mod)
	}
	for i := range t.Columns {
		t.Columns[i].Base, t.Columns[i].TypeName = ownType(t.Columns[i].TypeOID, rows[&g.cat.Type])
	}
	if len(t.Columns) < natts {
		t.Unread = fmt.Sprintf("only %d of its %d columns could be read", len(t.Columns), natts)
	}
	for _, r := range rows[&g.cat.Class] {
		if r.oid("oid") == class.oid("reltoastrelid") && r.text("relkind") == "t" {
			if f := numbered(x.Dropped, r.oid("relfilenode")); len(f) > 0 {
				t.Toast = f[0]
			}
		}
	}
	for _, r := range rows[&g.cat.Index] {
		if r.oid("indrelid") == t.OID {
			t.Indexes = append(t.Indexes, droppedIndex(r, rows[&g.cat.Class], x))
		}
	}
	slices.SortFunc(t.Indexes, func(a, b DroppedIndex) int { return cmp.Compare(a.OID, b.OID) })
	if len(t.Indexes) == 0 && class.text("relhasindex") == "t" && t.Unread == "" {
		t.Unread = "its indexes could not be read"
	}
}

// ownType tells of a type that was dropped together with the table: its name, and, of a domain, what it is based on.
func ownType(oid uint32, types []catalogueRow) (base uint32, name string) {
	for range types {
		i := slices.IndexFunc(types, func(r catalogueRow) bool { return r.oid("oid") == oid && oid != 0 })
		if i < 0 {
			break
		}
		if n := types[i].text("typname"); n == "citext" || types[i].text("typtype") == "d" && name == "" {
			name = n // of other types the name tells nothing of their bytes
		}
		if types[i].text("typtype") != "d" {
			break
		}
		oid = types[i].oid("typbasetype")
		base = oid
	}
	return base, name
}

func droppedIndex(r catalogueRow, classes []catalogueRow, x *XactEnd) DroppedIndex {
	ix := DroppedIndex{
		OID: r.oid("indexrelid"), Unique: r.text("indisunique") == "t", Primary: r.text("indisprimary") == "t", Partial: !r.null("indpred"),
		Columns: r.int2s("indkey"), Keys: r.int("indnkeyatts"),
	}
	for _, c := range classes {
		if c.oid("oid") != ix.OID {
			continue
		}
		ix.Name, ix.BTree = c.text("relname"), c.oid("relam") == btreeMethod
		if f := numbered(x.Dropped, c.oid("relfilenode")); len(f) > 0 {
			ix.File = f[0]
		}
	}
	return ix
}
