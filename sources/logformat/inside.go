package logformat

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"inquest/sources"
)

// part is a piece of a record that PostgreSQL sent to syslog: "[5-2] " says that it is
// the second of the process's fifth record (syslog_sequence_numbers, write_syslog in
// src/backend/utils/error/elog.c).
type part struct {
	of, number int // zero: the message has no such number
	text       string
}

// partOf reads the number of a message, and the tab that syslog daemons write as
// #011 at the start of a further line.
func partOf(message string) part {
	p := part{text: message}
	if number, rest, ok := strings.Cut(message, "] "); ok && len(number) < 24 && strings.HasPrefix(number, "[") {
		of, n, _ := strings.Cut(number[1:], "-")
		a, errA := strconv.Atoi(of)
		b, errB := strconv.Atoi(n)
		if errA == nil && errB == nil && a > 0 && b > 0 {
			p = part{of: a, number: b, text: rest}
		}
	}
	for _, tab := range []string{"#011", `\011`} {
		if rest, ok := strings.CutPrefix(p.text, tab); ok {
			p.text = "\t" + rest
		}
	}
	return p
}

// splitAt is about where PostgreSQL divides a line that is too long for syslog (900
// bytes, at a blank).
const splitAt = 800

// after is the part's text with what stood between it and the one before.
func (p part) after(before part) string {
	if p.number > 1 && p.number == before.number+1 && len(before.text) > splitAt && strings.HasPrefix(p.text, " ") {
		return p.text
	}
	return "\n" + p.text
}

const (
	mostSkew  = time.Minute // between an envelope's time and that of what is in it
	zoneSteps = 15 * time.Minute
)

// nearby reports whether the time of a record can be that of its envelope, told
// better: they differ by no more than the way takes, and by a zone where only one is known.
func nearby(e, inner *sources.Event) bool {
	if inner.ZoneUnknown && !e.ZoneUnknown {
		return false
	}
	d := e.Time.Sub(inner.Time)
	if e.ZoneUnknown && !inner.ZoneUnknown {
		if d.Abs() > 14*time.Hour+mostSkew {
			return false
		}
		d -= d.Round(zoneSteps)
	}
	return d.Abs() <= mostSkew
}

// settleTimes finds out whether what is inside the envelopes tells the time better
// than they do, and in which zone their own times are written. The lines are from all over
// the file.
func (r *Reader) settleTimes(lines []string) {
	var outside, inside int // digits of the fractions
	zoned, timed := 0, 0
	offsets, hosts := map[time.Duration]int{}, map[string]bool{}
	for _, l := range lines {
		a, b := sources.Event{}, sources.Event{}
		r.Context.InnerTime = false
		if !r.try(r.Main, []byte(l), &a) || a.NoTime {
			continue
		}
		r.unfold(&a, nil)
		hosts[hostOf(&a)] = true
		r.Context.InnerTime = true
		if !r.try(r.Main, []byte(l), &b) {
			continue
		}
		if r.unfold(&b, nil); b.Time.Equal(a.Time) && b.ZoneUnknown == a.ZoneUnknown {
			continue
		}
		timed++
		outside, inside = max(outside, precision(a.Time)), max(inside, precision(b.Time))
		if a.ZoneUnknown && !b.ZoneUnknown {
			zoned++
			offsets[a.Time.Sub(b.Time).Round(zoneSteps)]++
		}
	}
	r.Context.InnerTime = timed > 0 && (inside > outside || zoned > 0)
	if r.Context.Location != nil || zoned < leastZoned || len(offsets) != 1 || len(hosts) != 1 {
		return
	}
	for h := range hosts {
		r.zoneOf = &h
	}
	for d := range offsets {
		r.Context.Location = time.FixedZone("", int(d/time.Second))
		r.Limits = append(r.Limits, fmt.Sprintf("times without a zone were read at UTC%s, by the records inside that tell theirs", time.Time{}.In(r.Context.Location).Format("-07:00")))
	}
}

func hostOf(e *sources.Event) string { return e.Fields["host"] + e.Fields["_HOSTNAME"] }

// leastZoned is how many records must agree on the zone of their envelopes.
const leastZoned = 3

// precision is how many digits of a second's fraction a time uses, in steps of three.
func precision(t time.Time) int {
	switch ns := t.Nanosecond(); {
	case ns == 0:
		return 0
	case ns%int(time.Millisecond) == 0:
		return 3
	case ns%int(time.Microsecond) == 0:
		return 6
	}
	return 9
}
