package wal

import "encoding/binary"

// firstRel reads the relation of a record's first block reference without decoding the record.
func firstRel(r *Record) (RelFile, bool) {
	at := relAt(r.Raw, r.Magic)
	if at == 0 {
		return RelFile{}, false
	}
	le := binary.LittleEndian
	return RelFile{le.Uint32(r.Raw[at:]), le.Uint32(r.Raw[at+4:]), le.Uint32(r.Raw[at+8:])}, true
}

// relAt returns where in a record the relation of its first block reference stands, 0 when it has none.
func relAt(raw []byte, magic uint16) int {
	if len(raw) < RecordHeaderSize+20 || raw[RecordHeaderSize] > 32 {
		return 0
	}
	flags, at := raw[RecordHeaderSize+1], RecordHeaderSize+4
	if flags&0x10 != 0 {
		info := raw[RecordHeaderSize+8]
		at += 5
		packed := info & 0x1c
		if magic < magic15 {
			packed = info & 2
		}
		if info&1 != 0 && packed != 0 {
			at += 2
		}
	}
	if flags&0x80 != 0 || len(raw) < at+16 {
		return 0
	}
	return at
}
