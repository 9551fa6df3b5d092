package mapped

import (
	"errors"

	"golang.org/x/sys/unix"
)

const able = true

// align is what the places of mappings in a file are multiples of: of every page
// size that Linux has.
const align = 64 << 10

func (f *File) mmap(base int64, length int) ([]byte, error) {
	return unix.Mmap(int(f.f.Fd()), base, length, unix.PROT_READ, unix.MAP_SHARED)
}

func munmap(data []byte) { _ = unix.Munmap(data) }

// cached reports whether the bytes from..to seem to be in the page cache, by a
// byte here and there: a file is there in long runs or not at all. Where the file's system
// does not tell (NFS, FUSE) the file is not mapped: a fault could last for ever.
func (f *File) cached(from, to int64) bool {
	const step = 1 << 20
	var b [1]byte
	at := [][]byte{b[:]}
	for off := from; ; off = min(off+step, to-1) {
		n, err := unix.Preadv2(int(f.f.Fd()), at, off, unix.RWF_NOWAIT)
		if err != nil && !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR) {
			f.never.Store(true)
		}
		if err != nil || n == 0 {
			return false
		}
		if off >= to-1 {
			return true
		}
	}
}

// faults is how many page faults this thread had that no disk was needed for.
func faults() int64 {
	var r unix.Rusage
	if unix.Getrusage(unix.RUSAGE_THREAD, &r) != nil {
		return 0
	}
	return int64(r.Minflt) //nolint:unconvert // 32 bits on some systems
}
