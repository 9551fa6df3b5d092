package catalog

import (
	"slices"
	"strings"

	"inquest/sources/heap"
	"inquest/sources/wal"
)

// Key is what a record is looked up by, as the person typed it.
type Key struct {
	ID string `json:"id"`
	// Parts are the columns of a composite id; empty: ID is the value.
	Parts []KeyPart `json:"parts,omitempty"`
	// Table restricts the search; "schema.table" or "table", empty: any.
	Table string `json:"table,omitempty"`
}

// KeyPart is one column of a composite id.
type KeyPart struct {
	Column string `json:"column"`
	Value  string `json:"value"`
}

// Table is all that the catalogue says of one relation: enough to decode its
// pages and WAL without the server.
type Table struct {
	OID    uint32 `json:"oid"`
	Schema string `json:"schema"`
	Name   string `json:"name"`
	// Kind is pg_class.relkind: r table, p partitioned table, m materialized view,
	// f foreign table, v view (only when named by the person).
	Kind        string        `json:"kind"`
	Owner       string        `json:"owner"`
	Persistence string        `json:"persistence"` // p permanent, u unlogged, t temporary
	File        wal.RelFile   `json:"file"`        // zero for relations without storage
	RowEstimate float64       `json:"row_estimate"`
	Pages       int64         `json:"pages"` // as of the last ANALYZE
	Bytes       int64         `json:"bytes"` // of the main fork, now
	AllVisible  int64         `json:"all_visible_pages"`
	Options     []string      `json:"options,omitempty"` // pg_class.reloptions
	CanSelect   bool          `json:"can_select"`
	Columns     []heap.Column `json:"columns"` // every attnum from 1, dropped ones too
	PrimaryKey  []int16       `json:"primary_key,omitempty"`
	Indexes     []Index       `json:"indexes,omitempty"`
	Toast       *Toast        `json:"toast,omitempty"`
	RLS         RLS           `json:"rls"`
	Policies    []Policy      `json:"policies,omitempty"`
	Triggers    []Trigger     `json:"triggers,omitempty"`
	Rules       []Rule        `json:"rules,omitempty"`
	Parents     []ForeignKey  `json:"parents,omitempty"`  // tables whose delete could take rows from here, nearest first
	Children    []ForeignKey  `json:"children,omitempty"` // tables that refer to this one
	Partition   *Partition    `json:"partition,omitempty"`
	// PartitionKey is pg_get_partkeydef of a partitioned table.
	PartitionKey string `json:"partition_key,omitempty"`
	// Leaves are the partitions that hold the rows of a partitioned table, or the tables
	// that inherit from this one.
	Leaves []Table `json:"leaves,omitempty"`
	// LeavesLeft counts partitions that were not described.
	LeavesLeft int `json:"leaves_left,omitempty"`
	// SoftDelete names columns that look like a deletion mark.
	SoftDelete []string `json:"soft_delete,omitempty"`
	// History says why the table looks like history, audit or archive of another;
	// empty: it does not. HistoryBySchema when only the schema's name tells.
	History string `json:"history,omitempty"`
	// Rewritten is true when the file is not the table's first one: TRUNCATE, VACUUM
	// FULL, CLUSTER or a rewriting ALTER happened.
	Rewritten bool   `json:"rewritten"`
	ClassXmin uint32 `json:"class_xmin"` // xid of the last change to the pg_class row
	// Matches are the columns that can hold the key the table was found by.
	Matches []Match `json:"matches,omitempty"`
}

// Match is a way in which a table can hold the key.
type Match struct {
	// Parts are the columns with the values to look for, ready for package heap.
	Parts []heap.KeyPart `json:"parts"`
	// Columns are the names of the same columns.
	Columns []string `json:"columns"`
	Primary bool     `json:"primary,omitempty"` // they are the primary key
	Unique  bool     `json:"unique,omitempty"`  // they are a unique index's columns
	Lead    bool     `json:"lead,omitempty"`    // an index begins with them
	Asked   bool     `json:"asked,omitempty"`   // the person named the columns, or the table, of which no other column fits
	Index   uint32   `json:"index,omitempty"`   // oid of the best such index
}

