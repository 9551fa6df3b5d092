package wal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// Dir is a Source over a folder of WAL files: a copy of pg_wal or an archive, plain or packed as .gz, .zst or .lz4, with .partial files
// and duplicates. Only ReadInto is safe for concurrent use; Close it.
type Dir struct {
	path   string
	files  map[string]string // segment name to path
	mu     sync.Mutex
	open   map[string]*os.File
	order  []string
	buf    []byte
	done   bool
	packed unpacker
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
	return &Dir{path: path, files: map[string]string{}, open: map[string]*os.File{}, packed: unpacker{limit: unpackedBytes}}, nil
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
	d.packed.expect(out)
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

// ReadInto implements IntoReader. Of a packed segment the whole is unpacked and kept for the next call.
func (d *Dir) ReadInto(_ context.Context, seg Segment, off int64, b []byte) (n int, ok bool, err error) {
	if _, ext := stripPacking(seg.Name); ext != "" {
		n, err = d.packed.read(d.path, seg, off, b)
		return n, true, err
	}
	for {
		f, err := d.file(seg.Name)
		if err != nil {
			return 0, true, err
		}
		n, err = f.ReadAt(b, off)
		switch {
		case errors.Is(err, os.ErrClosed): // to open another, a moment ago
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return n, true, fmt.Errorf("read segment %s: %w", seg.Name, err)
		}
		return n, true, nil
	}
}

// ReadAt implements Source.
func (d *Dir) ReadAt(ctx context.Context, seg Segment, off int64, n int) ([]byte, error) {
	if cap(d.buf) < n {
		d.buf = make([]byte, n)
	}
	got, _, err := d.ReadInto(ctx, seg, off, d.buf[:n])
	return d.buf[:got], err
}

func (d *Dir) file(name string) (*os.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.open[name]; f != nil {
		return f, nil
	}
	if d.done {
		return nil, errors.New("the folder's source was closed")
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

// Close closes the files that are open.
func (d *Dir) Close() error {
	d.packed.close()
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for _, f := range d.open {
		errs = append(errs, f.Close())
	}
	d.open, d.order, d.done = map[string]*os.File{}, nil, true
	return errors.Join(errs...)
}
