package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/gofrs/flock"
)

// ErrLocked is returned when another process has the case open for writing.
var ErrLocked = errors.New("another inquest is writing this case: close it there first, or open it read-only to follow it")

// lockWait is how long a writer waits for the lock: List holds a shared one for
// an instant, and must not turn a writer away.
const lockWait = 300 * time.Millisecond

// acquire locks the file at path, which must be the open file f.
func acquire(path string, f *os.File) (*flock.Flock, error) {
	l := flock.New(path, flock.SetFlag(os.O_RDWR))
	ctx, cancel := context.WithTimeout(context.Background(), lockWait)
	defer cancel()
	ok, err := l.TryLockContext(ctx, 10*time.Millisecond)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return nil, ErrLocked
	case err != nil:
		return nil, fmt.Errorf("lock the case file: %w", err)
	case !ok:
		return nil, ErrLocked
	}
	if err := sameFile(l, path, f); err != nil {
		return nil, errors.Join(err, l.Unlock())
	}
	return l, nil
}

// sameFile guards against a file that was swapped between opening and locking.
func sameFile(l *flock.Flock, path string, f *os.File) error {
	locked, err := l.Stat()
	if err != nil {
		return err
	}
	open, err := f.Stat()
	if err != nil {
		return err
	}
	there, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !os.SameFile(locked, open) || !os.SameFile(open, there) {
		return errors.New("the file was replaced while it was being opened: try again")
	}
	return nil
}

// isLocked reports whether some process, this one included, writes the case.
func isLocked(path string) bool {
	l := flock.New(path, flock.SetFlag(os.O_RDONLY))
	ok, err := l.TryRLock()
	if ok {
		_ = l.Unlock()
	}
	return err == nil && !ok
}

// openRegular opens an existing regular file, never through a symbolic link
// when it is to be written, and never a pipe or device, which could block.
func openRegular(path string, flag int) (*os.File, error) {
	look := os.Stat
	if flag != os.O_RDONLY {
		look = os.Lstat
	}
	before, err := look(path)
	if err != nil {
		return nil, fmt.Errorf("open case: %w", err)
	}
	if before.Mode()&os.ModeSymlink != 0 {
		return nil, fmt.Errorf("open case %s: it is a symbolic link, and a case is not written through one: name the file itself", path)
	}
	if !before.Mode().IsRegular() {
		return nil, fmt.Errorf("open case %s: it is no regular file: %w", path, ErrNotCase)
	}
	f, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return nil, fmt.Errorf("open case: %w", err)
	}
	after, err := f.Stat()
	if err != nil || !os.SameFile(before, after) {
		return nil, errors.Join(fmt.Errorf("open case %s: the file was replaced while it was being opened: try again", path), err, f.Close())
	}
	return f, nil
}

// syncDir makes a new file's name durable. Windows has no such call.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
