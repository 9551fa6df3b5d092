package logscan

import "golang.org/x/sys/cpu"

// marches tells that this processor has what marchLines needs.
var marches = cpu.X86.HasAVX2 && cpu.X86.HasBMI1

// marchLines is march. start is an offset from b on and may be negative. It reads
// nothing beyond the end of a line. It keeps c.high and c.rhythm up to date, of
// which rhythm[0] counts lines of the same time, and nothing else of c.
//
//go:noescape
func marchLines(h *heads, c *cover, b *byte, start int, ends *uint16, n int) (done int)
