package wal

import (
	"bytes"
	"context"
)

// What a Skimmer returns of every page: bytes before its start and from its start on, so that patterns which a page header splits are found
// here.
const (
	SkimBefore = 24
	SkimAfter  = longHeader + SkimBefore
)

// Pattern is a byte string that is looked for, at most SkimBefore bytes long. Where a bit of Any is set the byte at that index may be any.
type Pattern struct {
	Bytes []byte
	Any   uint32
}

// In reports whether the pattern stands somewhere in b.
func (p Pattern) In(b []byte) bool {
	if p.Any == 0 {
		return bytes.Contains(b, p.Bytes)
	}
	for len(b) >= len(p.Bytes) {
		i := bytes.IndexByte(b[:len(b)-len(p.Bytes)+1], p.Bytes[0])
		if i < 0 {
			return false
		}
		if p.at(b[i:]) {
			return true
		}
		b = b[i+1:]
	}
	return false
}

func (p Pattern) at(b []byte) bool {
	for i, c := range p.Bytes {
		if p.Any>>i&1 == 0 && b[i] != c {
			return false
		}
	}
	return true
}

// Stretch is a part of a segment in whole pages.
type Stretch struct {
	Segment  Segment
	From, To int64 // offsets in the segment
}

// Skimmed is what a Skimmer says of a stretch.
type Skimmed struct {
	Stretch
	Hit bool // one of the patterns is in it, or the first SkimBefore bytes before it
	// Heads are SkimBefore+SkimAfter bytes of every page, but for the segment's first, which lacks those before it.
	Heads []byte
	Tail  []byte // the last SkimBefore bytes
}

// Skimmer is an ability of a Source: it looks for byte strings where the WAL lies, so that only what matters has to travel.
type Skimmer interface {
	// Skim looks for the patterns. It may cut stretches up and answer in any order; what it leaves out counts as hit. heads asks for Heads
	// and Tail.
	Skim(ctx context.Context, parts []Stretch, patterns []Pattern, heads bool) ([]Skimmed, error)
}
