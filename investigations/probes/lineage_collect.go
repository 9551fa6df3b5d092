package probes

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	inv "inquest/investigations"
	"inquest/sources"
	"inquest/sources/catalog"
	"inquest/sources/wal"
)

// noteDiscarded marks a lineage that is no part of the server's history,
// noteDropped one of files that were dropped, and noteNameless one where nothing
// but their content and the time tells whose they were.
const (
	noteDiscarded = "not part of the server's history"
	noteDropped   = "files that were dropped"
	noteNameless  = "WAL does not tell the name of the table that was dropped"
)

// history traces the key in the server's WAL. Segments on disk are united with
// the server's own unless they contradict them: then they come from a history
// that a failover or a restore left behind, and are returned apart.
func (t tracing) history(ctx context.Context, u *walUnion) (mine, discarded *wal.Lineage, err error) {
	own, files := u.only(true), u.only(false)
	if len(own.parts) == 0 || len(files.parts) == 0 {
		mine, err = t.trace(ctx, u, t.targets)
		return mine, nil, err
	}
	if before, err := endsBefore(ctx, files, own); err != nil || before { // nothing to contradict
		if err == nil {
			mine, err = t.trace(ctx, u, t.targets)
		}
		return mine, nil, err
	}
	if same, err := wal.Agree(ctx, own, files); err == nil && same.Same != 0 && same.Differ == 0 && !same.Beyond { // one history
		mine, err = t.trace(ctx, u, t.targets)
		return mine, nil, err
	}
	if mine, err = t.trace(ctx, own, t.targets); err != nil {
		return nil, nil, err
	}
	other, err := t.trace(ctx, files, t.targets)
	if err != nil {
		return nil, nil, err
	}
	if contradicts(other, mine, t.standby()) {
		other.Notes = append(other.Notes, noteDiscarded)
		return mine, other, nil
	}
	mine, err = t.trace(ctx, u, t.targets)
	return mine, nil, err
}

// endsBefore reports that all WAL of one source lies before that of another.
func endsBefore(ctx context.Context, older, newer *walUnion) (bool, error) {
	was, err := older.List(ctx)
	if err != nil {
		return false, err
	}
	is, err := newer.List(ctx)
	if err != nil || len(is) == 0 {
		return false, err
	}
	first := slices.MinFunc(is, func(a, b wal.Segment) int { return cmp.Compare(a.Start, b.Start) }).Start
	return !slices.ContainsFunc(was, func(s wal.Segment) bool { return s.End() > first }), nil
}

func (t tracing) standby() bool {
	return len(t.c.Facts.Of(inv.Setting).With("name", "server.in_recovery").With("server", t.server.Name()).With("value", "t")) > 0
}

// contradicts reports whether WAL on disk holds a write of the key at a position
// where the server's own WAL was read and does not have it, or beyond its end.
// Only events that carry the key themselves are compared.
func contradicts(other, mine *wal.Lineage, standby bool) bool {
	return slices.ContainsFunc(other.Events, func(e wal.Event) bool { return selfTold(e) && foreign(e, mine, standby) })
}

func selfTold(e wal.Event) bool {
	switch e.Op {
	case wal.OpInsert, wal.OpMultiInsert, wal.OpIndexLeaf:
		return !e.Assumed && e.Under == nil
	}
	return false
}

func foreign(e wal.Event, mine *wal.Lineage, standby bool) bool {
	end := wal.LSN(0)
	for _, c := range mine.Covered {
		end = max(end, c.To)
		if e.LSN >= c.From && e.LSN < c.To {
			return !slices.ContainsFunc(mine.Events, func(m wal.Event) bool { return m.LSN == e.LSN && m.Op == e.Op })
		}
	}
	return end > 0 && e.LSN >= end && !standby
}

// mostDroppedTraces bounds how many tables are looked for in dropped files.
const mostDroppedTraces = 4

// droppedFiles looks for the key in files that a commit in this WAL removed and
// that no table owns now: those of dropped tables and partitions. It looks only
// when the key was not found anywhere else.
func (t tracing) droppedFiles(ctx context.Context, u *walUnion, tables []catalog.Table, l *wal.Lineage) error {
	asked := t.c.Record.Table != "" && !slices.ContainsFunc(tables, func(o catalog.Table) bool { return namedAs(o.DisplayName(), t.c.Record.Table) })
	changed := l != nil && len(lineage{Lineage: *l}.altered()) > 0
	told := l != nil && slices.ContainsFunc(l.Events, selfTold)
	if told && !asked && !changed {
		return nil
	}
	g, err := t.graveyard(ctx)
	if err != nil || g == nil {
		return err
	}
	d, err := lookForDrops(ctx, u, g, knownFiles(tables))
	if err != nil {
		blindTo(t.c, t.server.Name(), err)
		return ctx.Err()
	}
	if changed {
		if err := t.alteredFiles(ctx, u, g, l); err != nil || told {
			return err
		}
	}
	found, err := t.formerTables(ctx, u, tables, l, d)
	if err != nil {
		return err
	}
	return t.goneTables(ctx, u, g, found)
}

