package wal

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// unpackedBytes is how many bytes of unpacked segments are kept, one segment at least. The next one is unpacked ahead when both fit.
const unpackedBytes = 64 << 20

var packed = []string{".gz", ".zst", ".lz4"}

func stripPacking(name string) (base, ext string) {
	for _, e := range packed {
		if b, ok := strings.CutSuffix(name, e); ok {
			return b, e
		}
	}
	return name, ""
}

func unpack(f io.Reader, ext string) (io.Reader, func(), error) {
	switch ext {
	case ".gz":
		z, err := gzip.NewReader(f)
		return z, func() {}, err
	case ".zst":
		z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(1<<30))
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	case ".lz4":
		return lz4.NewReader(f), func() {}, nil
	}
	return f, func() {}, nil
}

func readUnpacked(path, ext string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, done, err := unpack(f, ext)
	if err != nil {
		return nil, err
	}
	defer done()
	return io.ReadAll(io.LimitReader(r, 1<<20))
}

// unpacker keeps the bytes of packed segments that were asked for last. Several may ask at once.
type unpacker struct {
	mu    sync.Mutex
	limit int64              // of bytes
	kept  []*unpacked        // oldest first
	after map[string]Segment // by name: the packed segment that follows one
}

// unpacked is a segment that is being unpacked, or was.
type unpacked struct {
	name string
	size int64
	done chan struct{}
	data []byte
	err  error
	uses int
}

// expect learns which segments follow one another.
func (u *unpacker) expect(list []Segment) {
	list = slices.DeleteFunc(slices.Clone(list), func(s Segment) bool { _, ext := stripPacking(s.Name); return ext == "" })
	list = distinct(list)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.after = map[string]Segment{}
	for i := 1; i < len(list); i++ {
		u.after[list[i-1].Name] = list[i]
	}
}

// read copies bytes of a segment. When they are asked for from its inside, in order, the next segment is begun as well.
func (u *unpacker) read(dir string, seg Segment, off int64, b []byte) (int, error) {
	u.mu.Lock()
	p := u.get(dir, seg)
	p.uses++
	if next, ok := u.after[seg.Name]; ok && off >= seg.Size/4 && seg.Size+next.Size <= u.limit {
		u.get(dir, next)
	}
	u.mu.Unlock()
	<-p.done
	n := 0
	if p.err == nil && off < int64(len(p.data)) {
		n = copy(b, p.data[off:])
	}
	u.mu.Lock()
	p.uses--
	u.mu.Unlock()
	return n, p.err
}

// get returns a segment's entry, which is made if there is none.
func (u *unpacker) get(dir string, seg Segment) *unpacked {
	if i := slices.IndexFunc(u.kept, func(p *unpacked) bool { return p.name == seg.Name }); i >= 0 {
		return u.kept[i]
	}
	size := seg.Size
	for _, p := range u.kept {
		size += p.size
	}
	var room []byte
	for i := 0; i < len(u.kept) && size > u.limit; {
		p := u.kept[i]
		if p.uses > 0 || !p.ready() {
			i++
			continue
		}
		size -= p.size
		room, u.kept = p.data, slices.Delete(u.kept, i, i+1)
	}
	p := &unpacked{name: seg.Name, size: seg.Size, done: make(chan struct{})}
	u.kept = append(u.kept, p)
	go func() {
		defer close(p.done)
		p.data, p.err = unpackSegment(dir, seg, room[:0])
	}()
	return p
}

func (p *unpacked) ready() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// close waits for what is under way, and forgets all.
func (u *unpacker) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, p := range u.kept {
		<-p.done
	}
	u.kept = nil
}

// unpackSegment returns the bytes of a packed segment, in room when they fit; a damaged archive gives what could be unpacked before the
// damage.
func unpackSegment(dir string, seg Segment, room []byte) ([]byte, error) {
	f, err := os.Open(filepath.Join(dir, seg.Name))
	if err != nil {
		return nil, fmt.Errorf("open segment: %w", err)
	}
	defer f.Close()
	_, ext := stripPacking(seg.Name)
	r, done, err := unpack(f, ext)
	if err != nil {
		return nil, fmt.Errorf("unpack segment %s: %w", seg.Name, err)
	}
	defer done()
	b := bytes.NewBuffer(slices.Grow(room, int(min(seg.Size, unpackedBytes))+bytes.MinRead))
	_, err = io.Copy(b, io.LimitReader(r, seg.Size))
	if b.Len() == 0 && err != nil {
		return nil, fmt.Errorf("unpack segment %s: %w", seg.Name, err)
	}
	return b.Bytes(), nil
}
