package wal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// RecordHeaderSize is the fixed header of a record (access/xlogrecord.h, SizeOfXLogRecord).
const RecordHeaderSize = 24

const readChunk = 256 << 10

// Gap is a stretch of WAL that was not read, and why. Nothing may be called absent that could have happened in it.
type Gap struct {
	TLI    uint32 `json:"tli"`
	From   LSN    `json:"from"`
	To     LSN    `json:"to"`
	Reason string `json:"reason"`
}

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
}

// Reader walks the records of a plan in order. It starts at the first whole record, follows records over pages and segments, and goes
// on behind a gap. Use: for r.Next(ctx) { r.Record() }; r.Err().
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
	ahead    *piece     // the piece that comes next
	used     [2][]byte  // buffers: the one before and the current one
	passAt   LSN        // from here on something may be passed over
	passes   int        // how often that was done
	resumed  resumption // where reading went on after the last time

	covered []Range
	gaps    []Gap
	end     string

	// Records, Bytes and BadCRC count what was read so far.
	Records, Bytes, BadCRC int64
}

// Range is a stretch of WAL that was read without a hole.
type Range struct {
	TLI  uint32 `json:"tli"`
	From LSN    `json:"from"`
	To   LSN    `json:"to"`
}

// NewReader returns a Reader over a plan.
func NewReader(src Source, plan Plan, opt ReaderOptions) *Reader {
	r := &Reader{src: src, plan: plan, opt: opt, seg: -1, passAt: ^LSN(0)}
	if opt.sieve.active() {
		r.passAt = 0
	}
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
	return false
}

// segment returns the current segment.
func (r *Reader) segment() *Segment { return &r.plan.Segments[r.seg] }

func (r *Reader) segmentEnd() LSN {
	s := r.segment()
	if to, ok := r.plan.limits[s.Start]; ok {
		return to
	}
	return s.End()
}

// nextSegment moves to the segment after the current one; jump says that reading starts anew there, at its first whole record.
func (r *Reader) nextSegment(jump bool) bool {
	for r.seg++; r.seg < len(r.plan.Segments); r.seg++ {
		if r.segmentEnd() > r.opt.From {
			break
		}
	}
	if r.seg >= len(r.plan.Segments) {
		return false
	}
	if r.opt.Progress != nil {
		r.opt.Progress(int64(r.seg)*r.plan.Size, int64(len(r.plan.Segments))*r.plan.Size)
	}
	if jump {
		r.pos, r.prev, r.runFrom = r.segment().Start, 0, 0
		if r.opt.seek {
			r.pos = max(r.pos, r.opt.From.page())
		}
	}
	return true
}

var (
	errEnd     = errors.New("end of valid WAL")
	errMissing = errors.New("segment missing")
)

