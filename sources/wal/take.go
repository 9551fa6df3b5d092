package wal

import "encoding/binary"

// taking is how far the Reader has taken what was found in the current piece of WAL.
type taking struct {
	*scouted
	from   LSN  // where the Reader may begin to; 0: nowhere
	inside bool // it has
	pick   int  // the next of each
	end    int
	span   int
}

// enterFound begins to take the records that were found in the current piece, when they are those that a walk would come to: the first one
// lies where the next record is looked for and names the one before it.
func (r *Reader) enterFound() bool {
	f := &r.found
	if f.from == 0 || r.runFrom == 0 || r.prev != f.prev || f.from < r.opt.From || r.opt.To != 0 && f.to > r.opt.To {
		return false
	}
	if t := r.opt.tracer; t != nil {
		if t.run != r.runFrom {
			return false
		}
		t.lookedThrough(f.scouted, r.chunkAt)
	}
	f.from, f.inside = 0, true
	r.Records += f.records
	r.tli, r.magic = f.tli, f.magic
	return true
}

// take makes the next of them that is wanted the current record. It returns false behind the last.
func (r *Reader) take() bool {
	f := &r.found
	next := ^uint32(0)
	if f.pick < len(f.picks) {
		next = f.picks[f.pick]
	}
	if f.end < len(f.ends) && f.ends[f.end].at < next {
		n := f.end
		for n < len(f.ends) && f.ends[n].at < next {
			n++
		}
		f.end += r.opt.tracer.plainEnds(r.chunk, f.ends[f.end:n])
		if f.end < n {
			next = f.ends[f.end].at
			f.end++
			r.place(next)
			return true
		}
	}
	if f.pick == len(f.picks) {
		r.pos, r.prev, r.page = f.to, f.last, nil
		if r.opt.tracer != nil {
			r.opt.tracer.last = f.last
			r.sift.forget()
		}
		f.inside = false
		return false
	}
	f.pick++
	r.place(next)
	return true
}

// place makes the record at an offset of the current piece the current one.
func (r *Reader) place(at uint32) {
	raw := r.chunk[at:]
	n := binary.LittleEndian.Uint32(raw)
	lsn := r.chunkAt + LSN(at)
	end := lsn + LSN(n)
	if at%PageSize+n > PageSize {
		s := r.found.spans[r.found.span]
		r.found.span++
		raw, end = r.found.text[s.from:s.to], s.end
	} else {
		raw = raw[:n]
	}
	r.fields(raw, lsn, end)
	r.pos = end.align8()
}
