package postgres

import (
	"encoding/binary"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"inquest/sources/wal"
)

// Kinds of record by pg_walinspect's names: resource manager and xl_info
// (access/rmgrlist.h, heapam_xlog.h, nbtxlog.h, xact.h, storage_xlog.h).
var restorable = map[string]struct {
	rmgr, info byte
	main       func(t *told, d *describedBy) []byte
}{
	"XLOG CHECKPOINT_SHUTDOWN":    {0, 0x00, mainCheckpoint},
	"XLOG END_OF_RECOVERY":        {0, 0x90, mainEndOfRecovery},
	"XLOG FPI":                    {0, 0xb0, nil},
	"XLOG FPI_FOR_HINT":           {0, 0xa0, nil},
	"Transaction COMMIT":          {1, 0x00, mainXact},
	"Transaction ABORT":           {1, 0x20, mainXact},
	"Transaction COMMIT_PREPARED": {1, 0x30, mainXact},
	"Transaction ABORT_PREPARED":  {1, 0x40, mainXact},
	"Transaction ASSIGNMENT":      {1, 0x50, mainAssignment},
	"Transaction PREPARE":         {1, 0x10, mainPrepare},
	"Storage CREATE":              {2, 0x10, mainCreate},
	"Storage TRUNCATE":            {2, 0x20, mainTruncate},
	"Standby LOCK":                {8, 0x00, mainLock},
	"Heap2 PRUNE":                 {9, 0x10, mainPrune16},
	"Heap2 VACUUM":                {9, 0x20, mainNone},
	"Heap2 PRUNE_ON_ACCESS":       {9, 0x10, mainPrune17},
	"Heap2 PRUNE_VACUUM_SCAN":     {9, 0x20, mainPrune17},
	"Heap2 PRUNE_VACUUM_CLEANUP":  {9, 0x30, mainPrune17},
	"Heap2 VISIBLE":               {9, 0x40, mainNone},
	"Heap2 MULTI_INSERT":          {9, 0x50, mainMultiInsert},
	"Heap2 LOCK_UPDATED":          {9, 0x60, mainNone},
	"Heap INSERT":                 {10, 0x00, mainInsert},
	"Heap DELETE":                 {10, 0x10, mainDelete},
	"Heap UPDATE":                 {10, 0x20, mainUpdate},
	"Heap HOT_UPDATE":             {10, 0x40, mainUpdate},
	"Heap HEAP_CONFIRM":           {10, 0x50, mainOff},
	"Heap LOCK":                   {10, 0x60, mainDelete},
	"Heap INPLACE":                {10, 0x70, mainOff},
	"Btree INSERT_LEAF":           {11, 0x00, mainNone},
	"Btree INSERT_POST":           {11, 0x50, mainNone},
	"Btree SPLIT_L":               {11, 0x30, mainLevel},
	"Btree SPLIT_R":               {11, 0x40, mainLevel},
}

const initPage = 0x80

// restore returns what a record is and its main data; false: it does not matter,
// or cannot be restored.
func restore(t *told) (rmgr, info byte, main []byte, ok bool) {
	name, init := strings.CutSuffix(t.kind, "+INIT")
	k, ok := restorable[t.rmgr+" "+name]
	if !ok || len(t.blocks) == 0 && (k.rmgr == 0 && k.main == nil || k.rmgr >= 9) {
		return 0, 0, nil, false
	}
	info = k.info
	if init {
		info |= initPage
	}
	d := &describedBy{text: t.description, init: init}
	if k.main != nil {
		main = k.main(t, d)
	}
	if k.rmgr == 1 && d.extra != 0 {
		info |= 0x80
	}
	return k.rmgr, info, main, !d.bad
}

// describedBy reads values out of a description.
type describedBy struct {
	text  string
	init  bool
	extra uint32 // xinfo of a transaction's end
	bad   bool
}

func (d *describedBy) word(name string) string {
	i := strings.Index(d.text, name)
	for i > 0 && d.text[i-1] != ' ' { // the end of a longer name
		j := strings.Index(d.text[i+1:], name)
		if j < 0 {
			i = -1
			break
		}
		i += 1 + j
	}
	if i < 0 {
		d.bad = true
		return ""
	}
	rest := d.text[i+len(name):]
	if n := strings.IndexAny(rest, ",; "); n >= 0 {
		rest = rest[:n]
	}
	return rest
}

