package logformat

import (
	"strings"
	"time"
)

// Stamp is a time as it is written. When Zoned is false the wall clock reading
// is in Time as if it were UTC.
type Stamp struct {
	Time  time.Time
	Zoned bool
	// NoYear marks a time without a year; its year is 0.
	NoYear bool
	// DayMonth is set for numeric dates that name the year last: 12 when the two
	// numbers could be either, 1 when only day-first fits, 2 when only month-first.
	DayMonth DayMonth
	// Fraction is the number of digits of the second's fraction.
	Fraction int
}

// DayMonth says what a numeric date tells about its own order.
type DayMonth int

// What a date such as 03/04/2025 tells.
const (
	OrderNone       DayMonth = iota // the date is not of this kind
	OrderDayFirst                   // the first number is above 12
	OrderMonthFirst                 // the second number is above 12
	OrderAmbiguous                  // it could be either
)

// ParseTime reads a time at the start of s and returns how many bytes it took,
// its zone included. It understands ISO 8601 and its relatives, Apache's, syslog's,
// RFC 1123's, ctime's, numeric dates with the year last, and epochs.
func ParseTime(s string, c *Context) (Stamp, int, bool) {
	if len(s) < 8 {
		return Stamp{}, 0, false
	}
	d := s[0]
	switch {
	case d >= '0' && d <= '9':
		return parseNumeric(s, c)
	case d >= 'A' && d <= 'Z':
		return parseNamed(s)
	case d == '+' && len(s) > 12: // rare: signed years are no log times
		return Stamp{}, 0, false
	}
	return Stamp{}, 0, false
}

func parseNumeric(s string, c *Context) (Stamp, int, bool) {
	n := digits(s, 0)
	switch {
	case n == 4 && len(s) >= 10 && (s[4] == '-' || s[4] == '/' || s[4] == '.') && digits(s, 5) == 2 && s[7] == s[4] && digits(s, 8) >= 2:
		return dateThenClock(num(s[0:4]), num(s[5:7]), num(s[8:10]), s, 10)
	case n == 8 && plausibleDate(s):
		return dateThenClock(num(s[0:4]), num(s[4:6]), num(s[6:8]), s, 8)
	case n == 14 && plausibleDate(s):
		return compactClock(s)
	case (n == 1 || n == 2) && len(s) > n+1 && (s[n] != '.' || !strings.Contains(s[:min(len(s), 24)], "e+")):
		return yearLast(s, n, c)
	case n >= 10:
		return parseEpoch(s, n)
	case n == 1 && s[1] == '.':
		return parseExponent(s)
	}
	return Stamp{}, 0, false
}

// parseExponent reads an epoch in seconds as zap writes it: 1.764255492104e+09.
func parseExponent(s string) (Stamp, int, bool) {
	frac := digits(s, 2)
	end := 2 + frac + len("e+09")
	if frac < 1 || frac > 17 || len(s) < end || !strings.HasPrefix(s[2+frac:], "e+09") {
		return Stamp{}, 0, false
	}
	all := (s[:1] + s[2:2+frac] + "000000000000000000")[:19]
	st, _, ok := parseEpoch(all, 19)
	st.Fraction = max(0, frac-9)
	return st, end, ok
}

func plausibleDate(s string) bool {
	y, m, d := num(s[0:4]), num(s[4:6]), num(s[6:8])
	return y >= 1990 && y < 2100 && m >= 1 && m <= 12 && d >= 1 && d <= 31
}

func compactClock(s string) (Stamp, int, bool) {
	t, ok := date(num(s[0:4]), num(s[4:6]), num(s[6:8]), num(s[8:10]), num(s[10:12]), num(s[12:14]), 0)
	if !ok {
		return Stamp{}, 0, false
	}
	st := Stamp{Time: t}
	n := zone(s, 14, &st)
	return st, n, true
}

