package wal

import "slices"

// replacements looks for targets whose file the end of a transaction removes or replaces.
func (tr *tracer) replacements(rec *Record, x *XactEnd, committed bool) {
	if len(x.Dropped) == 0 && len(x.Stats) == 0 {
		return
	}
	ids := append([]uint32{x.XID}, x.Subxacts...)
	for _, t := range tr.targets {
		if t.match == nil {
			continue
		}
		if committed {
			tr.copied(t, ids)
		}
		c := tr.replacement(t, ids, x)
		for _, f := range append(slices.Clone(c.old), c.new...) {
			if tr.relation(f) == nil {
				tr.newRels = append(tr.newRels, &relation{file: f, t: t, guess: c.guess})
			}
		}
		tr.oldIndexes(t, ids, x, &c)
		if committed && c.op != "" {
			tr.replaced(rec, t, ids, x, &c)
		}
	}
}

// oldIndexes learns the files of a table's indexes that a transaction replaced, with the heap file that they pointed at.
func (tr *tracer) oldIndexes(t *target, ids []uint32, x *XactEnd, c *replacement) {
	for _, ix := range t.Indexes {
		info := t.indexInfo(ix)
		moves := tr.catalogue.movesOf(ix.OID, ids)
		for i, m := range moves {
			file := numbered(x.Dropped, m.from)
			if info == nil || len(file) == 0 || tr.relation(file[0]) != nil {
				continue
			}
			r := &relation{file: file[0], t: t, index: info}
			if len(c.old) == len(moves) {
				r.heap = c.old[i]
			} else if now := tr.relation(RelFile{file[0].Spc, file[0].DB, m.to}); now != nil && len(c.old) == 0 { // REINDEX
				r.heap = now.heap
			}
			if !r.heap.Zero() {
				tr.newRels = append(tr.newRels, r)
			}
		}
	}
}

// replacement is what a transaction did to a table's file; op is empty for nothing.
type replacement struct {
	op       Op
	note     string
	old, new []RelFile
	guess    bool
	kept     bool // rows were copied, or perhaps: none is gone by this
}

// replacement tells drop, truncate and rewrite apart. The catalogue says which file was the table's; without it, a file that is known to
// be the table's must be among those made or removed.
func (tr *tracer) replacement(t *target, ids []uint32, x *XactEnd) replacement {
	var created []RelFile
	for _, id := range ids {
		created = append(created, tr.created[id]...)
	}
	var c replacement
	for _, m := range tr.catalogue.movesOf(t.OID, ids) {
		c.old = append(c.old, numbered(x.Dropped, m.from)...)
		c.new = append(c.new, numbered(created, m.to)...)
	}
	own := func(f RelFile) bool {
		r := tr.relation(f)
		return r != nil && r.t == t && r.index == nil || slices.Contains(c.old, f) || slices.Contains(c.new, f)
	}
	if len(c.old) == 0 || len(c.new) == 0 {
		tr.swapped(&c, created, x.Dropped, ids, own)
	}
	truncated := named(tr.truncates, ids, t.OID)
	switch {
	case x.droppedStat(t) || named(tr.catalogue.gone, ids, t.OID):
		c.op = OpDrop
		return c
	case slices.ContainsFunc(x.Dropped, own) && len(created) == 0:
		c.op = OpDrop
		return c
	case len(c.old)+len(c.new) > 0, truncated:
	case slices.ContainsFunc(x.Dropped, own) || slices.ContainsFunc(created, own) && !named(tr.catalogue.born, ids, t.OID):
	default:
		return c
	}
	if (len(c.old) == 0 || len(c.new) == 0) && !tr.pair(&c, created, x.Dropped, ids, own) {
		if len(c.new) == 0 && !truncated && !slices.ContainsFunc(x.Dropped, own) {
			return c // made anew, it seems, beside a table that was dropped
		}
		if len(c.old) == 0 && !slices.ContainsFunc(x.Dropped, own) || len(c.new) == 0 {
			tr.miss("a transaction replaced files of " + t.Table + ", and WAL does not tell which: what happened in the table's other file is not shown")
		}
	}
	tr.judge(&c, t, created, truncated)
	return c
}

// judge tells a copy from a load. A copy goes into the file of a table for the time being, or page by page into the new file.
func (tr *tracer) judge(c *replacement, t *target, created []RelFile, truncated bool) {
	some := func(test func(n newFile) bool) bool {
		return slices.ContainsFunc(c.new, func(f RelFile) bool { return test(tr.creating[f]) })
	}
	lent := some(func(n newFile) bool { return n.first != 0 && n.first != t.OID })
	paged := some(func(n newFile) bool { return n.imaged })
	filled := some(func(n newFile) bool { return n.filled })
	told := some(func(n newFile) bool { return n.first != 0 })
	c.op = OpTruncate
	switch {
	case truncated:
	case lent || paged:
		c.op, c.kept, c.note = OpRewrite, true, "every row was copied into a new file: VACUUM FULL, CLUSTER, ALTER TABLE"
		if !filled {
			c.note = "a new file without rows: VACUUM FULL, CLUSTER or ALTER TABLE of a table without live rows"
		}
	case told && filled:
		c.note = "TRUNCATE and a load in one transaction"
	case told:
	case filled:
		c.op, c.note = OpRewrite, "the new file got rows: VACUUM FULL, CLUSTER, ALTER TABLE, or TRUNCATE and a load in one transaction"
	case len(c.new) == 0 && slices.ContainsFunc(created, func(f RelFile) bool { return tr.creating[f].filled }):
		c.op, c.kept, c.note = OpRewrite, true, "WAL does not tell which file replaced the table's, nor whether the row was kept"
	default:
		c.note = "the new file got no rows: TRUNCATE, or the rewrite of a table without live rows"
	}
}

