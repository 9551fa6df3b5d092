package probes

import (
	"context"
	"fmt"
	"slices"

	inv "inquest/investigations"
	"inquest/sources/heap"
	"inquest/sources/wal"
)

// noteAltered marks a lineage of files that a table had before its columns were
// changed, read with the columns of then.
const noteAltered = "files of before the columns were changed, read with the columns of then"

// alteredFiles looks for the key in the files that tables had before a change of a
// column's type gave them new ones. The columns of then are those of today but for
// the changed ones, which WAL tells; where it does not, nothing older is read.
func (t tracing) alteredFiles(ctx context.Context, u *walUnion, g *graveyard, l *wal.Lineage) error {
	changes := g.Altered()
	if len(changes) == 0 {
		return nil
	}
	var described []wal.DroppedTable // for the names of types alone
	for _, a := range changes {
		described = append(described, wal.DroppedTable{Columns: a.Columns, TypeMods: a.TypeMods})
	}
	names, err := t.namesOf(ctx, described)
	if err != nil {
		return err
	}
	var targets []wal.Target
	for _, now := range t.targets {
		columns := now.Columns
		for _, a := range slices.Backward(changes) {
			if a.OID != now.OID {
				continue
			}
			if a.Unread {
				break
			}
			columns = asBefore(columns, a, names)
			targets = append(targets, wal.Target{Rel: a.File, Table: now.Table, Columns: columns, Key: now.Key, Past: true})
		}
	}
	if len(targets) == 0 {
		return nil
	}
	found, err := t.trace(ctx, u, targets)
	if err != nil {
		return ctx.Err() // the key is no value of the types of then
	}
	found.Events = filter(found.Events, func(e wal.Event) bool {
		former := slices.ContainsFunc(targets, func(o wal.Target) bool { return o.Rel == e.Rel })
		ended := e.Op == wal.OpTruncate || e.Op == wal.OpDrop || e.Op == wal.OpRewrite
		told := slices.ContainsFunc(l.Events, func(o wal.Event) bool { return o.LSN == e.LSN && o.Op == e.Op })
		return former && !ended && !told
	})
	if !slices.ContainsFunc(found.Events, selfTold) {
		return nil
	}
	found.Relations, found.Notes = nil, append(found.Notes, noteAltered)
	return keepLineage(t.c, t.server.Name(), u.name(), found)
}

// asBefore are a table's columns as they were before a change.
func asBefore(columns []heap.Column, a wal.AlteredTable, names goneNames) []heap.Column {
	out := slices.Clone(columns)
	for i, c := range a.Columns {
		if ty, ok := names.types[fmt.Sprintf("%d/%d", c.TypeOID, a.TypeMods[i])]; ok {
			c.TypeName, c.Base, c.Labels = ty.name, ty.base, ty.labels
		}
		if n := int(c.AttNum); n >= 1 && n <= len(out) {
			out[n-1] = c
		}
	}
	return out
}

// readAltered states what stood in such files.
func (l lineage) readAltered(in inv.Input, r *inv.Reading) {
	first := len(r.Facts)
	l.events(in, r, nil)
	l.ends(in, r, first)
	r.Recovered = append(r.Recovered, l.recovered()...)
}
