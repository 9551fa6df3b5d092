//go:build unix

package scan

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestNothingIsReadBeyondTheText puts texts right before a page that must not
// be read: one byte too many is a fault.
func TestNothingIsReadBeyondTheText(t *testing.T) {
	page := unix.Getpagesize()
	m, err := unix.Mmap(-1, 0, 2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Munmap(m) }()
	for i := range m[:page] {
		m[i] = "0123456789abcdef-\n"[i%18]
	}
	if err := unix.Mprotect(m[page:], unix.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	needles := [][]byte{[]byte("89abcdef-\n0123"), []byte("cdef-\n01234567"), []byte("e7a4bff2-adc7-4847")}
	for n := range 400 {
		bothWays(t, needles, m[page-n:page])
		bothWays(t, needles[:1], m[page-n:page])
		bothWays(t, needles[2:], m[page-n:page])
		Newlines(make([]uint16, n+8), m[page-n:page])
	}
}