// Index is one index of a table.
type Index struct {
	OID     uint32      `json:"oid"`
	Name    string      `json:"name"`
	File    wal.RelFile `json:"file"`
	Method  string      `json:"method"` // btree, hash, …
	Unique  bool        `json:"unique,omitempty"`
	Primary bool        `json:"primary,omitempty"`
	Valid   bool        `json:"valid"`
	Partial bool        `json:"partial,omitempty"`
	Bytes   int64       `json:"bytes"`
	// Columns are all stored columns, key columns first; attnum 0 is an expression.
	Columns []IndexColumn `json:"columns"`
	Keys    int           `json:"keys"` // how many of them are key columns
}

// IndexColumn is one column of an index.
type IndexColumn struct {
	AttNum   int16 `json:"attnum"`
	Desc     bool  `json:"desc,omitempty"`
	Bytewise bool  `json:"bytewise,omitempty"` // texts are ordered by their bytes
	// Ordinary is true for the type's default operator class or a pattern class:
	// the order is one that package heap knows.
	Ordinary bool `json:"ordinary"`
}

// Toast is the table that holds long values.
type Toast struct {
	OID   uint32      `json:"oid"`
	File  wal.RelFile `json:"file"`
	Index uint32      `json:"index"`
	Bytes int64       `json:"bytes"`
}

// RLS is the state of row-level security.
type RLS struct {
	Enabled bool `json:"enabled"`
	Forced  bool `json:"forced"`
	Active  bool `json:"active"` // for this session's role
}

// Policy is one policy of pg_policy.
type Policy struct {
	Name       string   `json:"name"`
	Permissive bool     `json:"permissive"`
	Command    string   `json:"command"` // r, a, w, d or * for all
	Roles      []string `json:"roles"`
	Using      string   `json:"using,omitempty"`
	Check      string   `json:"check,omitempty"`
}

// Trigger is one trigger that is not internal.
type Trigger struct {
	Name     string `json:"name"`
	Enabled  string `json:"enabled"` // pg_trigger.tgenabled: O origin, D off, R replica, A always
	Timing   string `json:"timing"`  // before, after or instead
	Row      bool   `json:"row"`
	Insert   bool   `json:"insert,omitempty"`
	Update   bool   `json:"update,omitempty"`
	Delete   bool   `json:"delete,omitempty"`
	Truncate bool   `json:"truncate,omitempty"`
	Function string `json:"function"`
	// Swallows is true when the function's text can return NULL, which makes a
	// BEFORE row trigger drop the row without an error.
	Swallows bool `json:"swallows,omitempty"`
	// Deletes is true when the function's text holds DELETE, TRUNCATE, MERGE or
	// EXECUTE.
	Deletes    bool   `json:"deletes,omitempty"`
	Definition string `json:"definition"`
}

// Rule is one rewrite rule.
type Rule struct {
	Name       string `json:"name"`
	Event      string `json:"event"` // update, insert or delete
	Instead    bool   `json:"instead"`
	Enabled    string `json:"enabled"`
	Definition string `json:"definition"`
}

// ForeignKey is one foreign key on the way between this table and another.
type ForeignKey struct {
	Name     string   `json:"name"`
	Level    int      `json:"level"` // 1: of this table itself
	Child    string   `json:"child"`
	Parent   string   `json:"parent"`
	ChildOID uint32   `json:"child_oid"`
	OID      uint32   `json:"parent_oid"`
	OnDelete string   `json:"on_delete"` // a no action, r restrict, c cascade, n set null, d set default
	Columns  []string `json:"columns"`   // of the child
}

// Partition says where a partition hangs.
type Partition struct {
	ParentOID     uint32 `json:"parent_oid"`
	Parent        string `json:"parent"`
	RootOID       uint32 `json:"root_oid"`
	Bound         string `json:"bound"`
	DetachPending bool   `json:"detach_pending,omitempty"` // 14 and later
}

// FullName is the table's name as SQL needs it, schema and quotes included.
func (t *Table) FullName() string { return QuoteIdent(t.Schema) + "." + QuoteIdent(t.Name) }

// DisplayName is schema.table without quotes, for people.
func (t *Table) DisplayName() string { return t.Schema + "." + t.Name }

