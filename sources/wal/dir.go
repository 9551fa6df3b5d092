package wal

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// Dir is a Source over a folder of WAL files: a copy of pg_wal or an archive, plain or packed as .gz, .zst or .lz4, with .partial files
// and duplicates. Only ReadInto is safe for concurrent use; Close it.
type Dir struct {
	path  string
	files map[string]string // segment name to path
	mu    sync.Mutex
	open  map[string]*os.File
	order []string
	buf   []byte
	name  string // whose unpacked bytes are in data
	data  []byte
	// Skipped lists the files that look like segments by name but could not be used, with the reason.
	Skipped []string
}

// OpenDir returns a Source over a folder. Files are found when List is called.
func OpenDir(path string) (*Dir, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open wal folder: %w", err)
	}
	if !st.IsDir() {
		return nil, fmt.Errorf("open wal folder %s: not a folder", path)
	}
	return &Dir{path: path, files: map[string]string{}, open: map[string]*os.File{}}, nil
}

var packed = []string{".gz", ".zst", ".lz4"}

func stripPacking(name string) (base, ext string) {
	for _, e := range packed {
		if b, ok := strings.CutSuffix(name, e); ok {
			return b, e
		}
	}
	return name, ""
}

// List implements Source. A file that is no segment by name is passed over; one that is but cannot be read is named in Skipped.
func (d *Dir) List(ctx context.Context) ([]Segment, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, fmt.Errorf("list wal folder: %w", err)
	}
	d.Skipped = d.Skipped[:0]
	var out []Segment
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		base, ext := stripPacking(e.Name())
		plain := strings.TrimSuffix(base, ".partial")
		if _, _, ok := ParseSegmentName(plain, 1<<20); e.IsDir() || !ok && !isHex24(plain) {
			continue
		}
		s, err := d.inspect(e.Name(), base, ext)
		if err != nil {
			d.Skipped = append(d.Skipped, fmt.Sprintf("%s: %v", e.Name(), err))
			continue
		}
		out = append(out, s)
	}
	return out, nil
}

func isHex24(s string) bool {
	return len(s) == 24 && strings.Trim(s, "0123456789ABCDEFabcdef") == ""
}

func (d *Dir) inspect(file, base, ext string) (Segment, error) {
	path := filepath.Join(d.path, file)
	f, err := os.Open(path)
	if err != nil {
		return Segment{}, err
	}
	defer f.Close()
	r, done, err := unpack(f, ext)
	if err != nil {
		return Segment{}, err
	}
	defer done()
	head := make([]byte, longHeader)
	if _, err := io.ReadFull(r, head); err != nil {
		return Segment{}, fmt.Errorf("read page header: %w", err)
	}
	s, err := SegmentFrom(base, head, d.path)
	if err != nil {
		return s, err
	}
	if st, err := f.Stat(); err == nil && ext == "" {
		s.Avail = st.Size()
	}
	s.Name = file
	d.files[file] = path
	return s, nil
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

// ReadInto implements IntoReader.
func (d *Dir) ReadInto(_ context.Context, seg Segment, off int64, b []byte) (n int, ok bool, err error) {
	if _, ext := stripPacking(seg.Name); ext != "" {
		return 0, false, nil
	}
	f, err := d.file(seg.Name)
	if err != nil {
		return 0, true, err
	}
	n, err = f.ReadAt(b, off)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("read segment %s: %w", seg.Name, err)
	}
	return n, true, err
}

// ReadAt implements Source.
func (d *Dir) ReadAt(_ context.Context, seg Segment, off int64, n int) ([]byte, error) {
	if _, ext := stripPacking(seg.Name); ext != "" {
		return d.readPacked(seg, ext, off, n)
	}
	f, err := d.file(seg.Name)
	if err != nil {
		return nil, err
	}
	if cap(d.buf) < n {
		d.buf = make([]byte, n)
	}
	got, err := f.ReadAt(d.buf[:n], off)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read segment %s: %w", seg.Name, err)
	}
	return d.buf[:got], nil
}

func (d *Dir) file(name string) (*os.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.open[name]; f != nil {
		return f, nil
	}
	f, err := os.Open(filepath.Join(d.path, name))
	if err != nil {
		return nil, fmt.Errorf("open segment: %w", err)
	}
	if len(d.order) >= 8 {
		d.open[d.order[0]].Close()
		delete(d.open, d.order[0])
		d.order = d.order[1:]
	}
	d.open[name], d.order = f, append(d.order, name)
	return f, nil
}

func (d *Dir) readPacked(seg Segment, ext string, off int64, n int) ([]byte, error) {
	if d.name != seg.Name {
		if err := d.unpackAll(seg, ext); err != nil {
			return nil, err
		}
	}
	if off >= int64(len(d.data)) {
		return nil, nil
	}
	return d.data[off:min(off+int64(n), int64(len(d.data)))], nil
}

// unpackAll keeps one unpacked segment; a damaged archive gives what could be unpacked before the damage.
func (d *Dir) unpackAll(seg Segment, ext string) error {
	f, err := os.Open(filepath.Join(d.path, seg.Name))
	if err != nil {
		return fmt.Errorf("open segment: %w", err)
	}
	defer f.Close()
	r, done, err := unpack(f, ext)
	if err != nil {
		return fmt.Errorf("unpack segment %s: %w", seg.Name, err)
	}
	defer done()
	b := bytes.NewBuffer(d.data[:0])
	_, err = io.Copy(b, io.LimitReader(r, seg.Size))
	if b.Len() == 0 && err != nil {
		return fmt.Errorf("unpack segment %s: %w", seg.Name, err)
	}
	d.data, d.name = b.Bytes(), seg.Name
	return nil
}

// Histories implements HistorySource.
func (d *Dir) Histories(_ context.Context) (map[uint32][]byte, error) {
	out := map[uint32][]byte{}
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, fmt.Errorf("list wal folder: %w", err)
	}
	for _, e := range entries {
		base, ext := stripPacking(e.Name())
		name, ok := strings.CutSuffix(base, ".history")
		tli, err := strconv.ParseUint(name, 16, 32)
		if !ok || err != nil || len(name) != 8 {
			continue
		}
		b, err := readUnpacked(filepath.Join(d.path, e.Name()), ext)
		if err != nil {
			d.Skipped = append(d.Skipped, fmt.Sprintf("%s: %v", e.Name(), err))
			continue
		}
		out[uint32(tli)] = b
	}
	return out, nil
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

// Close closes the files that are open.
func (d *Dir) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for _, f := range d.open {
		errs = append(errs, f.Close())
	}
	d.open, d.order, d.data, d.name = map[string]*os.File{}, nil, nil, ""
	return errors.Join(errs...)
}