// yearLast reads 27-11-2025 14:58:12, 27/Nov/2025:14:58:12 +0000 and
// 27 Nov 2025 14:58:12.
func yearLast(s string, n int, c *Context) (Stamp, int, bool) {
	if n > 2 || len(s) <= n+1 {
		return Stamp{}, 0, false
	}
	sep := s[n]
	if sep != '-' && sep != '/' && sep != '.' && sep != ' ' {
		return Stamp{}, 0, false
	}
	a := num(s[:n])
	i := n + 1
	if m := month(s, i); m > 0 {
		i += 3
		if i >= len(s) || (s[i] != sep && s[i] != '-') || digits(s, i+1) != 4 {
			return Stamp{}, 0, false
		}
		return dateThenClock(num(s[i+1:i+5]), m, a, s, i+5)
	}
	k := digits(s, i)
	if sep == ' ' || k < 1 || k > 2 || i+k+5 > len(s) || s[i+k] != sep || digits(s, i+k+1) != 4 {
		return Stamp{}, 0, false
	}
	b, y := num(s[i:i+k]), num(s[i+k+1:i+k+5])
	day, mon, order := a, b, dayMonth(a, b)
	if order == OrderMonthFirst || (order == OrderAmbiguous && c != nil && c.MonthFirst) {
		day, mon = b, a
	}
	st, end, ok := dateThenClock(y, mon, day, s, i+k+5)
	st.DayMonth = order
	return st, end, ok
}

func dayMonth(a, b int) DayMonth {
	switch {
	case a > 12:
		return OrderDayFirst
	case b > 12:
		return OrderMonthFirst
	}
	return OrderAmbiguous
}

// dateThenClock reads the clock that follows a date which ended at i.
func dateThenClock(y, mon, day int, s string, i int) (Stamp, int, bool) {
	j := i
	for j < len(s) && (s[j] == 'T' || s[j] == 't' || s[j] == ' ' || s[j] == ':' || s[j] == '_' || s[j] == ',' || s[j] == '-') && j < i+2 {
		j++
	}
	h, mi, sec, ns, frac, end, ok := clock(s, j)
	if !ok || j == i {
		return Stamp{}, 0, false
	}
	t, ok := date(y, mon, day, h, mi, sec, ns)
	if !ok {
		return Stamp{}, 0, false
	}
	st := Stamp{Time: t, Fraction: frac}
	return st, zone(s, end, &st), true
}

// clock reads H:MM[:SS[.fraction]] with AM or PM.
func clock(s string, i int) (h, mi, sec, ns, frac, end int, ok bool) {
	n := digits(s, i)
	if n < 1 || n > 2 || i+n+3 > len(s) || s[i+n] != ':' || digits(s, i+n+1) != 2 {
		return 0, 0, 0, 0, 0, 0, false
	}
	h, mi = num(s[i:i+n]), num(s[i+n+1:i+n+3])
	end = i + n + 3
	if end+3 <= len(s) && s[end] == ':' && digits(s, end+1) == 2 {
		sec = num(s[end+1 : end+3])
		end += 3
		ns, frac, end = fraction(s, end)
	}
	if end+3 <= len(s) && s[end] == ' ' && (s[end+1]|32 == 'a' || s[end+1]|32 == 'p') && s[end+2]|32 == 'm' {
		h %= 12
		if s[end+1]|32 == 'p' {
			h += 12
		}
		end += 3
	}
	return h, mi, sec, ns, frac, end, true
}

func fraction(s string, i int) (ns, n, end int) {
	if i >= len(s) || (s[i] != '.' && s[i] != ',') {
		return 0, 0, i
	}
	n = digits(s, i+1)
	if n == 0 || n > 12 {
		return 0, 0, i
	}
	scale := 100_000_000
	for k := range n {
		ns += int(s[i+1+k]-'0') * scale
		scale /= 10
	}
	return ns, n, i + 1 + n
}

// parseNamed reads Nov 27 14:58:12, Nov 27 2025 14:58:12, Thu, 27 Nov 2025
// 14:58:12 GMT and Thu Nov 27 14:58:12 2025.
func parseNamed(s string) (Stamp, int, bool) {
	i := 0
	if weekday(s) {
		i = 3
		for i < len(s) && (s[i] == ',' || s[i] == ' ') {
			i++
		}
		if n := digits(s, i); n > 0 {
			st, end, ok := yearLast(s[i:], n, nil)
			return st, end + i, ok
		}
	}
	m := month(s, i)
	if m == 0 || i+4 >= len(s) || s[i+3] != ' ' {
		return Stamp{}, 0, false
	}
	i += 4
	if s[i] == ' ' {
		i++
	}
	n := digits(s, i)
	if n < 1 || n > 2 || i+n >= len(s) {
		return Stamp{}, 0, false
	}
	day := num(s[i : i+n])
	i += n
	if s[i] == ',' {
		i++
	}
	if digits(s, i+1) == 4 && i+5 < len(s) && s[i+5] == ' ' {
		return dateThenClock(num(s[i+1:i+5]), m, day, s, i+5)
	}
	return yearAfter(s, i+1, m, day)
}

