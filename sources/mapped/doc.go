// Package mapped lends the bytes of large files without copying them: a stretch of a
// file is mapped into memory for the time of a call. What makes mapping dangerous is kept away
// from the caller: a file that becomes shorter, or a disk that fails, ends the call with ErrRead and
// not the process, and bytes that are not in the page cache are never waited for in a page fault,
// where neither another goroutine nor an interrupt gets through. Whoever is told ErrRead
// reads the same bytes as usual.
package mapped
