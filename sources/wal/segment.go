package wal

import (
	"context"
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// Segment is one WAL file. TLI and Start say what it really holds by its first page header; for a recycled file that is not what its
// name says.
type Segment struct {
	Name     string `json:"name"`
	TLI      uint32 `json:"tli"`
	Start    LSN    `json:"start"`
	Size     int64  `json:"size"`               // the cluster's segment size in bytes
	Avail    int64  `json:"avail,omitempty"`    // bytes there are, when fewer than Size (a torn copy); 0 means all
	Origin   string `json:"origin,omitempty"`   // folder, server or command, for people
	Recycled bool   `json:"recycled,omitempty"` // old content under a future file name
	Partial  bool   `json:"partial,omitempty"`  // a .partial file: its tail is not final
}

// End returns the position after the segment.
func (s Segment) End() LSN { return s.Start + LSN(s.Size) }

// Source hands out WAL segments. Dir implements it over a folder; drivers implement it over SQL, a restore command or a stream.
type Source interface {
	// List returns the segments there are, in any order; duplicates and recycled ones are allowed.
	List(ctx context.Context) ([]Segment, error)
	// ReadAt returns n bytes of a segment from an offset, fewer only at the end of the file. The result is valid until the next call
	// on this Source.
	ReadAt(ctx context.Context, seg Segment, off int64, n int) ([]byte, error)
}

// HistorySource is an ability of a Source: it can read timeline history files.
type HistorySource interface {
	// Histories returns the content of every NNNNNNNN.history file by its timeline.
	Histories(ctx context.Context) (map[uint32][]byte, error)
}

// IntoReader is an ability of a Source: it reads into a buffer of the caller's, also while another call is under way.
type IntoReader interface {
	// ReadInto is ReadAt of len(b) bytes. ok is false when this segment can only be read by ReadAt.
	ReadInto(ctx context.Context, seg Segment, off int64, b []byte) (n int, ok bool, err error)
}

// ParseSegmentName reads a segment's file name (24 hex digits, access/xlog_internal.h XLogFileName) and returns timeline and start
// position by name alone. ok is false for any other name.
func ParseSegmentName(name string, size int64) (tli uint32, start LSN, ok bool) {
	if len(name) != 24 || !validSegmentSize(size) {
		return 0, 0, false
	}
	t, err1 := strconv.ParseUint(name[:8], 16, 32)
	hi, err2 := strconv.ParseUint(name[8:16], 16, 32)
	lo, err3 := strconv.ParseUint(name[16:], 16, 32)
	if err1 != nil || err2 != nil || err3 != nil || int64(lo) >= (1<<32)/size {
		return 0, 0, false
	}
	return uint32(t), LSN(hi<<32) + LSN(int64(lo)*size), true
}

// SegmentName returns the file name of the segment of a timeline that starts at a position.
func SegmentName(tli uint32, start LSN, size int64) string {
	per := uint64(1<<32) / uint64(size)
	n := uint64(start) / uint64(size)
	return fmt.Sprintf("%08X%08X%08X", tli, n/per, n%per)
}

// SegmentFrom describes a WAL file from its name and its first 40 bytes or more. It is how every driver builds its list: the
// address and size come from the page, the name only tells whether the file was recycled. Errors wrap ErrPage: the file is empty, zeros
// (prepared for the future) or no WAL.
func SegmentFrom(name string, head []byte, origin string) (Segment, error) {
	h, err := DecodePageHeader(head)
	if err != nil {
		return Segment{}, fmt.Errorf("segment %s: %w", name, err)
	}
	size := int64(h.SegmentSize)
	if size == 0 || int64(h.Addr)%size != 0 {
		return Segment{}, fmt.Errorf("segment %s: %w: does not begin a segment", name, ErrPage)
	}
	base, partial := strings.CutSuffix(name, ".partial")
	tli, start, ok := ParseSegmentName(base, size)
	s := Segment{Name: name, TLI: h.TLI, Start: h.Addr, Size: size, Origin: origin, Partial: partial}
	switch {
	case !ok:
	case start != h.Addr:
		s.Recycled = true
	default:
		// The first segment of a new timeline begins with pages copied from the old one: the name knows better.
		s.TLI = max(tli, h.TLI)
	}
	return s, nil
}

// betterSegment orders two files that hold the same segment: whole before partial, named before recycled.
func betterSegment(a, b Segment) bool {
	if a.Recycled != b.Recycled {
		return !a.Recycled
	}
	if a.Partial != b.Partial {
		return !a.Partial
	}
	return a.avail() > b.avail()
}

func (s Segment) avail() int64 {
	if s.Avail > 0 && s.Avail < s.Size {
		return s.Avail
	}
	return s.Size
}

type segmentKey struct {
	tli   uint32
	start LSN
}

// distinct keeps the best file of every (timeline, start), sorted by start, then timeline.
func distinct(segs []Segment) []Segment {
	best := map[segmentKey]Segment{}
	for _, s := range segs {
		k := segmentKey{s.TLI, s.Start}
		if old, ok := best[k]; !ok || betterSegment(s, old) {
			best[k] = s
		}
	}
	out := make([]Segment, 0, len(best))
	for _, s := range best {
		out = append(out, s)
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].Start != out[j].Start {
			return out[i].Start < out[j].Start
		}
		return out[i].TLI < out[j].TLI
	})
	return out
}
