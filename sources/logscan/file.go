package logscan

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"

	"inquest/sources"
)

// packing is how a file is compressed, told by its first bytes.
type packing string

const (
	plain packing = ""
	gz    packing = "gzip"
	zst   packing = "zstd"
	xzip  packing = "xz"
	bz2   packing = "bzip2"
	lz    packing = "lz4"
)

// magics are the first bytes of what may be met. Packings that are none of ours
// are named so that the message can say what the file is.
var magics = []struct {
	bytes string
	is    packing
	other string
}{
	{"\x1f\x8b", gz, ""},
	{"\x28\xb5\x2f\xfd", zst, ""},
	{"\xfd7zXZ\x00", xzip, ""},
	{"BZh", bz2, ""},
	{"\x04\x22\x4d\x18", lz, ""},
	{"PK\x03\x04", "", "a zip archive"},
	{"\x7fELF", "", "a program"},
	{"%PDF-", "", "a PDF document"},
	{"SQLite format 3\x00", "", "an SQLite database"},
	{"\x89PNG", "", "a picture"},
	{"\xff\xfe", "", "UTF-16 text"},
	{"\xfe\xff", "", "UTF-16 text"},
	{"LPKSHHRH", "", "a systemd journal"},
}

// File is one file of a Log.
type File struct {
	Path    string // what people know it by
	Size    int64
	ModTime time.Time
	Mode    fs.FileMode
	// Hole is why the stretch between the file before and this one is not
	// covered, such as a rotation that is missing; empty when it is.
	Hole string
	// At returns where the bytes are, when that is not Path: an entry of an
	// archive that was unpacked. An error is best a *sources.Blind.
	At func(ctx context.Context) (string, error)
	// Label is how positions name the file; empty: the last part of Path.
	Label string
}

// NewFile returns a file of the disk.
func NewFile(path string, st fs.FileInfo) *File {
	return &File{Path: path, Size: st.Size(), ModTime: st.ModTime(), Mode: st.Mode()}
}

func (m *File) base() string {
	if m.Label != "" {
		return m.Label
	}
	return filepath.Base(m.Path)
}

// LogLike reports whether a file's name alone says that it is a log.
func LogLike(name string) bool {
	n := strings.ToLower(name)
	return strings.Contains(n, "log") || strings.HasSuffix(n, ".json") || strings.HasSuffix(n, ".csv") || strings.HasSuffix(n, ".out") || strings.HasSuffix(n, ".err")
}

// Binary reports whether the first bytes of a file are those of no text, which
// may be compressed. A file that cannot be read is not called binary, so that its own message can be told.
func Binary(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 4096)
	n, _ := io.ReadFull(f, head)
	return BinaryBytes(head[:n])
}

// BinaryBytes is Binary for bytes that were read already.
func BinaryBytes(head []byte) bool {
	p, err := packingOf(head)
	return err != nil || (p == plain && notText(head) != "")
}

// Unpack returns the plain content of r, whatever it is compressed with.
// Closing it releases the decoder and not r.
func Unpack(r io.Reader) (io.ReadCloser, error) {
	b := bufio.NewReaderSize(r, 256<<10)
	head, err := b.Peek(16)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read: %w", err)
	}
	p, err := packingOf(head)
	if err != nil {
		return nil, fmt.Errorf("it is %w", err)
	}
	return unpack(b, p)
}

// content is an open file as it was found then.
type content struct {
	*os.File
	packing packing
	size    int64
	mtime   time.Time
}

// open opens the file and tells how it is packed. The error is a *sources.Blind.
func (m *File) open(ctx context.Context) (*content, error) {
	path := m.Path
	if m.At != nil {
		var err error
		if path, err = m.At(ctx); err != nil {
			return nil, blind(m.Path, err)
		}
	}
	if !m.Mode.IsRegular() {
		return nil, &sources.Blind{Why: fmt.Sprintf("log %s is no regular file (%s)", m.Path, m.Mode.Type()), Opens: "copy its content to a file first"}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, openError(m.Path, err)
	}
	c := &content{File: f, size: m.Size, mtime: m.ModTime}
	if st, err := f.Stat(); err == nil {
		c.size, c.mtime = st.Size(), st.ModTime()
	}
	head := make([]byte, 64)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		f.Close()
		return nil, &sources.Blind{Why: fmt.Sprintf("log %s: read: %v", m.Path, err)}
	}
	if c.packing, err = packingOf(head[:n]); err != nil {
		f.Close()
		return nil, &sources.Blind{Why: fmt.Sprintf("log %s is %v, not a log", m.Path, err), Opens: "unpack or convert it to text first"}
	}
	return c, nil
}

func openError(path string, err error) error {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		return Missing(path, err)
	}
	return &sources.Blind{Why: fmt.Sprintf("log %s: open: %v", path, err)}
}

// Missing is the *sources.Blind of a file that is not there or must not be read.
func Missing(path string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return &sources.Blind{Why: fmt.Sprintf("log %s: permission denied", path), Opens: "run as a user who may read it, or copy it first"}
	}
	return &sources.Blind{Why: fmt.Sprintf("log %s: no such file or folder", path), Opens: "check the path given with --logs"}
}

func packingOf(head []byte) (packing, error) {
	for _, g := range magics {
		if bytes.HasPrefix(head, []byte(g.bytes)) {
			if g.other != "" {
				return "", errors.New(g.other)
			}
			return g.is, nil
		}
	}
	return plain, nil
}

// notText says why a text's first bytes are none, or "". A run of NULs at the
// very start is what log rotation by copying and truncating leaves.
func notText(head []byte) string {
	head = bytes.TrimLeft(head, "\x00")
	if len(head) == 0 {
		return "nothing but NUL bytes"
	}
	nul, control := 0, 0
	for _, c := range head {
		switch {
		case c == 0:
			nul++
		case c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != 0x1b && c != '\b' && c != '\f':
			control++
		}
	}
	switch {
	case nul*200 > len(head):
		return fmt.Sprintf("binary: %d NUL bytes in its first %d", nul, len(head))
	case control*10 > len(head):
		return fmt.Sprintf("binary: %d control characters in its first %d bytes", control, len(head))
	}
	return ""
}

// counter counts the bytes read from a file, for progress.
type counter struct {
	r io.Reader
	n atomic.Int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n.Add(int64(n))
	return n, err
}

// unpack returns the plain content of a compressed file; closing releases the
// decoder and not the file.
func unpack(r io.Reader, p packing) (io.ReadCloser, error) {
	r = bufio.NewReaderSize(r, 256<<10)
	switch p {
	case gz:
		return gzip.NewReader(r)
	case zst:
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(512<<20))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	case xzip:
		d, err := xz.NewReader(r)
		return io.NopCloser(d), err
	case bz2:
		return io.NopCloser(bzip2.NewReader(r)), nil
	case lz:
		return io.NopCloser(lz4.NewReader(r)), nil
	}
	return io.NopCloser(r), nil
}