func (d *describedBy) number(name string) uint64 {
	n, err := strconv.ParseUint(d.word(name), 0, 64)
	d.bad = d.bad || err != nil
	return n
}

// list is what stands in brackets after a name; a name that is not there is an
// empty list.
func (d *describedBy) list(name string) string {
	_, rest, ok := strings.Cut(d.text, name+": [")
	if !ok {
		return ""
	}
	in, _, _ := strings.Cut(rest, "]")
	return in
}

var le = binary.LittleEndian

func mainNone(*told, *describedBy) []byte { return nil }

func mainOff(_ *told, d *describedBy) []byte {
	return le.AppendUint16(nil, uint16(d.number("off: ")))
}

func mainInsert(_ *told, d *describedBy) []byte {
	return append(mainOff(nil, d), byte(d.number("flags: ")))
}

// infobits of xl_heap_delete and xl_heap_lock.
var infobits = map[string]byte{"IS_MULTI": 1, "LOCK_ONLY": 2, "EXCL_LOCK": 4, "KEYSHR_LOCK": 8, "KEYS_UPDATED": 16}

func (d *describedBy) infobits(name string) (bits byte) {
	for _, w := range strings.Split(d.list(name), ", ") {
		bits |= infobits[w]
	}
	return bits
}

func mainDelete(t *told, d *describedBy) []byte {
	b := le.AppendUint32(nil, uint32(d.number("xmax: ")))
	b = le.AppendUint16(b, uint16(d.number("off: ")))
	flags := byte(d.number("flags: "))
	if t.kind == "DELETE" {
		flags &^= 0x02 | 0x04 // the old row or key is not told
	}
	return append(b, d.infobits("infobits"), flags)
}

func mainUpdate(_ *told, d *describedBy) []byte {
	b := le.AppendUint32(nil, uint32(d.number("old_xmax: ")))
	b = le.AppendUint16(b, uint16(d.number("old_off: ")))
	b = append(b, d.infobits("old_infobits"), byte(d.number("flags: "))&^(0x04|0x08))
	b = le.AppendUint32(b, uint32(d.number("new_xmax: ")))
	return le.AppendUint16(b, uint16(d.number("new_off: ")))
}

func mainMultiInsert(_ *told, d *describedBy) []byte {
	b := []byte{byte(d.number("flags: ")), 0}
	b = le.AppendUint16(b, uint16(d.number("ntuples: ")))
	if d.init {
		return b
	}
	return append(b, d.offsets("offsets")...)
}

func (d *describedBy) offsets(name string) []byte {
	var b []byte
	in := d.list(name)
	if in == "" {
		return nil
	}
	for _, w := range strings.Split(in, ", ") {
		for _, n := range strings.Split(w, "->") {
			v, err := strconv.ParseUint(n, 10, 16)
			d.bad = d.bad || err != nil
			b = le.AppendUint16(b, uint16(v))
		}
	}
	return b
}

func mainPrune16(_ *told, d *describedBy) []byte {
	b := le.AppendUint32(nil, uint32(d.number("snapshotConflictHorizon: ")))
	b = le.AppendUint16(b, uint16(d.number("nredirected: ")))
	return le.AppendUint16(b, uint16(d.number("ndead: ")))
}

func mainPrune17(_ *told, d *describedBy) []byte {
	var flags byte
	for name, bit := range map[string]byte{"nplans: ": 0x10, "nredirected: ": 0x20, "ndead: ": 0x40, "nunused: ": 0x80} {
		if strings.Contains(d.text, name) && d.number(name) > 0 {
			flags |= bit
		}
	}
	return []byte{0, flags}
}

// mainCheckpoint restores the head of a checkpoint that ends a server's life: its position and timelines. Its time is not told, and stays zero
// (xlogdesc.c, catalog/pg_control.h).
func mainCheckpoint(_ *told, d *describedBy) []byte {
	redo, err := wal.ParseLSN(d.word("redo "))
	d.bad = d.bad || err != nil
	b := le.AppendUint64(nil, uint64(redo))
	b = le.AppendUint32(b, uint32(d.number("tli ")))
	b = le.AppendUint32(b, uint32(d.number("prev tli ")))
	return append(b, make([]byte, 72-len(b))...)
}

func mainEndOfRecovery(_ *told, d *describedBy) []byte {
	b := le.AppendUint64(nil, d.micros())
	b = le.AppendUint32(b, uint32(d.number("tli ")))
	return le.AppendUint32(b, uint32(d.number("prev tli ")))
}

