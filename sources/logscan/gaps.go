package logscan

import (
	"fmt"
	"time"

	"inquest/sources"
)

const (
	leastGap    = 10 * time.Minute
	leastPauses = 60 // fewer pauses between lines show no rhythm
)

// gaps returns the silences that the log's own rhythm does not explain: far
// longer than its pauses, and not coming back at the same time on another day. It errs
// on the side of none.
func (c *cover) gaps() []sources.Gap {
	usual, n := c.usualPause()
	if n < leastPauses {
		return nil
	}
	least := max(leastGap, 20*usual)
	var long []silence
	for _, s := range c.silences {
		if time.Duration(s.to-s.from) >= least {
			long = append(long, s)
		}
	}
	if len(long) >= maxSilences/2 {
		return nil // that often is a rhythm of its own
	}
	var out []sources.Gap
	for _, s := range long {
		if recurs(s, long) {
			continue
		}
		out = append(out, sources.Gap{From: at(s.from), To: at(s.to), Reason: fmt.Sprintf(
			"no line for %s, where nearly all pauses are below %s", round(time.Duration(s.to-s.from)), round(usual))})
	}
	return out
}

// usualPause returns a length that all but one in 200 pauses stay below, and
// how many pauses there were.
func (c *cover) usualPause() (time.Duration, int64) {
	var total int64
	for _, n := range c.rhythm {
		total += n
	}
	var seen int64
	for i, n := range c.rhythm {
		if seen += n; seen > 0 && seen*200 >= total*199 && i < 62 {
			return time.Duration(1) << i, total
		}
	}
	return 1 << 62, total
}

// recurs reports whether another day has a like silence at the same time.
func recurs(s silence, all []silence) bool {
	day := int64(24 * time.Hour)
	for _, o := range all {
		if o == s {
			continue
		}
		shift := floor(s.from-o.from+day/2, day) * day
		if shift == 0 {
			continue
		}
		from, to := max(s.from, o.from+shift), min(s.to, o.to+shift)
		if 2*(to-from) > s.to-s.from {
			return true
		}
	}
	return false
}

func round(d time.Duration) time.Duration {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second)
	case d >= time.Second:
		return d.Round(time.Millisecond)
	}
	return d.Round(time.Microsecond)
}
