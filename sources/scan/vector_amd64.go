package scan

import "golang.org/x/sys/cpu"

// vectors tells that this processor has what pass needs.
var vectors = cpu.X86.HasAVX2

// pass tests the n places from b on, n being a multiple of 64, and returns the
// offset of the first 64 of which some pass with a bit for each of those, or n and no
// bit. It reads b[0 : n+at[k]] and not a byte more, for the deepest of the places.
//
//go:noescape
func pass(b *byte, n int, at *[tested]int, tables *[tested][32]byte) (skip int, mask uint64)

// ends writes a word for each 64 bytes of the n from b on, n being a multiple
// of 64: a bit for each newline, the first byte's the lowest.
//
//go:noescape
func ends(out *uint64, b *byte, n int)