func mainLevel(_ *told, d *describedBy) []byte {
	return le.AppendUint32(nil, uint32(d.number("level: ")))
}

var filePath = regexp.MustCompile(`(?:base/(\d+)|pg_tblspc/(\d+)/[^/ ]+/(\d+)|global)/(\d+)(_\w+)?`)

// file reads a path such as base/5/16384 (common/relpath.c); fork reports a
// fork beside the main one.
func (d *describedBy) file(m []string) (f wal.RelFile, fork bool) {
	n := func(s string) uint32 {
		v, _ := strconv.ParseUint(s, 10, 32)
		return uint32(v)
	}
	f = wal.RelFile{Spc: 1664, Rel: n(m[4])}
	switch {
	case m[1] != "":
		f.Spc, f.DB = 1663, n(m[1])
	case m[2] != "":
		f.Spc, f.DB = n(m[2]), n(m[3])
	}
	return f, m[5] != ""
}

func appendRel(b []byte, f wal.RelFile) []byte {
	b = le.AppendUint32(b, f.Spc)
	b = le.AppendUint32(b, f.DB)
	return le.AppendUint32(b, f.Rel)
}

func mainCreate(_ *told, d *describedBy) []byte {
	m := filePath.FindStringSubmatch(d.text)
	if m == nil {
		d.bad = true
		return nil
	}
	f, fork := d.file(m)
	n := uint32(0)
	if fork {
		n = 1
	}
	return le.AppendUint32(appendRel(nil, f), n)
}

func mainTruncate(_ *told, d *describedBy) []byte {
	m := filePath.FindStringSubmatch(d.text)
	if m == nil {
		d.bad = true
		return nil
	}
	f, _ := d.file(m)
	b := le.AppendUint32(nil, uint32(d.number("to ")))
	return le.AppendUint32(appendRel(b, f), uint32(d.number("flags ")))
}

var lockText = regexp.MustCompile(`xid (\d+) db (\d+) rel (\d+)`)

func mainLock(_ *told, d *describedBy) []byte {
	all := lockText.FindAllStringSubmatch(d.text, -1)
	b := le.AppendUint32(nil, uint32(len(all)))
	for _, m := range all {
		for _, s := range m[1:] {
			v, err := strconv.ParseUint(s, 10, 32)
			d.bad = d.bad || err != nil
			b = le.AppendUint32(b, uint32(v))
		}
	}
	return b
}

var (
	xactTime = regexp.MustCompile(`\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?[+-]\d\d(?::\d\d)?`)
	xactTwo  = regexp.MustCompile(`^(\d+): `)
	xactGID  = regexp.MustCompile(`^gid (.*): \d{4,}-\d\d-\d\d `)
	xactTop  = regexp.MustCompile(`^xtop (\d+): `)
)

func (d *describedBy) micros() uint64 {
	text := xactTime.FindString(d.text)
	for _, layout := range []string{"2006-01-02 15:04:05Z07", "2006-01-02 15:04:05Z07:00"} {
		if t, err := time.Parse(layout, text); err == nil {
			return uint64(t.Sub(epoch2000).Microseconds())
		}
	}
	d.bad = true
	return 0
}

// part is what follows a name in a transaction's description, up to the next
// semicolon.
func (d *describedBy) part(name string) string {
	_, rest, _ := strings.Cut(d.text, "; "+name+":")
	part, _, _ := strings.Cut(rest, ";")
	return strings.TrimSpace(part)
}

func (d *describedBy) xids(name string) (n uint32, b []byte) {
	for _, w := range strings.Fields(d.part(name)) {
		v, err := strconv.ParseUint(w, 10, 32)
		d.bad = d.bad || err != nil
		b, n = le.AppendUint32(b, uint32(v)), n+1
	}
	return n, b
}

func (d *describedBy) dropped() (n uint32, b []byte) {
	for _, w := range strings.Fields(d.part("rels")) {
		if m := filePath.FindStringSubmatch(w); m != nil {
			f, _ := d.file(m)
			b, n = appendRel(b, f), n+1
		}
	}
	return n, b
}

