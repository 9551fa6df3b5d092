package when

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	agoForm = regexp.MustCompile(`^(-)?((?:(?:\d+(?:\.\d+)?|an?|half an)\s*[a-z]+\s*(?:,|and)?\s*)+?)(ago|before)?$`)
	agoPart = regexp.MustCompile(`(\d+(?:\.\d+)?|half an|an?)\s*([a-z]+)`)
)

var units = map[string]time.Duration{
	"s": time.Second, "sec": time.Second, "secs": time.Second, "second": time.Second, "seconds": time.Second,
	"m": time.Minute, "min": time.Minute, "mins": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hrs": time.Hour, "hour": time.Hour, "hours": time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour,
	"w": 7 * 24 * time.Hour, "week": 7 * 24 * time.Hour, "weeks": 7 * 24 * time.Hour,
}

// relative reads "2h ago", "1 day 3 hours ago", "90m" and "-2h": all lie before
// now. Days and weeks are spans of 24 hours.
func relative(s string, now time.Time) (time.Time, bool) {
	m := agoForm.FindStringSubmatch(s)
	if m == nil {
		return time.Time{}, false
	}
	var total time.Duration
	for _, part := range agoPart.FindAllStringSubmatch(m[2], -1) {
		if part[2] == "and" {
			continue
		}
		unit, ok := units[part[2]]
		if !ok {
			return time.Time{}, false
		}
		n := amount(part[1])
		if n*float64(unit) > float64(200*365*24*time.Hour) {
			return time.Time{}, false
		}
		total += time.Duration(n * float64(unit))
	}
	t := now.Add(-total)
	if total >= time.Hour && total%time.Minute == 0 {
		t = t.Truncate(time.Second)
	}
	return t, t.Year() >= 1970
}

func amount(s string) float64 {
	switch s {
	case "a", "an":
		return 1
	case "half an":
		return 0.5
	}
	n, _ := strconv.ParseFloat(s, 64)
	return n
}

// epoch reads seconds or milliseconds since 1970: ten or thirteen digits.
func epoch(s string) (time.Time, bool) {
	if len(s) != 10 && len(s) != 13 || strings.Trim(s, "0123456789") != "" {
		return time.Time{}, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	if len(s) == 10 {
		return time.Unix(n, 0), true
	}
	return time.UnixMilli(n), true
}

// zone reads Z, UTC, an offset or an IANA name. Abbreviations such as CST are
// refused: they mean different zones in different places.
func (p *parser) zone(tok, raw string) (bool, error) {
	var loc *time.Location
	switch m := offset.FindStringSubmatch(tok); {
	case tok == "z", tok == "utc", tok == "gmt":
		loc = time.UTC
	case m != nil:
		secs := number(m[2])*3600 + number(m[3])*60
		if secs > 15*3600 {
			return true, fmt.Errorf("%q is no offset from UTC", raw)
		}
		if m[1] == "-" {
			secs = -secs
		}
		loc = time.FixedZone("", secs)
	case strings.Contains(raw, "/") && strings.ContainsAny(raw[:1], "ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
		l, err := time.LoadLocation(raw)
		if err != nil {
			return true, fmt.Errorf("zone %q is not known: write an offset such as +01:00", raw)
		}
		loc = l
	default:
		return false, nil
	}
	if p.zoned {
		return true, fmt.Errorf("%q holds two zones", p.text)
	}
	p.loc, p.zoned = loc, true
	return true, nil
}

// word reads names of months and days of the week.
func (p *parser) word(tok, _ string) (bool, error) {
	if len(tok) < 3 {
		return false, nil
	}
	for m := time.January; m <= time.December; m++ {
		if strings.HasPrefix(strings.ToLower(m.String()), tok) || m == time.September && tok == "sept" {
			p.month = m
			return true, nil
		}
	}
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.HasPrefix(strings.ToLower(d.String()), tok) {
			p.weekday(d)
			return true, nil
		}
	}
	return false, nil
}

// weekday sets the last such day before today, unless a date says more.
func (p *parser) weekday(d time.Weekday) {
	if len(p.days) > 0 {
		return
	}
	back := (int(p.now.Weekday()) - int(d) + 7) % 7
	if back == 0 {
		back = 7
	}
	p.days = []date{p.daysAgo(back)}
}

// number reads a day of the month or a year, for dates with a month's name.
func (p *parser) number(tok, _ string) (bool, error) {
	if len(tok) == 4 {
		if n, err := strconv.Atoi(tok); err == nil && n >= 1970 && n < 2200 && p.year == 0 {
			p.year = n
			return true, nil
		}
	}
	m := ordinal.FindStringSubmatch(tok)
	if m == nil || p.day != 0 {
		return false, nil
	}
	p.day = number(m[1])
	return true, nil
}

// named puts day, month name and year together.
func (p *parser) named() error {
	if p.month == 0 {
		if p.day != 0 || p.year != 0 {
			return p.unknown(p.text)
		}
		return nil
	}
	if p.day == 0 {
		return fmt.Errorf("%q names a month without a day", p.text)
	}
	d := date{p.year, p.month, p.day}
	if d.year == 0 {
		d.year = p.yearOf("", d)
	}
	p.days = nil // a weekday beside a full date adds nothing
	return p.setDays(d)
}
