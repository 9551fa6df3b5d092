package wal

import (
	"encoding/binary"
	"slices"
)

// scouted is what was found in a piece of WAL before the Reader came to it: records that follow one another with nothing out of the
// ordinary between them, their checksums right. What is out of the ordinary ends it, and is left to the Reader.
type scouted struct {
	from    LSN // the first record that begins in the piece
	to      LSN // where the record behind the last one is looked for
	prev    LSN // what the first says of the one before it
	last    LSN
	tli     uint32
	magic   uint16
	records int64

	picks []uint32  // offsets in the piece of records that are wanted
	ends  []endMark // and of commits and aborts that tell a time only
	spans []span    // of picks: those that lie on several pages, in order
	text  []byte    // of spans
	xids  []xidSpan // by noteSize
}

// endMark is a plain commit or abort.
type endMark struct{ at, xid uint32 }

// span is a record over several pages, put together.
type span struct {
	from, to int // in text
	end      LSN
}

// xidSpan holds the lowest and highest transaction number of the records that begin in a stretch of WAL; max is 0 when there is none.
type xidSpan struct{ min, max uint32 }

func (x *xidSpan) add(xid uint32) {
	if xid != 0 {
		x.min, x.max = min(x.min, xid), max(x.max, xid)
	}
}

// scout walks over one piece of WAL, as the Reader would.
type scout struct {
	*scouted
	b    []byte
	at   LSN
	sift *sift // nil: every record is wanted
	crc  bool  // check sums

	head  PageHeader
	pos   int // in the piece
	prior LSN // the record before, 0: not known yet
	begun int // where a record begins that goes on on the next page
	left  int // what is missing of it; 0: there is none
	text0 int // where it begins in text
	here  [PageSize / RecordHeaderSize]uint32
}

func (w *scout) run() {
	s := w.scouted
	*s = scouted{picks: s.picks[:0], ends: s.ends[:0], spans: s.spans[:0], text: s.text[:0], xids: s.xids[:0]}
	if w.sift != nil {
		for at := w.at &^ (noteSize - 1); at < w.at+LSN(len(w.b)); at += noteSize {
			s.xids = append(s.xids, xidSpan{min: ^uint32(0)})
		}
	}
	page, ok := w.start()
	for ok && w.onPage(page) {
		page += PageSize
		ok = w.enter(page)
	}
}

// header reads that of a page, which must be of the same server and timeline as the first.
func (w *scout) header(page int) bool {
	if page >= len(w.b) {
		return false
	}
	h, err := DecodePageHeader(w.b[page:min(page+PageSize, len(w.b))])
	if err != nil || h.Addr != w.at+LSN(page) {
		return false
	}
	if page == 0 {
		w.tli, w.magic = h.TLI, h.Magic
	}
	w.head, w.pos = h, page+h.size()
	return h.TLI == w.tli && h.Magic == w.magic
}

func (w *scout) continued() bool { return w.head.Info&pageContRecord != 0 }

// start finds the first record, behind the rest of one that began before the piece, and returns the page that it is on.
func (w *scout) start() (page int, ok bool) {
	if !w.header(0) {
		return 0, false
	}
	if w.continued() {
		for int(w.head.Remaining) > page+PageSize-w.pos {
			if page += PageSize; !w.header(page) || !w.continued() {
				return 0, false
			}
		}
		if w.pos = align8(w.pos + int(w.head.Remaining)); w.pos == page+PageSize {
			if page += PageSize; !w.header(page) || w.continued() {
				return 0, false
			}
		}
	}
	w.from = w.at + LSN(w.pos)
	w.to = w.from
	return page, true
}

func align8(n int) int { return (n + 7) &^ 7 }

// enter goes on to the next page, with the rest of the record that began before.
func (w *scout) enter(page int) bool {
	if !w.header(page) || w.continued() != (w.left > 0) {
		return false
	}
	if w.left == 0 {
		return true
	}
	n := min(w.left, min(page+PageSize, len(w.b))-w.pos)
	if int(w.head.Remaining) != w.left || n <= 0 {
		return false
	}
	w.text = append(w.text, w.b[w.pos:w.pos+n]...)
	w.pos += n
	if w.left -= n; w.left > 0 {
		return true
	}
	if !w.whole() {
		return false
	}
	w.pos = align8(w.pos)
	return true
}

// follows reports that a record's header is in order and names the one before it.
func follows(raw []byte, at, prior LSN) bool {
	raw = raw[:RecordHeaderSize]
	prev := LSN(binary.LittleEndian.Uint64(raw[8:]))
	return prev == prior && prev < at && !noManager(raw[17]) && (raw[17] != rmXLOG || raw[16]&0xf0 != xlogSwitch)
}

