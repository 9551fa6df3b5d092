package wal

import (
	"context"
	"encoding/binary"
	"errors"
)

// RecordHeaderSize is the fixed header of a record (access/xlogrecord.h, SizeOfXLogRecord).
const RecordHeaderSize = 24

// ReaderOptions limits a Reader.
type ReaderOptions struct {
	From, To LSN                     // zero: from the first segment, to the end; records that start in [From,To) are read
	CheckCRC bool                    // compute the CRC-32C of every record; a mismatch ends the run as damage
	MaxBytes int64                   // stop after that many bytes of WAL and report a gap; zero is no limit
	Progress func(done, total int64) // called about once a segment, in bytes

	sieve *sieve      // says what may be passed over; nil: nothing
	hold  func() bool // reports that nothing may be passed over yet

	seek   bool    // begin near From, not at the start of its segment
	tracer *tracer // has no use for most records
	chunk  int64   // how much is read at once; 0: readChunk
}

// Reader walks the records of a plan in order. It starts at the first whole record, follows records over pages and segments, and goes
// on behind a gap. Use: for r.Next(ctx) { r.Record() }; r.Err().
//
// There are three ways to the next record, which give the same: one that was found before by looking through a piece of WAL while the ones
// before it were walked (take); the next on the same page (fast); and the slow way over page borders, at the start of a run and wherever
// something is out of the ordinary (step), which alone decides what a hole is.
type Reader struct {
	src  Source
	plan Plan
	opt  ReaderOptions

	seg      int // index into plan.Segments
	pos      LSN // where the next record is looked for
	prev     LSN // start of the record before, 0 when unknown
	chunk    []byte
	chunkAt  LSN
	page     []byte // current page, short when the file ends
	pageAt   LSN
	pageHead int
	magic    uint16
	tli      uint32
	scratch  []byte
	rec      Record
	runFrom  LSN
	resume   LSN // where to go on behind a record that was given up
	err      error
	done     bool
	sift     *sift      // says what the tracer wants; nil: all
	ahead    *pipeline  // nil: the Source cannot read ahead
	found    taking     // records of the current piece that were found before
	passAt   LSN        // from here on something may be passed over
	passes   int        // how often that was done
	resumed  resumption // where reading went on after the last time

	covered []Range
	gaps    []Gap
	end     string

	// Records, Bytes and BadCRC count what was read so far.
	Records, Bytes, BadCRC int64
}

// NewReader returns a Reader over a plan.
func NewReader(src Source, plan Plan, opt ReaderOptions) *Reader {
	if opt.chunk == 0 {
		opt.chunk = readChunk
	}
	r := &Reader{src: src, plan: plan, opt: opt, seg: -1, passAt: ^LSN(0)}
	if opt.sieve.active() {
		r.passAt = 0
	}
	if opt.tracer != nil {
		r.sift = newSift(opt.tracer.setup)
	}
	r.ahead = newPipeline(src, &r.plan, &r.opt, r.sift)
	if !r.nextSegment(true) {
		r.finish("no segments")
	}
	return r
}

// Record returns the record that Next found; it and everything decoded from it is valid until the next call of Next.
func (r *Reader) Record() *Record { return &r.rec }

// Err returns the error that stopped the walk: from the source or the context, never damage in the WAL, which is a Gap.
func (r *Reader) Err() error { return r.err }

// Gaps returns the stretches that were not read.
func (r *Reader) Gaps() []Gap { return r.gaps }

// Covered returns the stretches that were read without a hole, so far.
func (r *Reader) Covered() []Range {
	if r.runFrom != 0 && r.pos > r.runFrom {
		return append(r.covered[:len(r.covered):len(r.covered)], Range{TLI: r.tli, From: r.runFrom, To: r.pos})
	}
	return r.covered
}

// End says why the walk ended, for people: end of WAL, limit, no more segments.
func (r *Reader) End() string { return r.end }

func (r *Reader) finish(why string) bool {
	r.done, r.end = true, why
	r.ahead.close()
	return false
}

// Next advances to the next record. It returns false at the end of the WAL, on a limit, or on an error.
func (r *Reader) Next(ctx context.Context) bool {
	for !r.done {
		if r.pos == r.found.from && r.enterFound() || r.found.inside {
			if r.take() {
				return true
			}
			continue
		}
		if r.fast() {
			if r.rec.LSN < r.opt.From {
				continue
			}
			return true
		}
		if r.done {
			break
		}
		r.pass()
		err := r.step(ctx)
		switch {
		case err == nil && r.rec.LSN >= r.opt.From:
			return true
		case err == nil || errors.Is(err, errFound):
		case !r.recover(err):
			return false
		}
	}
	return false
}

// fast takes the next record without looking at page borders: the common case. Records that the tracer has no use for it steps over.
func (r *Reader) fast() bool {
	if r.page == nil || r.runFrom == 0 {
		return false
	}
	limit := min(r.segmentLimit(), r.passAt)
	if r.opt.To != 0 {
		limit = min(limit, r.opt.To)
	}
	for {
		off := int(r.pos - r.pageAt)
		if off < r.pageHead || off+RecordHeaderSize > len(r.page) {
			return false
		}
		b := r.page[off:]
		tot := int(binary.LittleEndian.Uint32(b))
		if tot < RecordHeaderSize || tot > len(b) || r.pos+LSN(tot) > limit {
			return false // over the page's end, or the end of what is asked for or of a timeline
		}
		prev := LSN(binary.LittleEndian.Uint64(b[8:]))
		if prev != r.prev || b[17] == rmXLOG || noManager(b[17]) || r.opt.CheckCRC && !crcOK(b[:tot]) { // XLOG: it may be a switch
			return false
		}
		if r.sift != nil && r.sift.kind(b[:tot], r.magic) == dull && r.opt.tracer.passedOver(r, b[:tot]) {
			r.prev = r.pos
			r.Records++
			r.pos = (r.pos + LSN(tot)).align8()
			continue
		}
		r.set(b[:tot], r.pos, r.pos+LSN(tot))
		r.pos = (r.pos + LSN(tot)).align8()
		return true
	}
}

func (r *Reader) set(raw []byte, lsn, end LSN) {
	r.fields(raw, lsn, end)
	r.prev = lsn
	r.Records++
}

func (r *Reader) fields(raw []byte, lsn, end LSN) {
	rec := &r.rec
	rec.Raw, rec.LSN, rec.End, rec.Magic, rec.TLI = raw, lsn, end, r.magic, r.tli
	rec.XID = binary.LittleEndian.Uint32(raw[4:])
	rec.Info, rec.RMGR = raw[16], raw[17]
}
