package wal

import (
	"encoding/binary"
	"hash/crc32"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// longRecord is the length from which hash/crc32 is faster: it works on three parts of a long text at once.
const longRecord = 1024

// crcOK checks a record's CRC-32C: over what follows the header, then the header up to the CRC (access/xlogrecord.h).
func crcOK(raw []byte) bool {
	c := crc32.Update(0, castagnoli, raw[RecordHeaderSize:])
	c = crc32.Update(c, castagnoli, raw[:20])
	return c == binary.LittleEndian.Uint32(raw[20:])
}

// firstBad checks the records that begin at some places of a page, each of which lies on it whole. It returns the index of the first
// whose checksum is wrong, or their number.
func firstBad(page []byte, at []uint32) int {
	if allOK(page, at) {
		return len(at)
	}
	for i, a := range at {
		raw := page[a:]
		if !crcOK(raw[:binary.LittleEndian.Uint32(raw)]) {
			return i
		}
	}
	return len(at)
}