// mainXact restores xl_xact_commit and xl_xact_abort with the parts that their
// descriptions tell (xactdesc.c).
func mainXact(t *told, d *describedBy) []byte {
	b := le.AppendUint64(nil, d.micros())
	at := len(b)
	if n, xids := d.xids("subxacts"); n > 0 {
		d.extra |= 0x02
		b = append(le.AppendUint32(b, n), xids...)
	}
	if n, rels := d.dropped(); n > 0 {
		d.extra |= 0x04
		b = append(le.AppendUint32(b, n), rels...)
	}
	if m := xactTwo.FindStringSubmatch(d.text); m != nil && strings.HasSuffix(t.kind, "_PREPARED") {
		v, err := strconv.ParseUint(m[1], 10, 32)
		d.bad = d.bad || err != nil
		d.extra |= 0x10
		b = le.AppendUint32(b, uint32(v))
	}
	if d.extra == 0 {
		return b
	}
	return append(le.AppendUint32(b[:at:at], d.extra), b[at:]...)
}

func mainAssignment(_ *told, d *describedBy) []byte {
	m := xactTop.FindStringSubmatch(d.text)
	if m == nil {
		d.bad = true
		return nil
	}
	top, _ := strconv.ParseUint(m[1], 10, 32)
	d.text = "; " + strings.Replace(d.text[len(m[0]):], "subxacts", "subxacts", 1)
	n, xids := d.xids("subxacts")
	return append(le.AppendUint32(le.AppendUint32(nil, uint32(top)), n), xids...)
}

// mainPrepare restores the head of a two-phase state file as far as it is told.
func mainPrepare(t *told, d *describedBy) []byte {
	gid := ""
	if m := xactGID.FindStringSubmatch(d.text); m != nil {
		gid = m[1]
	}
	n, xids := d.xids("subxacts")
	b := le.AppendUint32(make([]byte, 0, 128), 0)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint32(b, t.xid)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint64(b, d.micros())
	b = le.AppendUint32(b, 0)
	b = le.AppendUint32(b, n)
	b = append(b, make([]byte, 22)...) // counts of what is not told (15 and later)
	b = le.AppendUint16(b, uint16(len(gid)+1))
	b = append(b, make([]byte, 16)...)
	b = append(b, gid...)
	b = append(b, make([]byte, 8-len(gid)&7)...)
	return append(b, xids...)
}

// assemble returns the bytes of a record without its header filled in.
func (o *walWriter) assemble(t *told, main []byte) []byte {
	raw := append([]byte(nil), make([]byte, recordHead)...)
	var data []byte
	for i := range t.blocks {
		b := &t.blocks[i]
		same := i > 0 && t.blocks[i-1].rel == b.rel
		flags := b.fork & 0x0f
		var image, imageHead []byte
		if len(b.page) == walPage {
			flags |= 0x10
			image, imageHead = b.image()
		}
		if len(b.data) > 0 {
			flags |= 0x20
		}
		if same {
			flags |= 0x80
		}
		raw = append(raw, b.id, flags)
		raw = le.AppendUint16(raw, uint16(len(b.data)))
		raw = append(raw, imageHead...)
		if !same {
			raw = appendRel(raw, b.rel)
		}
		raw = le.AppendUint32(raw, b.block)
		data = append(append(data, image...), b.data...)
	}
	switch {
	case len(main) > 255:
		raw = le.AppendUint32(append(raw, 254), uint32(len(main)))
	case len(main) > 0:
		raw = append(raw, 255, byte(len(main)))
	}
	return append(append(raw, data...), main...)
}

var packer, _ = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1), zstd.WithSingleSegment(true), zstd.WithEncoderCRC(false))

// image returns an image without the hole of its page, packed where the server
// had packed it, and its header (XLogRecordBlockImageHeader).
func (b *toldBlock) image() (image, head []byte) {
	lower, upper := int(le.Uint16(b.page[12:])), int(le.Uint16(b.page[14:]))
	info := byte(0)
	if strings.Contains(b.info, "APPLY") {
		info |= 2
	}
	hole := 0
	image = b.page
	if strings.Contains(b.info, "HAS_HOLE") && lower >= 24 && lower < upper && upper <= walPage {
		info |= 1
		hole = upper - lower
		image = append(append([]byte(nil), b.page[:lower]...), b.page[upper:]...)
	} else {
		lower = 0
	}
	if b.packed() {
		info |= 0x10
		image = packer.EncodeAll(image, nil)
	}
	head = le.AppendUint16(nil, uint16(len(image)))
	head = le.AppendUint16(head, uint16(lower))
	head = append(head, info)
	if b.packed() && hole > 0 {
		head = le.AppendUint16(head, uint16(hole))
	}
	return image, head
}
