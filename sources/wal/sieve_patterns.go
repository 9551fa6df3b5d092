package wal

import (
	"encoding/binary"
	"slices"
)

func relPattern(f RelFile) Pattern {
	le := binary.LittleEndian
	return Pattern{Bytes: le.AppendUint32(le.AppendUint32(le.AppendUint32(nil, f.Spc), f.DB), f.Rel)}
}

func pairPattern(a, b uint32) Pattern {
	return Pattern{Bytes: binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, a), b)}
}

func xidPattern(xid uint32) Pattern {
	return Pattern{Bytes: binary.LittleEndian.AppendUint32(nil, xid)}
}

// patterns are those that are known before a walk; ok is false when a target does not say where its records are.
func (s *setup) patterns(plan *Plan) (out []Pattern, ok bool) {
	for _, f := range s.files() {
		if f.DB == 0 || f.Rel == 0 {
			return nil, false
		}
		out = append(out, relPattern(f))
	}
	for _, t := range s.targets {
		if t.match == nil {
			continue
		}
		if t.Rel.DB == 0 {
			return nil, false
		}
		if t.OID != 0 {
			out = append(out, pairPattern(t.Rel.DB, t.OID))
		}
	}
	dbs := make([]uint32, 0, len(s.dbs))
	for db := range s.dbs {
		dbs = append(dbs, db)
	}
	slices.Sort(dbs)
	for _, db := range dbs {
		out = append(out, pairPattern(db, pgClass))
		// xl_rmid, padding, checksum, short main data, which begins with the database: made, moved, dropped.
		p := Pattern{Bytes: []byte{rmDatabase, 0, 0, 0, 0, 0, 0, 255, 0}, Any: 0xf<<3 | 1<<8}
		p.Bytes = binary.LittleEndian.AppendUint32(p.Bytes, db)
		out = append(out, p)
	}
	return append(out, shutdowns(plan)...), true
}

func (s *setup) files() []RelFile {
	out := make([]RelFile, 0, len(s.rels))
	for f := range s.rels {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b RelFile) int { return int(int64(a.Rel) - int64(b.Rel)) })
	return out
}

// shutdowns are the patterns of checkpoints that end a server's life: their redo position is their own, so that its upper half is that of
// the segment; both timelines are the segment's, for where they differ all is read.
func shutdowns(plan *Plan) []Pattern {
	type kind struct {
		hi  uint64
		tli uint32
	}
	seen := map[kind]bool{}
	var out []Pattern
	for i := range plan.Segments {
		k := kind{uint64(plan.Segments[i].Start) >> 32, plan.Segments[i].TLI}
		if seen[k] {
			continue
		}
		seen[k] = true
		le := binary.LittleEndian
		p := Pattern{Bytes: []byte{255, 0, 0, 0, 0, 0}, Any: 0x3e}
		p.Bytes = le.AppendUint32(le.AppendUint32(le.AppendUint32(p.Bytes, uint32(k.hi)), k.tli), k.tli)
		out = append(out, p)
	}
	return out
}

func xidPatterns(xids []uint32) []Pattern {
	slices.Sort(xids)
	var out []Pattern
	for _, x := range slices.Compact(xids) {
		if x != 0 {
			out = append(out, xidPattern(x))
		}
	}
	return out
}

// concerns lists the transactions of which every record matters.
func (tr *tracer) concerns() []uint32 {
	var out []uint32
	for id, x := range tr.xacts {
		out = append(append(out, id, x.TopXID), x.Subxacts...)
	}
	for id := range tr.concerned {
		out = append(out, id)
	}
	return out
}