// swapped finds the other file of a table by the catalogue's row of another: VACUUM FULL and the like make a table that is dropped again
// and swap files with it, TRUNCATE moves the table from the old file to the new.
func (tr *tracer) swapped(c *replacement, created, dropped []RelFile, ids []uint32, own func(RelFile) bool) {
	for _, id := range ids {
		for _, m := range tr.catalogue.moves[id] {
			old, made := numbered(dropped, m.to), numbered(created, m.from)
			if len(old) == 0 || len(made) == 0 {
				old, made = numbered(dropped, m.from), numbered(created, m.to)
			}
			if len(old) > 0 && len(made) > 0 && (own(old[0]) || own(made[0])) {
				c.old, c.new = append(c.old, old...), append(c.new, made...)
			}
		}
	}
}

// pair finds the other file of a table by its rank: TRUNCATE makes a new file for each old one, in order, and a commit lists the old ones
// last first (catalog/storage.c). A rewrite keeps no such order; it makes a table for the time being.
func (tr *tracer) pair(c *replacement, created, dropped []RelFile, ids []uint32, own func(RelFile) bool) bool {
	n := len(created)
	if n == 0 || n != len(dropped) || slices.ContainsFunc(ids, func(id uint32) bool { return len(tr.catalogue.born[id]) > 0 }) {
		return false
	}
	for i, f := range created {
		if old := dropped[n-1-i]; own(f) || own(old) {
			c.new, c.old, c.guess = append(c.new, f), append(c.old, old), true
		}
	}
	return len(c.new) > 0
}

func numbered(files []RelFile, node uint32) []RelFile {
	i := slices.IndexFunc(files, func(f RelFile) bool { return f.Rel == node && node != 0 })
	if i < 0 {
		return nil
	}
	return files[i : i+1]
}

func (tr *tracer) miss(why string) {
	if !slices.Contains(tr.missed, why) {
		tr.missed = append(tr.missed, why)
	}
}

func (x *XactEnd) droppedStat(t *target) bool {
	return t.OID != 0 && slices.ContainsFunc(x.Stats, func(s DroppedStat) bool { return s.Kind == 2 && s.OID == uint64(t.OID) })
}

// replaced tells what became of a target's file and ends the versions in it.
func (tr *tracer) replaced(rec *Record, t *target, ids []uint32, x *XactEnd, c *replacement) {
	ev := RelationEvent{LSN: rec.LSN, Op: c.op, XID: x.XID, Target: t.index, Table: t.Table, OID: t.OID, Dropped: x.Dropped, Time: x.Time, Note: c.note}
	for _, id := range ids {
		ev.Created = append(ev.Created, tr.created[id]...)
	}
	for _, f := range x.Dropped {
		if r := tr.relation(f); r != nil && r.t == t && r.index == nil {
			tr.former[t] = append(tr.former[t], f)
		}
	}
	if c.op == OpRewrite && slices.ContainsFunc(ids, func(id uint32) bool { return tr.columns[id] }) {
		ev.Note += "; columns changed with it"
		tr.retype(t)
	}
	tr.relations = append(tr.relations, ev)
	tr.xact(x.XID, 0, rec.LSN)
	tr.endFiles(rec, t, &ev, ids, c.kept)
}

// retype notes that rows in the files a table had before may be laid out otherwise than its rows are now (ALTER COLUMN … TYPE).
func (tr *tracer) retype(t *target) {
	if t.Past {
		return
	}
	if tr.retyped[t] == nil {
		tr.retyped[t] = map[RelFile]bool{}
	}
	for _, f := range tr.former[t] {
		tr.retyped[t][f] = true
	}
	tr.miss("a column of " + t.Table + " changed its type: rows of before are laid out otherwise, and what is told of them comes from the indexes")
}

// endFiles ends the versions in the files that a commit removes. A rewrite carries every visible row over.
func (tr *tracer) endFiles(rec *Record, t *target, ev *RelationEvent, ids []uint32, kept bool) {
	seen := map[int]bool{}
	for _, v := range tr.live {
		if v.t == t && !v.shadow && slices.Contains(ev.Created, v.rel) {
			seen[v.incarnation] = true
		}
	}
	op := ev.Op
	if op == OpRewrite {
		op = OpTruncate
	}
	for _, v := range tr.sortedLive() {
		if v.t != t || !slices.Contains(ev.Dropped, v.rel) {
			continue
		}
		if !kept && !seen[v.incarnation] && !v.shadow && tr.visible(v, ids) {
			seen[v.incarnation] = true
			e := tr.event(&Record{LSN: rec.LSN, TLI: rec.TLI, XID: ev.XID, Origin: rec.Origin}, op, v)
			e.After, e.Before = tr.before(), ev.Time
			if ev.Op == OpRewrite {
				e.Note = "the new file got rows, but not this one: TRUNCATE and a load in one transaction"
			}
			if v.hasTuple {
				e.setRow(v.tuple)
			}
		}
		delete(tr.live, v.place)
	}
}
