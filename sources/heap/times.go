package heap

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"time"
)

// EpochOffset is the number of seconds from 1970-01-01 to PostgreSQL's epoch, 2000-01-01 (datatype/timestamp.h).
const EpochOffset = 946684800

// Time converts a PostgreSQL timestamp, in microseconds since 2000-01-01, to a UTC time.
func Time(micros int64) time.Time {
	sec, us := floorDiv(micros, 1e6)
	return time.Unix(sec+EpochOffset, us*1000).UTC()
}

func floorDiv(a, b int64) (int64, int64) {
	q, r := a/b, a%b
	if r < 0 {
		q, r = q-1, r+b
	}
	return q, r
}

func timeText(oid uint32, b []byte) (string, bool) {
	le := binary.LittleEndian
	switch oid {
	case oidDate:
		return dateText(int32(le.Uint32(b))), true
	case oidTime:
		return clockText(int64(le.Uint64(b))), true
	case oidTimetz:
		return clockText(int64(le.Uint64(b))) + zoneText(int32(le.Uint32(b[8:]))), true
	case oidTimestamp:
		return timestampText(int64(le.Uint64(b)), ""), true
	case oidTimestamptz:
		return timestampText(int64(le.Uint64(b)), "+00"), true
	case oidInterval:
		return intervalText(int64(le.Uint64(b)), int32(le.Uint32(b[8:])), int32(le.Uint32(b[12:]))), true
	}
	return "", false
}

func infinityText(v, low, high int64) (string, bool) {
	switch v {
	case low:
		return "-infinity", true
	case high:
		return "infinity", true
	}
	return "", false
}

func dayText(t time.Time) (day, era string) {
	y := t.Year()
	if y <= 0 {
		y, era = 1-y, " BC"
	}
	return fmt.Sprintf("%04d-%02d-%02d", y, t.Month(), t.Day()), era
}

func dateText(days int32) string {
	if s, ok := infinityText(int64(days), math.MinInt32, math.MaxInt32); ok {
		return s
	}
	day, era := dayText(time.Unix(int64(days)*86400+EpochOffset, 0).UTC())
	return day + era
}

func timestampText(micros int64, zone string) string {
	if s, ok := infinityText(micros, math.MinInt64, math.MaxInt64); ok {
		return s
	}
	day, era := dayText(Time(micros))
	_, inDay := floorDiv(micros, 86400e6)
	return day + " " + clockText(inDay) + zone + era
}

// clockText prints microseconds since midnight with a fraction only when there is one.
func clockText(us int64) string {
	sign := ""
	if us < 0 {
		sign, us = "-", -us
	}
	u := uint64(us)
	s := fmt.Sprintf("%s%02d:%02d:%02d", sign, u/3600e6, u/60e6%60, u/1e6%60)
	if f := u % 1e6; f != 0 {
		s += strings.TrimRight(fmt.Sprintf(".%06d", f), "0")
	}
	return s
}

// zoneText prints a timetz zone, stored in seconds west of Greenwich.
func zoneText(west int32) string {
	sign, v := "+", -int64(west)
	if v < 0 {
		sign, v = "-", -v
	}
	s := fmt.Sprintf("%s%02d", sign, v/3600)
	if v%3600 != 0 {
		s += fmt.Sprintf(":%02d", v/60%60)
	}
	if v%60 != 0 {
		s += fmt.Sprintf(":%02d", v%60)
	}
	return s
}

// intervalText prints in IntervalStyle postgres.
func intervalText(us int64, days, months int32) string {
	if days == math.MaxInt32 && months == math.MaxInt32 && us == math.MaxInt64 {
		return "infinity"
	}
	if days == math.MinInt32 && months == math.MinInt32 && us == math.MinInt64 {
		return "-infinity"
	}
	var parts []string
	negative := false
	add := func(n int32, unit string) {
		if n == 0 {
			return
		}
		plus := ""
		if negative && n > 0 {
			plus = "+"
		}
		if n != 1 {
			unit += "s"
		}
		parts, negative = append(parts, fmt.Sprintf("%s%d %s", plus, n, unit)), n < 0
	}
	add(months/12, "year")
	add(months%12, "mon")
	add(days, "day")
	if us != 0 || len(parts) == 0 {
		s := clockText(us)
		if negative && us > 0 {
			s = "+" + s
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, " ")
}