// Stored returns the relations that hold the rows: the table itself, and those that
// inherit from it; or the leaves of a partitioned one, which holds none.
func (t *Table) Stored() []*Table {
	var out []*Table
	if t.Kind != "p" {
		out = append(out, t)
	}
	for i := range t.Leaves {
		out = append(out, &t.Leaves[i])
	}
	return out
}

// Column returns the live column of a name, or nil.
func (t *Table) Column(name string) *heap.Column {
	for i := range t.Columns {
		if c := &t.Columns[i]; c.Name == name && !c.Dropped {
			return c
		}
	}
	return nil
}

// ColumnLike is Column for a name that a person typed: exact case first.
func (t *Table) ColumnLike(name string) *heap.Column {
	if c := t.Column(name); c != nil {
		return c
	}
	for i := range t.Columns {
		if c := &t.Columns[i]; strings.EqualFold(c.Name, name) && !c.Dropped {
			return c
		}
	}
	return nil
}

// HeapColumns returns an index's columns as package heap needs them to search
// it, and false when the index is not one that heap can read.
func (t *Table) HeapColumns(ix Index) ([]heap.IndexColumn, bool) {
	if ix.Method != "btree" {
		return nil, false
	}
	out := make([]heap.IndexColumn, 0, len(ix.Columns))
	for i, c := range ix.Columns {
		if c.AttNum < 1 || int(c.AttNum) > len(t.Columns) {
			return nil, false
		}
		if i < ix.Keys && !c.Ordinary {
			return nil, false
		}
		col := t.Columns[c.AttNum-1]
		if BaseType(&col) == TypeOIDs["name"] {
			return nil, false // stored as a C string in an index
		}
		col.AttNum = int16(i + 1)
		out = append(out, heap.IndexColumn{Column: col, Desc: c.Desc, Bytewise: c.Bytewise})
	}
	return out, true
}

// indexing reports whether a column is one of a unique index that covers every row,
// and whether it is one of any index.
func (t *Table) indexing(attnum int16) (unique, indexed bool) {
	for _, ix := range t.Indexes {
		whole := !slices.ContainsFunc(ix.Columns, func(c IndexColumn) bool { return c.AttNum == 0 })
		for i, c := range ix.Columns {
			if c.AttNum == attnum {
				indexed = true
				unique = unique || ix.Unique && !ix.Partial && whole && i < ix.Keys
			}
		}
	}
	return unique, indexed
}

// WALTarget returns what package wal needs to follow the key through WAL: the
// table's file, its columns, and the btree indexes that hold all key columns.
// For a partitioned table ask each of Stored.
func (t *Table) WALTarget(m Match) wal.Target {
	out := wal.Target{Rel: t.File, OID: t.OID, Table: t.DisplayName(), Columns: t.Columns, Key: m.Parts}
	for _, p := range m.Parts {
		unique, indexed := t.indexing(p.AttNum)
		out.NotUnique, out.NotIndexed = out.NotUnique || !unique, out.NotIndexed || !indexed
	}
	if t.Toast != nil {
		out.ToastRel = t.Toast.File
	}
	for _, ix := range t.Indexes {
		target := wal.IndexTarget{Rel: ix.File, OID: ix.OID, Name: ix.Name}
		held := map[int16]bool{}
		for _, c := range ix.Columns {
			target.KeyAttNums = append(target.KeyAttNums, c.AttNum)
			held[c.AttNum] = true
		}
		missing := slices.ContainsFunc(m.Parts, func(p heap.KeyPart) bool { return !held[p.AttNum] })
		if ix.Method == "btree" && !missing {
			out.Indexes = append(out.Indexes, target)
		}
	}
	return out
}

// InLeaf translates a match of a partitioned table into one of its leaves, whose
// columns may stand in another order, and false when a column is missing there.
func (m Match) InLeaf(leaf *Table) (Match, bool) {
	parts := make([]heap.KeyPart, len(m.Parts))
	for i, name := range m.Columns {
		c := leaf.Column(name)
		if c == nil {
			return Match{}, false
		}
		parts[i] = m.Parts[i]
		parts[i].AttNum = c.AttNum
	}
	return leaf.match(parts), true
}

// HistoryBySchema is a Table's History when its own name does not look like it.
const HistoryBySchema = "its schema looks like history"
