package mapped

import (
	"errors"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// ErrRead says that bytes could not be lent, or that they went away meanwhile:
// what was made of them is void, and they are to be read with ReadAt.
var ErrRead = errors.New("the file cannot be mapped there: read it")

// Stretch is how much of a file is mapped at a time, in bytes, where less is asked
// for: whoever uses so much of it one piece after the other, with a little before and
// behind, has it mapped once.
const Stretch = 8 << 20

// File is an open file that can be mapped. Several goroutines may use it, each
// with a View of its own. It does not own the file.
type File struct {
	f     *os.File
	never atomic.Bool // it turned out that it cannot be mapped
	trial trial
}

// New returns nil where r is no regular file, or the system does not map.
func New(r io.ReaderAt) *File {
	f, ok := r.(*os.File)
	if !ok || !able {
		return nil
	}
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return nil
	}
	return &File{f: f}
}

// View is a stretch of a file that moves along. It belongs to one goroutine and
// must be closed.
type View struct {
	file *File
	data []byte // the mapping
	base int64  // offset in the file of data[0]
}

// View returns a view that holds nothing yet. Of a nil File it lends nothing.
func (f *File) View() *View { return &View{file: f} }

// Use calls use, in this goroutine, with the n bytes of the file from off on, or
// with fewer where the file ends. They are the file itself: they may change while
// they are read, must not be written, and are gone when use returns. The error is ErrRead or nil;
// use may have been called, or left in its midst, also when it is ErrRead. A run-time panic of use
// counts as one: bytes that change between two looks can cause it, and it comes again
// when they are read.
func (v *View) Use(off int64, n int, use func(b []byte)) error {
	if v.file == nil || v.file.never.Load() || off < 0 || n <= 0 {
		return ErrRead
	}
	if off < v.base || off+int64(n) > v.base+int64(len(v.data)) {
		if err := v.slide(off, n); err != nil {
			return err
		}
	}
	b := v.data[off-v.base:]
	b = b[:min(n, len(b)):min(n, len(b))]
	if err := v.guarded(b, use); err != nil {
		v.drop()
		return err
	}
	// The end of a file's last page reads as zeros when the file became shorter.
	if size, err := v.size(); err != nil || size < off+int64(len(b)) {
		v.drop()
		return ErrRead
	}
	return nil
}

// Close lets go of the mapping. The view can be used again.
func (v *View) Close() { v.drop() }

func (v *View) guarded(b []byte, use func(b []byte)) (err error) {
	runtime.LockOSThread() // whose faults are counted
	defer runtime.UnlockOSThread()
	before := faults()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if _, ok := p.(runtime.Error); !ok {
			panic(p)
		}
		err = ErrRead
	}()
	use(b)
	v.file.trial.note(int64(len(b)), faults()-before)
	return nil
}

// slide maps the stretch that begins with off.
func (v *View) slide(off int64, n int) error {
	v.drop()
	size, err := v.size()
	if err != nil || size <= off {
		return ErrRead
	}
	base := off / align * align
	length := min(max(off+int64(n)-base, Stretch+2*align), size-base)
	if v.file.trial.dear(int64(n)) || !v.file.cached(off, base+length) {
		return ErrRead
	}
	data, err := v.file.mmap(base, int(length))
	if err != nil {
		v.file.never.Store(true)
		return ErrRead
	}
	v.data, v.base = data, base
	return nil
}

// trial finds out whether it is worth while to map a file. Where the page cache holds it
// in small pieces, each is mapped by itself, and to copy them is cheaper.
type trial struct {
	mu     sync.Mutex
	faults int64 // page faults of the last bytes that were lent
	bytes  int64
	failed bool  // the last one was dear: it may have been this process, warming up
	pause  int64 // bytes that are not to be mapped now
}

const (
	trialBytes = 16 << 20
	trialPause = 256 << 20
	mostFaults = 7 // a MiB: measured, about where a copy costs the same
)

// dear reports whether n bytes are not to be mapped now.
func (t *trial) dear(n int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.pause <= 0 {
		return false
	}
	t.pause -= n
	return true
}

// note takes down what it cost to look at bytes that were lent.
func (t *trial) note(bytes, faults int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.bytes += bytes; t.bytes < trialBytes {
		t.faults += faults
		return
	}
	dear := (t.faults+faults)<<20 > mostFaults*t.bytes
	if dear && t.failed {
		t.pause = trialPause
	}
	t.bytes, t.faults, t.failed = 0, 0, dear
}

func (v *View) drop() {
	if v.data != nil {
		munmap(v.data)
	}
	v.data, v.base = nil, 0
}

func (v *View) size() (int64, error) {
	st, err := v.file.f.Stat()
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}
