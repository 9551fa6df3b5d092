package wal

import (
	"context"
	"encoding/binary"
)

// step reads one record the slow way: over page borders, at the start of a run, at a segment switch.
func (r *Reader) step(ctx context.Context) error {
	if r.opt.To != 0 && r.pos >= r.opt.To {
		return errTo
	}
	if r.pos >= r.segmentLimit() {
		return errMissing
	}
	if err := r.load(ctx, r.pos); err != nil {
		return err
	}
	if r.pos == r.pageAt {
		if err := r.skipHeader(ctx); err != nil {
			return err
		}
	}
	if r.runFrom == 0 {
		r.runFrom = r.pos
	}
	if r.pos == r.found.from && r.enterFound() {
		return errFound
	}
	start, limit := r.pos, r.segmentLimit()
	raw, end, err := r.assemble(ctx)
	if err != nil {
		return err
	}
	if end > limit {
		return errMissing
	}
	if err := r.check(raw, start); err != nil {
		return err
	}
	r.set(raw, start, end)
	if r.sift != nil && r.rec.RMGR == rmStorage {
		r.sift.forget()
	}
	r.pos = end.align8()
	if r.rec.RMGR == rmXLOG && r.rec.Info&0xf0 == xlogSwitch {
		size := LSN(r.plan.Size)
		r.pos = (r.pos + size - 1) / size * size
	}
	return nil
}

// skipHeader steps over a page header and, when the page begins inside a record whose start was not read, over the rest of that record.
func (r *Reader) skipHeader(ctx context.Context) error {
	for {
		info, rem := r.pageInfo()
		r.pos = r.pageAt + LSN(r.pageHead)
		if info&pageContRecord == 0 {
			return nil
		}
		room := LSN(PageSize - r.pageHead)
		if LSN(rem) <= room {
			r.pos = (r.pos + LSN(rem)).align8()
			r.prev = 0
			if r.pos < r.pageAt+PageSize {
				return nil
			}
			if err := r.load(ctx, r.pos); err != nil {
				return err
			}
			continue
		}
		r.pos = r.pageAt + PageSize
		if err := r.load(ctx, r.pos); err != nil {
			return err
		}
	}
}

// assemble returns the bytes of the record at pos and where it ends; records that cross pages are copied together.
func (r *Reader) assemble(ctx context.Context) ([]byte, LSN, error) {
	off := int(r.pos - r.pageAt)
	if off+8 > len(r.page) {
		return nil, 0, errEnd
	}
	tot := int(binary.LittleEndian.Uint32(r.page[off:]))
	if tot < RecordHeaderSize || tot > 1<<30 {
		return nil, 0, errEnd
	}
	if off+tot <= len(r.page) {
		return r.page[off : off+tot], r.pos + LSN(tot), nil
	}
	if len(r.page) < PageSize {
		return nil, 0, errEnd
	}
	r.scratch = append(r.scratch[:0], r.page[off:]...)
	var end LSN
	for len(r.scratch) < tot {
		next := r.pageAt + PageSize
		if err := r.load(ctx, next); err != nil {
			return nil, 0, err
		}
		info, rem := r.pageInfo()
		left := tot - len(r.scratch)
		if info&pageContRecord == 0 || int(rem) != left {
			if info&(pageContRecord|pageOverwrite) != pageContRecord {
				r.resume = next
				return nil, 0, errAbandoned
			}
			return nil, 0, errEnd
		}
		n := min(left, len(r.page)-r.pageHead)
		if n <= 0 {
			return nil, 0, errEnd
		}
		r.scratch = append(r.scratch, r.page[r.pageHead:r.pageHead+n]...)
		end = r.pageAt + LSN(r.pageHead+n)
	}
	return r.scratch, end, nil
}

func (r *Reader) check(raw []byte, start LSN) error {
	prev := LSN(binary.LittleEndian.Uint64(raw[8:]))
	if r.prev != 0 && prev != r.prev || prev >= start || noManager(raw[17]) {
		return errEnd
	}
	if (r.opt.CheckCRC || r.prev == 0) && !crcOK(raw) {
		r.BadCRC++
		return errEnd
	}
	return nil
}
