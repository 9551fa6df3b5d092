package logfile

import (
	"archive/tar"
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"

	"inquest/sources"
	"inquest/sources/logscan"
)

var (
	tarName = lazily(`(?i)\.(tar|tgz|tbz2?|txz|tzst|tar\.(gz|zst|zstd|xz|bz2|lz4))$`)
	zipName = lazily(`(?i)\.zip$`)
)

func isArchive(name string) bool { return tarName().MatchString(name) || zipName().MatchString(name) }

// archive is a tar or zip file whose entries are logs. They are unpacked into
// the spool, all at once, when the first of them is needed.
type archive struct {
	path  string
	spool *spool
	want  map[int]bool // places of the entries that look like logs

	mu   sync.Mutex
	done bool
	at   map[int]string // where an entry was unpacked to
	err  error
}

// members lists the entries that may be logs. A broken archive gives what
// stands before the break, and a member that says so.
func (a *archive) members() []*member {
	a.want = map[int]bool{}
	var out []*member
	err := a.each(context.Background(), func(i int, st fs.FileInfo, name string, r io.Reader) error {
		base := path.Base(name)
		if !st.Mode().IsRegular() || strings.HasPrefix(base, ".") {
			return nil
		}
		head := make([]byte, 4096)
		n, _ := io.ReadFull(r, head)
		if !logscan.LogLike(base) && logscan.BinaryBytes(head[:n]) {
			return nil
		}
		if len(out) >= maxFiles {
			return fmt.Errorf("more than %d files", maxFiles)
		}
		a.want[i] = true
		f := logscan.NewFile(a.path+"/"+strings.TrimLeft(path.Clean("/"+name), "/"), st)
		f.Mode = 0o600
		f.At = func(ctx context.Context) (string, error) { return a.unpack(ctx, i) }
		out = append(out, &member{File: f})
		return nil
	})
	switch {
	case err != nil:
		out = append(out, a.failed(fmt.Sprintf("archive %s: %v; what stands behind that place is not read", a.path, err)))
	case len(out) == 0:
		out = append(out, a.failed(fmt.Sprintf("archive %s holds no log file", a.path)))
	}
	return out
}

// failed stands for what could not be read of the archive.
func (a *archive) failed(why string) *member {
	return &member{File: &logscan.File{Path: a.path, Mode: 0o600, At: func(context.Context) (string, error) {
		return "", &sources.Blind{Why: why, Opens: "unpack it yourself and name the folder with --logs"}
	}}}
}

// unpack returns where entry i is, after unpacking all that are wanted.
func (a *archive) unpack(ctx context.Context, i int) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.done {
		a.at = map[int]string{}
		a.err = a.each(ctx, func(i int, _ fs.FileInfo, _ string, r io.Reader) error {
			if !a.want[i] {
				return nil
			}
			p, err := a.spool.file(ctx, r)
			if err == nil {
				a.at[i] = p
			}
			return err
		})
		a.done = ctx.Err() == nil
	}
	if p := a.at[i]; p != "" {
		return p, nil
	}
	return "", cmpErr(a.err, fmt.Errorf("archive %s: entry %d is gone", a.path, i+1))
}

func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// each calls f for every entry in the order of the archive.
func (a *archive) each(ctx context.Context, f func(i int, st fs.FileInfo, name string, r io.Reader) error) error {
	if zipName().MatchString(a.path) {
		return a.eachZip(ctx, f)
	}
	file, err := os.Open(a.path)
	if err != nil {
		return logscan.Missing(a.path, err)
	}
	defer file.Close()
	r, err := logscan.Unpack(file)
	if err != nil {
		return err
	}
	defer r.Close()
	t := tar.NewReader(r)
	for i := 0; ; i++ {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read its entry %d: %w", i+1, err)
		}
		if err := cmpErr(ctx.Err(), f(i, h.FileInfo(), h.Name, t)); err != nil {
			return err
		}
	}
}

func (a *archive) eachZip(ctx context.Context, f func(i int, st fs.FileInfo, name string, r io.Reader) error) error {
	z, err := zip.OpenReader(a.path)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer z.Close()
	for i, e := range z.File {
		r, err := e.Open()
		if err != nil {
			return fmt.Errorf("read its entry %s: %w", e.Name, err)
		}
		err = cmpErr(ctx.Err(), f(i, e.FileInfo(), e.Name, r))
		r.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