// yearAfter reads the clock at i and a year behind it, if there is one.
func yearAfter(s string, i, m, day int) (Stamp, int, bool) {
	h, mi, sec, ns, frac, end, ok := clock(s, i)
	if !ok {
		return Stamp{}, 0, false
	}
	st := Stamp{Fraction: frac, NoYear: true}
	year := 0
	after := zone(s, end, &st)
	if digits(s, after+1) == 4 && s[after] == ' ' && plausibleYear(num(s[after+1:after+5])) && !more(s, after+5) {
		year, end, st.NoYear = num(s[after+1:after+5]), after+5, false
	} else {
		st.Zoned = false // an abbreviation behind a syslog time is the host's name
	}
	if year == 0 {
		year = 2000 // a leap year, so that 29 February parses
	}
	t, ok := date(year, m, day, h, mi, sec, ns)
	if !ok {
		return Stamp{}, 0, false
	}
	if st.Zoned {
		_, off := st.Time.Zone()
		t = time.Date(t.Year(), t.Month(), t.Day(), h, mi, sec, ns, time.FixedZone("", off))
	}
	st.Time = t
	return st, end, true
}

func plausibleYear(y int) bool { return y >= 1990 && y < 2100 }

func more(s string, i int) bool { return i < len(s) && (isWordByte(s[i]) || s[i] == ':') }

func parseEpoch(s string, n int) (Stamp, int, bool) {
	var v int64
	for i := range min(n, 19) {
		v = v*10 + int64(s[i]-'0')
	}
	st := Stamp{Zoned: true}
	end := n
	switch n {
	case 10:
		ns, frac, e := fraction(s, n)
		st.Time, st.Fraction, end = time.Unix(v, int64(ns)), frac, e
	case 13:
		ns, frac, e := fraction(s, n)
		st.Time, st.Fraction, end = time.UnixMilli(v).Add(time.Duration(ns/1000)), 3+frac, e
	case 16:
		st.Time, st.Fraction = time.UnixMicro(v), 6
	case 19:
		st.Time, st.Fraction = time.Unix(0, v), 9
	default:
		return Stamp{}, 0, false
	}
	st.Time = st.Time.UTC()
	if !plausibleYear(st.Time.Year()) {
		return Stamp{}, 0, false
	}
	return st, end, true
}

func date(y, mon, day, h, mi, sec, ns int) (time.Time, bool) {
	if mon < 1 || mon > 12 || day < 1 || day > 31 || h > 23 || mi > 59 || sec > 60 || y < 1970 || y > 2200 {
		return time.Time{}, false
	}
	t := time.Date(y, time.Month(mon), day, h, mi, sec, ns, time.UTC)
	return t, t.Day() == day || sec == 60
}

func digits(s string, i int) int {
	n := 0
	for i+n < len(s) && s[i+n] >= '0' && s[i+n] <= '9' {
		n++
	}
	return n
}

func num(s string) int {
	v := 0
	for i := range len(s) {
		v = v*10 + int(s[i]-'0')
	}
	return v
}

const months = "JanFebMarAprMayJunJulAugSepOctNovDec"

func month(s string, i int) int {
	if i < 0 || i+3 > len(s) {
		return 0
	}
	for m := range 12 {
		if months[m*3] == s[i]&^32 && months[m*3+1] == s[i+1]|32 && months[m*3+2] == s[i+2]|32 {
			return m + 1
		}
	}
	return 0
}

func weekday(s string) bool {
	switch s[:3] {
	case "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun":
		return len(s) > 4 && (s[3] == ' ' || s[3] == ',')
	}
	return false
}

func isWordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}