// load makes the page that holds lsn current. It returns errEnd when the bytes there are not that page, errMissing when no segment has
// it.
func (r *Reader) load(ctx context.Context, lsn LSN) error {
	at := lsn.page()
	if at == r.pageAt && r.page != nil {
		return nil
	}
	for at >= r.segment().End() {
		if r.seg+1 >= len(r.plan.Segments) || r.plan.Segments[r.seg+1].Start > at {
			return errMissing
		}
		if r.seg+1 < len(r.plan.Segments) {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		r.nextSegment(false)
	}
	if r.chunk == nil || at < r.chunkAt || at >= r.chunkAt+LSN(len(r.chunk)) {
		if err := r.fill(ctx, at); err != nil {
			return err
		}
	}
	b := r.chunk[at-r.chunkAt:]
	if len(b) > PageSize {
		b = b[:PageSize]
	}
	return r.enter(at, b)
}

func (r *Reader) fill(ctx context.Context, at LSN) error {
	s := r.segment()
	off := int64(at - s.Start)
	n := min(readChunk, s.Size-off)
	if r.opt.sieve.active() {
		n = r.opt.sieve.room(r.seg, off)
	}
	if r.opt.MaxBytes > 0 && r.Bytes >= r.opt.MaxBytes {
		return errLimit
	}
	b, err := r.read(ctx, s, off, n)
	if err != nil {
		return fmt.Errorf("read wal at %s: %w", at, err)
	}
	r.chunk, r.chunkAt = b, at
	r.Bytes += int64(len(b))
	if len(b) == 0 {
		return errEnd
	}
	return nil
}

// read reads a piece of a segment. The next one is read meanwhile, by a Source that can.
func (r *Reader) read(ctx context.Context, s *Segment, off, n int64) ([]byte, error) {
	into, ok := r.src.(IntoReader)
	if !ok || r.opt.sieve.active() {
		return r.src.ReadAt(ctx, *s, off, int(n))
	}
	next, begun := r.ahead, r.ahead != nil && r.ahead.segment == *s && r.ahead.off == off
	r.ahead = nil
	if !begun {
		next = readAhead(ctx, into, *s, off, int(n), r.buffer())
	}
	<-next.done
	if !next.ok {
		return r.src.ReadAt(ctx, *s, off, int(n))
	}
	r.used[0], r.used[1] = r.used[1], next.b // the one before is free again
	follow, at := s, off+n
	if at >= s.Size && r.seg+1 < len(r.plan.Segments) {
		follow, at = &r.plan.Segments[r.seg+1], 0
	}
	if next.err == nil && at < follow.Size && r.opt.To == 0 {
		r.ahead = readAhead(ctx, into, *follow, at, int(min(readChunk, follow.Size-at)), r.buffer())
	}
	return next.b[:next.n], next.err
}

// buffer returns one that no page of the current piece lies in.
func (r *Reader) buffer() []byte {
	if b := r.used[0]; b != nil {
		r.used[0] = nil
		return b
	}
	return make([]byte, readChunk)
}

// piece is a part of a segment that is being read.
type piece struct {
	segment Segment
	off     int64
	b       []byte
	n       int
	ok      bool
	err     error
	done    chan struct{}
}

func readAhead(ctx context.Context, src IntoReader, s Segment, off int64, n int, b []byte) *piece {
	p := &piece{segment: s, off: off, b: b[:n], done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.n, p.ok, p.err = src.ReadInto(ctx, s, off, p.b)
	}()
	return p
}

var errLimit = errors.New("byte limit reached")

func (r *Reader) enter(at LSN, b []byte) error {
	r.page = nil
	h, err := DecodePageHeader(b)
	if err != nil || h.Addr != at {
		return errEnd
	}
	r.page, r.pageAt, r.pageHead, r.magic, r.tli = b, at, h.size(), h.Magic, h.TLI
	return nil
}

func (r *Reader) pageInfo() (info uint16, remaining uint32) {
	return binary.LittleEndian.Uint16(r.page[2:]), binary.LittleEndian.Uint32(r.page[16:])
}

// Next advances to the next record. It returns false at the end of the WAL, on a limit, or on an error.
func (r *Reader) Next(ctx context.Context) bool {
	for !r.done {
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
		case err == nil:
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
		if prev != r.prev || b[17] == rmXLOG || r.opt.CheckCRC && !crcOK(b[:tot]) { // XLOG: it may be a switch
			return false
		}
		if r.opt.tracer != nil && r.opt.tracer.dull(r, b[:tot]) {
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

// pass goes on behind WAL that need not be read, when the next record begins in such.
func (r *Reader) pass() {
	if r.pos < r.passAt || r.runFrom == 0 || r.pos < r.segment().Start || r.opt.hold != nil && r.opt.hold() {
		return
	}
	v := r.opt.sieve
	seg := r.seg
	for r.pos >= r.plan.Segments[seg].End() {
		if seg++; seg == len(r.plan.Segments) || r.plan.Segments[seg].Start > r.pos {
			return
		}
	}
	if r.passAt = v.nextQuiet(seg, r.pos); r.pos < r.passAt {
		return
	}
	to, at, ok := v.resume(seg, r.pos)
	if !ok {
		return
	}
	for r.seg < to {
		r.nextSegment(false)
	}
	r.pos, r.prev, r.page = at, 0, nil
	r.passes++
	r.resumed = resumption{to, at}
	// What is read before the next page that has to be read is read for its own sake.
	if ls, lp, ok := v.nextLoud(to, int64(at-r.plan.Segments[to].Start)/PageSize); ok {
		r.passAt = v.nextQuiet(ls, r.plan.Segments[ls].Start+LSN(lp*PageSize))
	}
}

func (r *Reader) segmentLimit() LSN {
	if len(r.plan.limits) == 0 {
		return ^LSN(0)
	}
	return r.segmentEnd()
}

func (r *Reader) set(raw []byte, lsn, end LSN) {
	rec := &r.rec
	rec.Raw, rec.LSN, rec.End, rec.Magic, rec.TLI = raw, lsn, end, r.magic, r.tli
	rec.XID = binary.LittleEndian.Uint32(raw[4:])
	rec.Info, rec.RMGR = raw[16], raw[17]
	r.prev = lsn
	r.Records++
}

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
	r.pos = end.align8()
	if r.rec.RMGR == rmXLOG && r.rec.Info&0xf0 == xlogSwitch {
		size := LSN(r.plan.Size)
		r.pos = (r.pos + size - 1) / size * size
	}
	return nil
}

var errTo = errors.New("end of the asked range")

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

var errAbandoned = errors.New("record was given up in a crash")

func (r *Reader) check(raw []byte, start LSN) error {
	prev := LSN(binary.LittleEndian.Uint64(raw[8:]))
	if r.prev != 0 && prev != r.prev || prev >= start || raw[17] > 21 && raw[17] < 128 {
		return errEnd
	}
	if (r.opt.CheckCRC || r.prev == 0) && !crcOK(raw) {
		r.BadCRC++
		return errEnd
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// crcOK checks a record's CRC-32C: over what follows the header, then the header up to the CRC (access/xlogrecord.h).
func crcOK(raw []byte) bool {
	c := crc32.Update(0, castagnoli, raw[RecordHeaderSize:])
	c = crc32.Update(c, castagnoli, raw[:20])
	return c == binary.LittleEndian.Uint32(raw[20:])
}

// recover ends the current run and finds where to go on; it returns false when the walk is over.
func (r *Reader) recover(err error) bool {
	if errors.Is(err, errAbandoned) {
		// Crash recovery went on at a page start; the record never took effect, so this is no hole.
		r.pos, r.prev = r.resume, 0
		return true
	}
	at := r.pos
	r.closeRun(at)
	r.page = nil
	switch {
	case errors.Is(err, errTo):
		return r.finish("end of the asked range")
	case errors.Is(err, errLimit):
		r.gap(at, r.plan.Segments[len(r.plan.Segments)-1].End(), "byte limit reached")
		return r.finish("byte limit reached")
	case !errors.Is(err, errEnd) && !errors.Is(err, errMissing):
		r.err = err
		return r.finish(err.Error())
	}
	// A segment that was entered for the tail of a record may itself begin with whole records.
	if s := r.segment(); s.Start > at {
		r.seg--
	}
	if !r.nextSegment(true) {
		return r.finish(fmt.Sprintf("%s at %s", errEnd, at))
	}
	reason := "no valid record here, though later segments hold WAL"
	if errors.Is(err, errMissing) {
		reason = "segments missing"
	}
	r.gap(at, r.pos, reason)
	return true
}

func (r *Reader) gap(from, to LSN, reason string) {
	if to > from {
		r.gaps = append(r.gaps, Gap{TLI: r.plan.TLI, From: from, To: to, Reason: reason})
	}
}

func (r *Reader) closeRun(at LSN) {
	if r.runFrom != 0 && at > r.runFrom {
		r.covered = append(r.covered, Range{TLI: r.tli, From: r.runFrom, To: at})
	}
	r.runFrom = 0
}
