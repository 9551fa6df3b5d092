package probes

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"inquest/sources"
	"inquest/sources/catalog"
	"inquest/sources/heap"
	"inquest/sources/wal"
)

// graveyard finds the tables that were dropped, in the catalogue that the server
// has.
type graveyard struct {
	*wal.Graveyard
	cat  wal.SystemCatalogue
	most int64 // bytes of WAL that a pass may read
}

// cataloguesSQL tells where those tables of the catalogue lie that describe tables,
// and how their rows are laid out.
const cataloguesSQL = `SELECT c.oid::bigint AS rel, d.oid::bigint AS db, coalesce(nullif(c.reltablespace, 0), d.dattablespace)::bigint AS spc, pg_relation_filenode(c.oid)::bigint AS node,
  a.attnum AS attnum, a.attname AS name, a.atttypid::bigint AS type, a.attlen AS len, ascii(a.attalign::text) AS align
FROM pg_class c JOIN pg_database d ON d.datname = current_database() JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.oid IN (1259, 1249, 2610, 2615, 1247) ORDER BY c.oid, a.attnum`

// graveyard asks the server for its catalogue's files; nil when it cannot be asked.
func (t tracing) graveyard(ctx context.Context) (*graveyard, error) {
	q, ok := t.server.(sources.Querier)
	if !ok {
		return nil, nil
	}
	a, err := q.Query(ctx, sources.Query{SQL: cataloguesSQL, Note: "where the catalogue lies, to read in WAL what was dropped"})
	if err != nil {
		blindTo(t.c, t.server.Name(), err)
		return nil, ctx.Err()
	}
	g := &graveyard{most: t.c.Options.Budget.Limits().WALBytes}
	for i := range a.Rows {
		num := func(column string) uint32 { n, _ := strconv.ParseUint(a.Text(i, column), 10, 32); return uint32(n) }
		into := map[uint32]*wal.CatalogueTable{1259: &g.cat.Class, 1249: &g.cat.Attribute, 2610: &g.cat.Index, 2615: &g.cat.Namespace, 1247: &g.cat.Type}[num("rel")]
		g.cat.DB, into.Rel = num("db"), wal.RelFile{Spc: num("spc"), DB: num("db"), Rel: num("node")}
		length, _ := strconv.ParseInt(a.Text(i, "len"), 10, 16)
		into.Columns = append(into.Columns, heap.Column{
			Name: a.Text(i, "name"), AttNum: int16(num("attnum")), TypeOID: num("type"), Len: int16(length), Align: byte(num("align")),
		})
	}
	g.Graveyard = wal.NewGraveyard(g.cat)
	return g, nil
}

// goneTable is a table that was dropped, with what it means for the record.
type goneTable struct {
	Name   string      `json:"name"` // schema.table; the file, when WAL does not tell
	OID    uint32      `json:"oid,omitempty"`
	File   wal.RelFile `json:"file"`
	XID    uint32      `json:"xid"`
	LSN    wal.LSN     `json:"lsn"`
	Time   time.Time   `json:"time,omitzero"`
	Made   wal.LSN     `json:"made,omitzero"` // its creation, when this WAL has it
	Unread string      `json:"unread,omitempty"`
	// Fits reports that it had a key that the id fits. Seen reports that a row with
	// the key was seen in its file, Unlogged that its rows leave no WAL.
	Fits     bool `json:"fits"`
	Seen     bool `json:"seen"`
	Unlogged bool `json:"unlogged,omitempty"`
	// For is the table that stands now, was asked for, and has the same columns: tables
	// are replaced by renaming, and the one that held the rows is dropped under another name.
	For string `json:"for,omitempty"`
}

// evidenceGone is a []goneTable: the tables that were dropped in the WAL at hand.
const evidenceGone = "dropped"

// noteGone marks a lineage of tables that were dropped and are described by WAL
// alone.
const noteGone = "tables that were dropped, as WAL describes them"

// mostGone bounds the dropped tables that are kept, and those that are looked into.
const mostGone = 60

// goneTables looks for the key in the tables that WAL tells the drop of, by their
// own columns and keys. Files in which it was found already are left out.
func (t tracing) goneTables(ctx context.Context, u *walUnion, g *graveyard, seen []wal.RelFile) error {
	dropped := slices.DeleteFunc(g.Dropped(), func(d wal.DroppedTable) bool { return slices.Contains(seen, d.File) })
	if len(dropped) == 0 {
		return nil
	}
	if n := len(dropped) - mostGone; n > 0 {
		t.c.Blind(fmt.Sprintf("%s: WAL tells of %d more tables that were dropped; only the last %d are looked into", t.server.Name(), n, mostGone), "narrow the window, or name the table with --table")
		dropped = dropped[n:]
	}
	names, err := t.namesOf(ctx, dropped)
	if err != nil {
		return err
	}
	var list []goneTable
	var targets []wal.Target
	for _, d := range dropped {
		table := names.table(d)
		table.Matches = table.Match(keyOf(t.c.Record))
		m, fits := ownKey(table)
		meant, of := t.mayBeMeant(table)
		fits = fits && meant
		list = append(list, goneTable{
			Name: table.DisplayName(), OID: d.OID, File: d.File, XID: d.XID, LSN: d.LSN, Time: d.Time, Made: d.Made, Unread: d.Unread, Fits: fits, Unlogged: d.Persistence == "u", For: of,
		})
		if fits {
			targets = append(targets, table.WALTarget(m))
		}
	}
	if len(targets) > 0 {
		l, err := t.trace(ctx, u, targets)
		if err != nil {
			blindTo(t.c, t.server.Name(), err)
			return ctx.Err()
		}
		for i := range list {
			list[i].Seen = slices.ContainsFunc(l.Events, func(e wal.Event) bool { return e.Table == list[i].Name && e.Under == nil })
		}
		l.Notes = append(l.Notes, noteGone)
		if err := keepLineage(t.c, t.server.Name(), u.name(), l); err != nil {
			return err
		}
	}
	return t.c.Keep(evidenceGone, t.server.Name(), "WAL of "+u.name()+": tables that were dropped", "", list)
}

