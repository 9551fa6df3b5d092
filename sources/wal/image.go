package wal

import (
	"fmt"
	"iter"
	"sync"

	"github.com/klauspost/compress/zstd"

	"inquest/sources/heap"
)

// One decoder serves all images: DecodeAll may be called concurrently.
var zstdDecoder = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(1<<20))
})

// Restore returns the page of an image: decompressed, with the hole filled with zeros. It always has heap.PageSize bytes. Errors wrap
// ErrRecord.
func (im Image) Restore() ([]byte, error) { return im.restore(nil) }

// restore is Restore into a buffer of heap.PageSize bytes, or into a new one.
func (im Image) restore(page []byte) ([]byte, error) {
	want := heap.PageSize - im.HoleLength
	raw, err := im.expand(want)
	if err != nil || len(raw) != want {
		return nil, fmt.Errorf("%w: image of %d bytes, want %d: %w", ErrRecord, len(raw), want, errOr(err))
	}
	if page == nil {
		page = make([]byte, heap.PageSize)
	}
	copy(page, raw[:im.HoleOffset])
	clear(page[im.HoleOffset : im.HoleOffset+im.HoleLength])
	copy(page[im.HoleOffset+im.HoleLength:], raw[im.HoleOffset:])
	return page, nil
}

func errOr(err error) error {
	if err == nil {
		return ErrRecord
	}
	return err
}

func (im Image) expand(want int) ([]byte, error) {
	if im.HoleOffset > want {
		return nil, fmt.Errorf("hole at %d of %d bytes", im.HoleOffset, want)
	}
	switch im.Method {
	case "pglz":
		return heap.DecompressPGLZ(im.Bytes, want)
	case "lz4":
		return heap.DecompressLZ4(im.Bytes, want)
	case "zstd":
		dec, err := zstdDecoder()
		if err != nil {
			return nil, err
		}
		return dec.DecodeAll(im.Bytes, make([]byte, 0, want))
	}
	return im.Bytes, nil
}

// heapImages are the heap pages that a record holds whole, of the files that are wanted. One that cannot be read is passed over.
func (r *Record) heapImages(wanted func(RelFile) bool) iter.Seq2[*Block, *heap.Page] {
	return func(yield func(*Block, *heap.Page) bool) {
		for i := range r.Blocks {
			b := &r.Blocks[i]
			if !b.HasImage || b.Fork != 0 || !wanted(b.Rel) {
				continue
			}
			raw, err := b.Image.Restore()
			if err != nil {
				continue
			}
			if p, err := heap.DecodePage(raw); err != nil || !p.IsHeap() {
				continue
			} else if !yield(b, &p) {
				return
			}
		}
	}
}
