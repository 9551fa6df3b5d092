package scan

import "golang.org/x/sys/cpu"

// vectors tells that this processor has what pass and ends need.
var vectors = cpu.X86.HasAVX2 && cpu.X86.HasBMI1 && cpu.X86.HasPOPCNT

// pass tests the n places from b on, n being a multiple of 64, and returns the
// offset of the first 64 of which some pass with a bit for each of those, or n and no
// bit. It reads b[0 : n+at[k]] and not a byte more, for the deepest of the places.
//
//go:noescape
func pass(b *byte, n int, at *[tested]int, tables *[tested][32]byte) (skip int, mask uint64)

// ends writes the offsets of the newlines among the n bytes from b on, n being a
// multiple of 64 and at most 65536, and returns how many there are. It may write two more.
//
//go:noescape
func ends(out *uint16, b *byte, n int) (count int)
