package logscan

import (
	"math/bits"
	"time"

	"inquest/sources"
)

// Counts are the lines of a log over time, as a store counted them: the i'th in
// the stretch of Width that begins i times Width after Start.
type Counts struct {
	Start time.Time
	Width time.Duration
	Lines []int64
}

// Fill gives a coverage the number of lines, and their buckets for people.
func (c Counts) Fill(v *sources.Coverage) {
	v.Lines = 0
	for _, n := range c.Lines {
		v.Lines += n
	}
	if len(c.Lines) == 0 || c.Width <= 0 {
		return
	}
	end := c.Start.Add(time.Duration(len(c.Lines)) * c.Width)
	width := bucketWidth(c.Start, end, c.Width)
	start := c.Start.Truncate(width)
	v.BucketStart, v.BucketWidth = start, width
	v.Buckets = make([]int64, int(end.Sub(start)/width)+1)
	for i, n := range c.Lines {
		v.Buckets[int(c.Start.Add(time.Duration(i)*c.Width).Sub(start)/width)] += n
	}
}

// Gaps returns the silences that the log's own rhythm does not explain, as a
// log that is read line by line would show them. Each runs from the end of the last stretch
// with a line to the start of the next one: the lines themselves stand up to
// Width further out.
func (c Counts) Gaps() []sources.Gap {
	var v cover
	last := -1
	for i, n := range c.Lines {
		if n <= 0 {
			continue
		}
		from := c.Start.Add(time.Duration(i) * c.Width).UnixNano()
		if last >= 0 {
			// The least that the pause between the two stretches can have been.
			pause := time.Duration(i-last-1) * c.Width
			if pause == 0 {
				pause = c.Width / time.Duration(n)
			} else if int64(pause) > v.least {
				v.note(silence{from - int64(pause), from})
			}
			v.rhythm[bits.Len64(uint64(pause))&63]++
		}
		v.rhythm[bits.Len64(uint64(int64(c.Width)/n))&63] += n - 1
		last = i
	}
	return v.gaps()
}
