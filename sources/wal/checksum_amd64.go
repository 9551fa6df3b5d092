package wal

import (
	"encoding/binary"

	"golang.org/x/sys/cpu"
)

// crcInstruction tells that this processor has CRC32 (SSE 4.2).
var crcInstruction = cpu.X86.HasSSE42

// sums checks the records that begin at n places of a page, as crcOK does, and returns 0 when all are right. Every record is at least
// RecordHeaderSize long and lies whole in the memory from page on. One call for many records, because the processor then works on
// several of them at once.
//
//go:noescape
func sums(page *byte, at *uint32, n int) uint32

// allOK reports that no checksum is wrong.
func allOK(page []byte, at []uint32) bool {
	if !crcInstruction {
		return false // one by one
	}
	for len(at) > 0 {
		n := 0
		for n < len(at) && binary.LittleEndian.Uint32(page[at[n]:]) < longRecord {
			n++
		}
		if n > 0 && sums(&page[0], &at[0], n) != 0 {
			return false
		}
		for ; n < len(at) && binary.LittleEndian.Uint32(page[at[n]:]) >= longRecord; n++ {
			raw := page[at[n]:]
			if !crcOK(raw[:binary.LittleEndian.Uint32(raw)]) {
				return false
			}
		}
		at = at[n:]
	}
	return true
}
