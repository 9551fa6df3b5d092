package logformat

import (
	"strings"
	"time"
)

// zoneHours are abbreviations that mean one offset wherever they are used in
// logs, in minutes. CST, IST and others that mean several are left out.
var zoneMinutes = map[string]int{
	"UTC": 0, "GMT": 0, "Z": 0, "UCT": 0, "WET": 0, "WEST": 60, "BST": 60, "CET": 60, "CEST": 120, "MET": 60, "MEST": 120,
	"EET": 120, "EEST": 180, "MSK": 180, "SAST": 120, "EST": -300, "EDT": -240, "CDT": -300, "MST": -420, "MDT": -360,
	"PST": -480, "PDT": -420, "AKST": -540, "AKDT": -480, "HST": -600, "BRT": -180, "JST": 540, "KST": 540, "HKT": 480,
	"SGT": 480, "AWST": 480, "ACST": 570, "ACDT": 630, "AEST": 600, "AEDT": 660, "NZST": 720, "NZDT": 780, "PKT": 300,
}

// zone reads an offset or a zone's abbreviation at i, sets st.Time and st.Zoned
// when it is known, and returns where it ends. An unknown abbreviation is stepped
// over only when it stands where a zone would.
func zone(s string, i int, st *Stamp) int {
	j := i
	if j < len(s) && s[j] == ' ' {
		j++
	}
	if j >= len(s) {
		return i
	}
	if s[j] == '+' || s[j] == '-' {
		return numericZone(s, i, j, st)
	}
	k := j
	for k < len(s) && k-j < 6 && s[k] >= 'A' && s[k] <= 'Z' {
		k++
	}
	if k == j || (k < len(s) && isWordByte(s[k])) || (k-j == 1 && s[j] != 'Z') {
		return i
	}
	name := s[j:k]
	if m, ok := zoneMinutes[name]; ok {
		setZone(st, m)
		return k
	}
	if j > i && isUnknownZone(name) {
		return k
	}
	return i
}

// isUnknownZone names the abbreviations that mean several offsets.
func isUnknownZone(name string) bool {
	switch name {
	case "CST", "IST", "AST", "ADT", "AMT", "ECT", "GST", "SST", "WST", "LMT":
		return true
	}
	return false
}

func numericZone(s string, i, j int, st *Stamp) int {
	n := digits(s, j+1)
	var h, m, end int
	switch {
	case n == 2 && j+5 < len(s) && s[j+3] == ':' && digits(s, j+4) == 2:
		h, m, end = num(s[j+1:j+3]), num(s[j+4:j+6]), j+6
	case n == 4:
		h, m, end = num(s[j+1:j+3]), num(s[j+3:j+5]), j+5
	case n == 2 && (j+3 >= len(s) || !isWordByte(s[j+3])):
		h, m, end = num(s[j+1:j+3]), 0, j+3
	default:
		return i
	}
	if h > 15 || m > 59 {
		return i
	}
	total := h*60 + m
	if s[j] == '-' {
		total = -total
	}
	setZone(st, total)
	return end
}

func setZone(st *Stamp, minutes int) {
	t := st.Time
	loc := time.UTC
	if minutes != 0 {
		loc = time.FixedZone("", minutes*60)
	}
	st.Time = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), loc)
	st.Zoned = true
}

// stampOf parses s as a time and nothing else, white space around it aside.
func stampOf(s string, c *Context) (Stamp, bool) {
	s = strings.TrimSpace(s)
	st, n, ok := ParseTime(s, c)
	if !ok || n < len(s) {
		return st, ok && strings.TrimSpace(strings.Trim(s[n:], "[]()")) == ""
	}
	return st, true
}
