package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/gofrs/flock"

	"inquest/investigations"
)

var _ investigations.Journal = (*File)(nil)

// ErrClosed is returned by Append after Close.
var ErrClosed = errors.New("the case file is closed")

// File is a case file that is open for writing. No other process can write it
// meanwhile. It may be used from several goroutines.
type File struct {
	path string
	lock *flock.Flock

	mu    sync.Mutex
	disk  disk // nil when closed
	tip   tip
	good  int64 // length of the whole lines
	dirty bool  // bytes of a failed write may stand behind good
}

// disk is what Append needs of *os.File.
type disk interface {
	io.WriterAt
	io.Closer
	Truncate(size int64) error
	Sync() error
	Stat() (fs.FileInfo, error)
}

// Create makes a new, empty case file with mode 0600 and locks it. Missing
// folders are made with mode 0700. A file or symbolic link that is already there
// is never touched: the error is fs.ErrExist.
func Create(path string) (*File, error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create case folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("create case %s: a file of that name is already there, open it or choose another name: %w", path, fs.ErrExist)
	}
	if err != nil {
		return nil, fmt.Errorf("create case: %w", err)
	}
	lock, err := acquire(path, f)
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("create case %s: %w", path, err), f.Close())
	}
	return &File{path: path, lock: lock, disk: f}, nil
}

// Open opens a case for writing and returns its entries. An incomplete last
// line is cut from the file and noted. It returns ErrLocked while another
// process writes the case, a *BrokenError (wrapped, with the entries before it)
// when an entry is not as it was written, and leaves the file alone then.
func Open(path string) (*File, []investigations.Entry, Note, error) {
	f, err := openRegular(path, os.O_RDWR)
	if err != nil {
		return nil, nil, Note{}, err
	}
	lock, err := acquire(path, f)
	if err != nil {
		return nil, nil, Note{}, errors.Join(fmt.Errorf("open case %s: %w", path, err), f.Close())
	}
	j := &File{path: path, lock: lock, disk: f}
	entries, note, err := j.load(f)
	if err != nil {
		return nil, entries, note, errors.Join(fmt.Errorf("open case %s: %w", path, err), j.Close())
	}
	return j, entries, note, nil
}

func (j *File) load(f *os.File) ([]investigations.Entry, Note, error) {
	var entries []investigations.Entry
	note, err := scan(f, tip{}, func(e investigations.Entry, n int64) error {
		entries = append(entries, e)
		j.tip, j.good = tipOf(e), j.good+n
		return nil
	})
	if err == nil && len(entries) == 0 {
		err = ErrEmpty
	}
	if err != nil {
		return entries, note, err
	}
	if note.Torn > 0 {
		if err := j.cut(); err != nil {
			return entries, note, err
		}
	}
	if info, err := f.Stat(); err == nil && info.Mode().Perm()&0o077 != 0 && f.Chmod(0o600) == nil {
		note.Exposed = true
	}
	return entries, note, nil
}

// Path returns where the case is.
func (j *File) Path() string { return j.path }

// Append writes the entry and returns it, numbered and chained, once it is on
// disk. On an error nothing was added: the file ends where it ended before, and
// a later Append may succeed.
func (j *File) Append(e investigations.Entry) (investigations.Entry, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.disk == nil {
		return e, fmt.Errorf("append to case %s: %w", j.path, ErrClosed)
	}
	kept, line, err := encode(e, j.tip)
	if err != nil {
		return e, fmt.Errorf("append to case %s: %w", j.path, err)
	}
	if err := j.ready(); err != nil {
		return e, fmt.Errorf("append to case %s: entry %d was not saved: %w", j.path, kept.Seq, err)
	}
	if err := j.write(line); err != nil {
		j.dirty = true
		return e, errors.Join(fmt.Errorf("append to case %s: entry %d was not saved, the %d before it are safe: %w", j.path, kept.Seq, j.tip.seq, err), j.cut())
	}
	j.tip, j.good = tipOf(kept), j.good+int64(len(line))
	return kept, nil
}

func (j *File) write(line []byte) error {
	if _, err := j.disk.WriteAt(line, j.good); err != nil {
		return err
	}
	return j.disk.Sync()
}

// ready refuses to write into a file that is no longer the one that was locked,
// or that someone else wrote to.
func (j *File) ready() error {
	if j.dirty {
		if err := j.cut(); err != nil {
			return err
		}
	}
	own, err := j.disk.Stat()
	if err != nil {
		return err
	}
	there, err := os.Lstat(j.path)
	if err != nil || !os.SameFile(own, there) {
		return errors.New("the case file was moved, replaced or removed while it was open")
	}
	if own.Size() != j.good {
		return fmt.Errorf("another program changed the case file while it was open: it has %d bytes, not %d", own.Size(), j.good)
	}
	return nil
}

// cut takes away what stands behind the last whole line.
func (j *File) cut() error {
	if err := j.disk.Truncate(j.good); err != nil {
		return fmt.Errorf("cut the incomplete entry: %w", err)
	}
	if err := j.disk.Sync(); err != nil {
		return fmt.Errorf("cut the incomplete entry: %w", err)
	}
	j.dirty = false
	return nil
}

// Close lets go of the file and its lock. It is safe to call twice.
func (j *File) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.disk == nil {
		return nil
	}
	err := j.disk.Close()
	j.disk = nil
	return errors.Join(err, j.lock.Unlock())
}