// mayBeMeant reports whether the person can have meant a table that is gone: no
// table was named, or this one, or one that stands and has the same columns, which is
// returned.
func (t tracing) mayBeMeant(table catalog.Table) (meant bool, of string) {
	if asked := t.c.Record.Table; asked == "" || namedAs(table.DisplayName(), asked) {
		return true, ""
	}
	for _, o := range ownTables(t.c, t.server.Name()) {
		if sameColumns(table, o) {
			return true, o.DisplayName()
		}
	}
	return false, ""
}

// namedAs reports whether a person who typed this name can have meant the table.
func namedAs(display, typed string) bool {
	plain := strings.ReplaceAll(typed, `"`, "")
	_, bare, _ := strings.Cut(display, ".")
	return strings.EqualFold(display, plain) || strings.EqualFold(bare, plain)
}

// goneNames are names of schemas and types that the server still has.
type goneNames struct {
	schemas map[string]string
	types   map[string]goneType
}

type goneType struct {
	name   string
	base   uint32
	labels map[uint32]string
}

const (
	schemasSQL = `SELECT oid::bigint AS oid, nspname AS name FROM pg_namespace WHERE oid = ANY ($1::oid[])`
	typesSQL   = `SELECT t.oid::bigint AS oid, u.mod AS mod, format_type(t.oid, u.mod) AS name, CASE WHEN t.typtype = 'd' THEN t.typbasetype::bigint END AS base,
  (SELECT json_object_agg(e.oid, e.enumlabel) FROM pg_enum e WHERE e.enumtypid = t.oid)::text AS labels
FROM unnest($1::oid[], $2::int[]) AS u(typ, mod) JOIN pg_type t ON t.oid = u.typ`
)

func (t tracing) namesOf(ctx context.Context, dropped []wal.DroppedTable) (goneNames, error) {
	n := goneNames{schemas: map[string]string{}, types: map[string]goneType{}}
	q, ok := t.server.(sources.Querier)
	if !ok {
		return n, nil
	}
	var schemas, types, mods []string
	seen := map[string]bool{}
	for _, d := range dropped {
		schemas = append(schemas, fmt.Sprint(d.Namespace))
		for i, c := range d.Columns {
			if key := fmt.Sprintf("%d/%d", c.TypeOID, d.TypeMods[i]); !seen[key] && c.TypeOID != 0 {
				seen[key] = true
				types, mods = append(types, fmt.Sprint(c.TypeOID)), append(mods, fmt.Sprint(d.TypeMods[i]))
			}
		}
	}
	a, err := q.Query(ctx, sources.Query{SQL: schemasSQL, Args: []string{array(schemas)}, Note: "schemas of tables that were dropped"})
	if err == nil {
		for i := range a.Rows {
			n.schemas[a.Text(i, "oid")] = a.Text(i, "name")
		}
		a, err = q.Query(ctx, sources.Query{SQL: typesSQL, Args: []string{array(types), array(mods)}, Note: "types of columns of tables that were dropped"})
	}
	if err != nil {
		blindTo(t.c, t.server.Name(), err)
		return n, ctx.Err()
	}
	for i := range a.Rows {
		base, _ := strconv.ParseUint(a.Text(i, "base"), 10, 32)
		ty := goneType{name: a.Text(i, "name"), base: uint32(base)}
		if text := a.Text(i, "labels"); text != "" && json.Unmarshal([]byte(text), &ty.labels) != nil {
			ty.labels = nil
		}
		n.types[a.Text(i, "oid")+"/"+a.Text(i, "mod")] = ty
	}
	return n, nil
}

// table is the dropped table as the catalogue would have described it.
func (n goneNames) table(d wal.DroppedTable) catalog.Table {
	t := catalog.Table{OID: d.OID, Schema: d.Schema, Name: d.Name, Kind: "r", Persistence: d.Persistence, File: d.File, Columns: slices.Clone(d.Columns)}
	if t.Schema == "" {
		t.Schema = orElse(n.schemas[fmt.Sprint(d.Namespace)], "?")
	}
	if t.Name == "" {
		t.Schema, t.Name = "?", d.File.String()
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		if ty, ok := n.types[fmt.Sprintf("%d/%d", c.TypeOID, d.TypeMods[i])]; ok {
			c.TypeName, c.Base, c.Labels = ty.name, ty.base, ty.labels
		}
	}
	if !d.Toast.Zero() {
		t.Toast = &catalog.Toast{File: d.Toast}
	}
	for _, ix := range d.Indexes {
		out := catalog.Index{OID: ix.OID, Name: ix.Name, File: ix.File, Unique: ix.Unique, Primary: ix.Primary, Partial: ix.Partial, Valid: true, Keys: ix.Keys}
		if ix.BTree {
			out.Method = "btree"
		}
		for _, a := range ix.Columns {
			out.Columns = append(out.Columns, catalog.IndexColumn{AttNum: a})
		}
		if ix.Primary {
			t.PrimaryKey = ix.Columns[:min(ix.Keys, len(ix.Columns))]
		}
		t.Indexes = append(t.Indexes, out)
	}
	return t
}