// formerTables looks for the key in dropped files that can have been those of
// tables that are there, and returns the files that it was found in.
func (t tracing) formerTables(ctx context.Context, u *walUnion, tables []catalog.Table, l *wal.Lineage, d *drops) ([]wal.RelFile, error) {
	var seen []wal.RelFile
	looked := 0
	for i := range tables {
		files, nameless := d.formerFilesOf(&tables[i])
		target, ok := formerFiles(&tables[i], mayBeOf(&tables[i], files, l))
		if !ok {
			continue
		}
		if looked++; looked > mostDroppedTraces {
			break
		}
		found, err := t.trace(ctx, u, []wal.Target{target})
		if err != nil {
			blindTo(t.c, t.server.Name(), err)
			continue
		}
		if !slices.ContainsFunc(found.Events, func(e wal.Event) bool { return whole(e, &tables[i]) }) {
			continue
		}
		found.Notes = append(found.Notes, noteDropped)
		if slices.ContainsFunc(found.Events, func(e wal.Event) bool { return selfTold(e) && slices.Contains(nameless, e.Rel) }) {
			found.Notes = append(found.Notes, noteNameless)
		}
		for _, e := range found.Events {
			seen = append(seen, e.Rel)
		}
		if err := keepLineage(t.c, t.server.Name(), u.name(), found); err != nil {
			return nil, err
		}
	}
	return seen, nil
}

// mayBeOf leaves out files that a transaction replaced together with those of
// other tables: TRUNCATE says whose files it replaced.
func mayBeOf(t *catalog.Table, files []wal.RelFile, l *wal.Lineage) []wal.RelFile {
	if l == nil {
		return files
	}
	return filter(files, func(f wal.RelFile) bool {
		replaced := filter(l.Relations, func(e wal.RelationEvent) bool { return slices.Contains(e.Dropped, f) })
		return len(replaced) == 0 || slices.ContainsFunc(replaced, func(e wal.RelationEvent) bool { return e.OID == t.OID })
	})
}

// whole reports that every column of the row was read as the table's columns
// would have it: a row of another table does not fit them by chance.
func whole(e wal.Event, t *catalog.Table) bool {
	live := 0
	for _, c := range t.Columns {
		if !c.Dropped {
			live++
		}
	}
	return selfTold(e) && len(e.Unknown) == 0 && len(e.Row) == live
}

// formerFiles is the target that looks for the key in dropped files as if they
// had been the table's.
func formerFiles(t *catalog.Table, files []wal.RelFile) (wal.Target, bool) {
	m, ok := ownKey(*t)
	if !ok || t.History != "" || len(files) == 0 {
		return wal.Target{}, false
	}
	return wal.Target{OID: t.OID, Table: t.DisplayName(), Columns: t.Columns, Key: m.Parts, OldRels: files}, true
}

func knownFiles(tables []catalog.Table) map[wal.RelFile]bool {
	out := map[wal.RelFile]bool{}
	for i := range tables {
		for _, s := range tables[i].Stored() {
			out[s.File] = true
			for _, ix := range s.Indexes {
				out[ix.File] = true
			}
			if s.Toast != nil {
				out[s.Toast.File] = true
			}
		}
	}
	return out
}

// eachRecord visits all records of the WAL, up to so many bytes of it, and tells of
// its holes.
func eachRecord(ctx context.Context, src wal.Source, most int64, visit func(*wal.Record), hole func()) error {
	plan, err := wal.MakePlan(ctx, src, 0)
	if err != nil {
		return fmt.Errorf("look for dropped files: %w", err)
	}
	r, holes := wal.NewReader(src, plan, wal.ReaderOptions{MaxBytes: most}), 0
	for r.Next(ctx) {
		if n := len(r.Gaps()); n > holes {
			holes = n
			hole()
		}
		visit(r.Record())
	}
	return r.Err()
}

// relationsSQL names files; a partition is named as its root as well.
const relationsSQL = `SELECT u.spc || '/' || u.node AS file, n.nspname || '.' || c.relname AS name
FROM unnest($1::oid[], $2::oid[]) AS u(spc, node) JOIN pg_class c ON c.oid = pg_filenode_relation(u.spc, u.node) JOIN pg_namespace n ON n.oid = c.relnamespace`

func relationsTag(server string) string { return "relations:" + server }

// askRelations asks the catalogue for the names of the files that the described
// transactions touched.
func askRelations(ctx context.Context, c *inv.Collector, server sources.Source, l *wal.Lineage) error {
	q, ok := server.(sources.Querier)
	var spcs, nodes []string
	seen := map[wal.RelFile]bool{}
	for _, x := range l.Xacts {
		for _, s := range x.Steps {
			if s.Table == "" && !seen[s.Rel] {
				seen[s.Rel] = true
				spcs, nodes = append(spcs, fmt.Sprint(s.Rel.Spc)), append(nodes, fmt.Sprint(s.Rel.Rel))
			}
		}
	}
	if !ok || len(nodes) == 0 {
		return nil
	}
	query := sources.Query{SQL: relationsSQL, Args: []string{array(spcs), array(nodes)}, Note: "names of the files that the transactions touched"}
	t, err := q.Query(ctx, query)
	if err != nil {
		blindTo(c, server.Name(), err)
		return nil
	}
	return c.Keep(inv.EvidenceTable, server.Name(), statement(query), relationsTag(server.Name()), t)
}
