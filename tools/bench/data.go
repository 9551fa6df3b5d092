package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// store makes data in the scratch folder when a row first asks for it. The
// same scale gives the same bytes in every run.
type store struct {
	dir   string
	scale float64
	say   func(format string, args ...any)

	walServer *cluster // made when first needed
}

func (s *store) path(name string) string { return filepath.Join(s.dir, name) }

// bytes is a full size scaled down.
func (s *store) bytes(full int64) int64 { return max(int64(float64(full)*s.scale), 1<<20) }

// set is a kind of made log.
type set struct {
	name  string
	size  int64 // in full
	lines int   // mean bytes of a line, to spread them over the day
	write writer
}

const mb = int64(1_000_000)

var (
	jsonSet    = set{"app.log", 2000 * mb, 241, writeJSON}
	accessSet  = set{"access.log", 1000 * mb, 195, writeAccess}
	csvSet     = set{"postgresql.csv", 500 * mb, 295, writeCSV}
	jsonlogSet = set{"postgresql.json", 500 * mb, 480, writeJSONLog}
	logfmtSet  = set{"logfmt.log", 500 * mb, 180, writeLogfmt}
	syslogSet  = set{"syslog", 500 * mb, 150, writeSyslog}
)

// file returns the path of a set, made when it is not there yet.
func (s *store) file(ctx context.Context, t set) (string, error) {
	p := s.path(t.name)
	size := s.bytes(t.size)
	f := newFeed(uint64(len(t.name)), dayStart, daySpan, size/int64(t.lines))
	return p, s.make(ctx, p, func(w io.Writer) error { return fill(ctx, w, f, t.write, size) })
}

// ugly returns a file of all that makes real ones worse.
func (s *store) ugly(ctx context.Context) (string, error) {
	p := s.path("ugly.log")
	size := s.bytes(500 * mb)
	f := newFeed(77, dayStart, daySpan, size/400)
	f.every = 2000
	u := &ugly{f: f}
	return p, s.make(ctx, p, func(w io.Writer) error { return fill(ctx, w, f, u.write, size) })
}

const parts = 8

// rotated returns the eight rotations of one day, oldest first, packed by pack.
func (s *store) rotated(ctx context.Context, ext string) ([]string, error) {
	var out []string
	size := s.bytes(250 * mb)
	span := daySpan / parts
	for i := range parts {
		name := filepath.Join("rotated"+ext, "app.log")
		if i < parts-1 {
			name += fmt.Sprintf(".%d%s", parts-1-i, ext)
		} else if ext != "" {
			name += ".0" + ext
		}
		f := newFeed(uint64(100+i), dayStart.Add(time.Duration(i)*span), span, size/int64(jsonSet.lines))
		p := s.path(name)
		err := s.make(ctx, p, func(w io.Writer) error {
			return packed(w, ext, func(w io.Writer) error { return fill(ctx, w, f, writeJSON, size) })
		})
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// single returns the large JSON file, packed.
func (s *store) single(ctx context.Context, ext string) (string, error) {
	src, err := s.file(ctx, jsonSet)
	if err != nil {
		return "", err
	}
	p := s.path("single.log" + ext)
	return p, s.make(ctx, p, func(w io.Writer) error {
		in, err := os.Open(src)
		if err != nil {
			return err
		}
		defer in.Close()
		return packed(w, ext, func(w io.Writer) error { _, err := io.Copy(w, in); return err })
	})
}

// make writes a file under another name first, so that it is whole or absent.
func (s *store) make(ctx context.Context, path string, write func(io.Writer) error) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	s.say("making %s", filepath.Base(path))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.Create(path + ".part")
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	err = errors.Join(write(w), w.Flush(), f.Close(), ctx.Err())
	if err != nil {
		return fmt.Errorf("make %s: %w", path, errors.Join(err, os.Remove(f.Name())))
	}
	return os.Rename(f.Name(), path)
}

// fill writes lines until size bytes are there.
func fill(ctx context.Context, w io.Writer, f *feed, write writer, size int64) error {
	b := make([]byte, 0, 1<<20)
	for done := int64(0); done < size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		b = b[:0]
		for len(b) < 256<<10 && done+int64(len(b)) < size {
			b = write(b, f.next())
		}
		n, err := w.Write(b)
		if err != nil {
			return err
		}
		done += int64(n)
	}
	return nil
}

func packed(w io.Writer, ext string, write func(io.Writer) error) error {
	var z io.WriteCloser
	var err error
	switch ext {
	case ".gz":
		z, err = gzip.NewWriterLevel(w, 6)
	case ".zst":
		z, err = zstd.NewWriter(w)
	default:
		return write(w)
	}
	if err != nil {
		return err
	}
	return errors.Join(write(z), z.Close())
}
