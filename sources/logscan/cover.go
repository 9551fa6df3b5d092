package logscan

import (
	"math/bits"
	"slices"
	"time"

	"inquest/sources"
)

const (
	maxBuckets  = 240
	maxSilences = 64
	maxMinutes  = 100_000
)

// silence is a stretch between two lines, in Unix nanoseconds.
type silence struct{ from, to int64 }

// cover gathers what a pass over lines shows of their times. Blocks gather
// apart and are added in the order of the file.
type cover struct {
	lines, unparsed int64
	timed           int64
	first, last     int64 // of the first and the last timed line
	low, high       int64 // the extremes
	back            int64 // the largest step backwards
	bare            bool  // some time had no zone
	unit            int64 // minutes in a count
	counts          map[int64]int64
	lastKey, run    int64 // counts not yet in the map
	from, to        int64 // the stretch of lastKey
	few             bool  // keep few silences: one block of many
	least           int64 // no silence below this is noted
	rhythm          [64]int64
	silences        []silence
}

// next notes the time of a line that comes shortly after the latest one and in
// the same stretch, as nearly all do; otherwise it does nothing and returns false.
func (c *cover) next(t int64) bool {
	d := t - c.high
	if d < 0 || d > c.least || t < c.from || t >= c.to {
		return false
	}
	if d > 0 {
		c.rhythm[bits.Len64(uint64(d))&63]++
	}
	c.high, c.last = t, t
	c.timed++
	c.run++
	return true
}

// add notes a line's time.
func (c *cover) add(t int64) {
	if c.next(t) {
		return
	}
	c.notable(t)
	c.timed++
	c.last = t
	if t >= c.from && t < c.to {
		c.run++
		return
	}
	c.turn(t)
}

// notable takes a time that is the first, not later than all before it, or
// much later.
func (c *cover) notable(t int64) {
	if c.timed == 0 {
		c.first, c.low, c.high = t, t, t
		return
	}
	c.step(t)
	c.low, c.high = min(c.low, t), max(c.high, t)
}

// turn begins to count another stretch.
func (c *cover) turn(t int64) {
	c.flush()
	if c.unit == 0 {
		c.unit = 1
	}
	d := c.unit * int64(time.Minute)
	c.lastKey, c.run = floor(t, d), 1
	c.from = c.lastKey * d
	c.to = c.from + d
}

func floor(t, d int64) int64 {
	q := t / d
	if t%d < 0 {
		q--
	}
	return q
}

// step notes the pause since the latest time so far, so that lines out of
// order make no silence.
func (c *cover) step(t int64) {
	d := t - c.high
	if d <= 0 {
		c.back = max(c.back, -d)
		return
	}
	c.rhythm[bits.Len64(uint64(d))&63]++
	if d > c.least {
		c.note(silence{c.high, t})
	}
}

func (c *cover) note(s silence) {
	most := maxSilences
	if c.few {
		most = maxSilences / 8
	}
	i, _ := slices.BinarySearchFunc(c.silences, s, func(a, b silence) int {
		return compare(b.to-b.from, a.to-a.from)
	})
	c.silences = slices.Insert(c.silences, i, s)
	if len(c.silences) >= most {
		c.silences = c.silences[:most]
		c.least = c.silences[most-1].to - c.silences[most-1].from
	}
}

func compare(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// flush puts the running count into the map and keeps the map small.
func (c *cover) flush() {
	if c.run == 0 {
		return
	}
	if c.counts == nil {
		c.counts = map[int64]int64{}
	}
	c.counts[c.lastKey] += c.run
	c.run = 0
	if len(c.counts) > maxMinutes {
		c.coarsen(c.unit * 8)
	}
}

func (c *cover) coarsen(unit int64) {
	wider := map[int64]int64{}
	for k, n := range c.counts {
		wider[floor(k*c.unit, unit)] += n
	}
	c.counts, c.unit, c.run, c.from, c.to = wider, unit, 0, 0, 0
}

// merge adds what was gathered from the lines that follow.
func (c *cover) merge(d *cover) {
	c.lines += d.lines
	c.unparsed += d.unparsed
	c.bare = c.bare || d.bare
	if d.timed == 0 {
		return
	}
	d.flush()
	if c.timed == 0 {
		lines, unparsed, bare := c.lines, c.unparsed, c.bare
		*c = *d
		c.lines, c.unparsed, c.bare, c.few, c.least = lines, unparsed, bare, false, 0
		return
	}
	c.step(d.first)
	c.back = max(c.back, d.back, c.high-d.low)
	c.timed += d.timed
	for i, n := range d.rhythm {
		c.rhythm[i] += n
	}
	for _, s := range d.silences {
		if s.from = max(s.from, c.high); s.to-s.from > c.least {
			c.note(s)
		}
	}
	c.last, c.low, c.high = d.last, min(c.low, d.low), max(c.high, d.high)
	c.flush()
	for unit := max(c.unit, d.unit); c.unit < unit || d.unit < unit; {
		c.coarsen(unit)
		d.coarsen(unit)
	}
	for k, n := range d.counts {
		c.counts[k] += n
	}
	if len(c.counts) > maxMinutes {
		c.coarsen(c.unit * 8)
	}
}

// fill writes the gathered numbers into a Coverage.
func (c *cover) fill(v *sources.Coverage) {
	v.Lines, v.Unparsed = c.lines, c.unparsed
	if c.timed == 0 {
		return
	}
	v.From, v.To = at(c.low), at(c.high)
	v.ZoneUnknown = c.bare
	c.flush()
	width := bucketWidth(at(c.low), at(c.high), time.Duration(c.unit)*time.Minute)
	start := at(c.low).Truncate(width)
	n := int(at(c.high).Sub(start)/width) + 1
	if n < 1 || n > 4*maxBuckets {
		return
	}
	v.BucketStart, v.BucketWidth, v.Buckets = start, width, make([]int64, n)
	for k, count := range c.counts {
		i := int(at(k*c.unit*int64(time.Minute)).Sub(start) / width)
		v.Buckets[min(max(i, 0), n-1)] += count
	}
}

func at(ns int64) time.Time { return time.Unix(0, ns).UTC() }

// bucketWidth returns the smallest round width that makes at most maxBuckets.
func bucketWidth(from, to time.Time, least time.Duration) time.Duration {
	for _, w := range []time.Duration{
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
	} {
		if w >= least && to.Sub(from)/w < maxBuckets-1 {
			return w
		}
	}
	const day = 24 * time.Hour
	return max((to.Sub(from)/(maxBuckets-2)).Truncate(day)+day, least)
}
