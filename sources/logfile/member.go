package logfile

import (
	"bufio"
	"bytes"
	"compress/bzip2"
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

// member is one file of a stream.
type member struct {
	path     string
	size     int64
	mtime    time.Time
	mode     fs.FileMode
	rotation rotation
}

func newMember(path string, st fs.FileInfo) *member {
	return &member{path: path, size: st.Size(), mtime: st.ModTime(), mode: st.Mode()}
}

func (m *member) base() string { return filepath.Base(m.path) }

// logLike reports whether the name alone says that the file is a log.
func (m *member) logLike() bool {
	n := strings.ToLower(m.base())
	return strings.Contains(n, "log") || strings.HasSuffix(n, ".json") || strings.HasSuffix(n, ".csv") || strings.HasSuffix(n, ".out") || strings.HasSuffix(n, ".err")
}

// looksBinary reads the first bytes; a file that cannot be read is not called
// binary, so that its own message can be told.
func (m *member) looksBinary() bool {
	f, err := os.Open(m.path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 4096)
	n, _ := io.ReadFull(f, head)
	p, err := packingOf(head[:n])
	return err != nil || (p == plain && binary(head[:n]) != "")
}

// content is an open file as it was found then.
type content struct {
	*os.File
	packing packing
	size    int64
	mtime   time.Time
}

// open opens the file and tells how it is packed. The error is a *sources.Blind.
func (m *member) open() (*content, error) {
	if !m.mode.IsRegular() {
		return nil, &sources.Blind{Why: fmt.Sprintf("log %s is no regular file (%s)", m.path, m.mode.Type()), Opens: "copy its content to a file first"}
	}
	f, err := os.Open(m.path)
	if err != nil {
		return nil, openError(m.path, err)
	}
	c := &content{File: f, size: m.size, mtime: m.mtime}
	if st, err := f.Stat(); err == nil {
		c.size, c.mtime = st.Size(), st.ModTime()
	}
	head := make([]byte, 64)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		f.Close()
		return nil, &sources.Blind{Why: fmt.Sprintf("log %s: read: %v", m.path, err)}
	}
	if c.packing, err = packingOf(head[:n]); err != nil {
		f.Close()
		return nil, &sources.Blind{Why: fmt.Sprintf("log %s is %v, not a log", m.path, err), Opens: "unpack or convert it to text first"}
	}
	return c, nil
}

func openError(path string, err error) error {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		return missing(path, err)
	}
	return &sources.Blind{Why: fmt.Sprintf("log %s: open: %v", path, err)}
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

// binary says why a text's first bytes are none, or "". A run of NULs at the
// very start is what log rotation by copying and truncating leaves.
func binary(head []byte) string {
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
