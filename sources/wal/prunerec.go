package wal

import (
	"encoding/binary"
)

// Prune is what a prune or vacuum record did to line pointers of one page.
type Prune struct {
	Redirects [][2]uint16 // from, to
	Dead      []uint16    // row bytes gone, pointer kept for the index
	Unused    []uint16    // pointer free for a new row
	Vacuum    bool        // second pass of VACUUM
}

// DecodePrune reads a Heap2 record that removes row versions (CLEAN, PRUNE, VACUUM, PRUNE_*). ok is false for every other kind and for
// damaged ones. The record must be decoded.
func (r *Record) DecodePrune() (p Prune, ok bool) {
	if r.RMGR != rmHeap2 || len(r.Blocks) == 0 {
		return p, false
	}
	op, v := r.Info&heapOpMask, r.Version()
	data := r.Blocks[0].Data
	switch {
	case v >= 17 && op >= heap2Prune1 && op <= heap2Prune3:
		p.Vacuum = op == heap2Prune3
		return p, r.prune17(&p, data)
	case v < 17 && op == heap2Prune1:
		if len(r.Main) < 8 {
			return p, false
		}
		le := binary.LittleEndian
		return p, p.split(data, int(le.Uint16(r.Main[4:])), int(le.Uint16(r.Main[6:])))
	case v >= 14 && v < 17 && op == heap2Prune2:
		p.Vacuum = true
		return p, p.split(data, 0, 0)
	}
	return p, false
}

// split reads the item numbers of 13 to 16: pairs of redirects, then dead, then unused ones to the end.
func (p *Prune) split(b []byte, redirects, dead int) bool {
	d := decoder{b: b}
	p.pairs(&d, redirects)
	p.Dead = items(&d, dead)
	p.Unused = items(&d, len(d.b)/2)
	return !d.bad
}

func (p *Prune) pairs(d *decoder, n int) {
	for i := 0; i < n && !d.bad; i++ {
		p.Redirects = append(p.Redirects, [2]uint16{d.u16(), d.u16()})
	}
}

func items(d *decoder, n int) []uint16 {
	var out []uint16
	for i := 0; i < n && !d.bad; i++ {
		out = append(out, d.u16())
	}
	return out
}

// prune17 reads the form of 17 and later (access/heapam_xlog.h, xl_heap_prune and the xlhp_ structures).
func (r *Record) prune17(p *Prune, b []byte) bool {
	if len(r.Main) < 2 {
		return false
	}
	flags := r.Main[1]
	d := decoder{b: b}
	if flags&0x10 != 0 {
		plans := int(d.u16())
		d.u16()
		d.take(12 * plans)
	}
	if flags&0x20 != 0 {
		p.pairs(&d, int(d.u16()))
	}
	if flags&0x40 != 0 {
		p.Dead = items(&d, int(d.u16()))
	}
	if flags&0x80 != 0 {
		p.Unused = items(&d, int(d.u16()))
	}
	return !d.bad
}