// begin takes what the first record says of the one before it.
func (w *scout) begin(raw []byte) bool {
	if w.prior == 0 {
		w.prior = LSN(binary.LittleEndian.Uint64(raw[8:]))
		w.prev = w.prior
	}
	return w.prior != 0
}

// whole takes the record that was put together from several pages.
func (w *scout) whole() bool {
	raw, at := w.text[w.text0:], w.at+LSN(w.begun)
	if !w.begin(raw) || !follows(raw, at, w.prior) || w.crc && !crcOK(raw) {
		return false
	}
	kind := uint8(wanted)
	if w.sift != nil {
		w.xids[(at-w.at&^(noteSize-1))/noteSize].add(binary.LittleEndian.Uint32(raw[4:]))
		kind = w.sift.kind(raw, w.magic)
	}
	if kind != dull {
		w.picks = append(w.picks, uint32(w.begun))
		w.spans = append(w.spans, span{w.text0, len(w.text), w.at + LSN(w.pos)})
	} else {
		w.text = w.text[:w.text0]
	}
	w.took(1, at, w.pos)
	return true
}

func (w *scout) took(n int, last LSN, end int) {
	w.records += int64(n)
	w.prior, w.last, w.to = last, last, w.at+LSN(align8(end))
}

// onPage takes the records that lie whole on a page, and begins the one that does not. It returns false when the walk is over.
func (w *scout) onPage(page int) bool {
	if w.left > 0 {
		return true
	}
	b := w.b[page:min(page+PageSize, len(w.b))]
	at, pos := w.at+LSN(page), w.pos-page
	if pos+RecordHeaderSize <= len(b) && !w.begin(b[pos:]) {
		return false
	}
	prior := w.prior
	n, fine := 0, true
	for pos+RecordHeaderSize <= len(b) {
		raw := b[pos:]
		tot := int(binary.LittleEndian.Uint32(raw))
		if tot < RecordHeaderSize || tot > len(raw) {
			break
		}
		if fine = follows(raw, at+LSN(pos), prior); !fine {
			break
		}
		w.here[n] = uint32(pos)
		n++
		prior = at + LSN(pos)
		pos = align8(pos + tot)
	}
	good := n
	if w.crc {
		good = firstBad(b, w.here[:n])
	}
	if good > 0 {
		last := w.here[good-1]
		w.choose(page, b, w.here[:good])
		w.took(good, at+LSN(last), page+int(last)+int(binary.LittleEndian.Uint32(b[last:])))
	}
	w.pos = page + pos
	if good < n || !fine || len(b) < PageSize {
		return false
	}
	return pos == PageSize || w.split(b[pos:])
}

// split begins a record that goes on on the next page.
func (w *scout) split(raw []byte) bool {
	tot := int(binary.LittleEndian.Uint32(raw))
	if tot <= len(raw) || tot > 1<<30 || tot < RecordHeaderSize {
		return false
	}
	w.begun, w.text0, w.left = w.pos, len(w.text), tot-len(raw)
	w.text = append(w.text, raw...)
	return true
}

// choose notes which records of a page are wanted, and their transactions.
func (w *scout) choose(page int, b []byte, here []uint32) {
	if w.sift == nil {
		for _, o := range here {
			w.picks = append(w.picks, uint32(page)+o)
		}
		return
	}
	x := &w.xids[(w.at+LSN(page)-w.at&^(noteSize-1))/noteSize]
	least, most := x.min-1, x.max // 0 is no transaction: one less, it is the highest
	w.ends = slices.Grow(w.ends, len(here))
	ends := w.ends[:len(w.ends)+len(here)]
	n := len(w.ends)
	for _, o := range here {
		raw := b[o:]
		xid := binary.LittleEndian.Uint32(raw[4:])
		least, most = min(least, xid-1), max(most, xid)
		mark := endMark{uint32(page) + o, xid}
		ends[n] = mark
		if len(raw) >= glimpse {
			// Without a branch that depends on the kind of record, for that cannot be foretold: it would cost more than all else.
			ask, end := w.sift.glance((*[glimpse]byte)(raw))
			n += int(end)
			if ask == 0 {
				continue
			}
		}
		switch w.sift.kind(raw[:binary.LittleEndian.Uint32(raw)], w.magic) {
		case wanted:
			w.picks = append(w.picks, mark.at)
		case plainEnd:
			ends[n] = mark
			n++
		}
	}
	w.ends = ends[:n]
	x.min, x.max = least+1, most
}
