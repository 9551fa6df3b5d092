package logformat

import (
	"strings"

	"inquest/sources"
)

// levelWords are the names of severities in the formats at hand.
var levelWords = map[string]sources.Level{
	"trace": sources.LevelDebug, "trce": sources.LevelDebug, "trc": sources.LevelDebug, "verbose": sources.LevelDebug, "vrb": sources.LevelDebug,
	"debug": sources.LevelDebug, "dbg": sources.LevelDebug, "dbug": sources.LevelDebug, "fine": sources.LevelDebug, "finer": sources.LevelDebug, "finest": sources.LevelDebug,
	"debug1": sources.LevelDebug, "debug2": sources.LevelDebug, "debug3": sources.LevelDebug, "debug4": sources.LevelDebug, "debug5": sources.LevelDebug,
	"info": sources.LevelInfo, "information": sources.LevelInfo, "inf": sources.LevelInfo, "log": sources.LevelInfo, "informational": sources.LevelInfo, "default": sources.LevelInfo,
	"notice": sources.LevelNotice, "note": sources.LevelNotice,
	"warn": sources.LevelWarning, "warning": sources.LevelWarning, "wrn": sources.LevelWarning,
	"error": sources.LevelError, "err": sources.LevelError, "eror": sources.LevelError, "fail": sources.LevelError, "severe": sources.LevelError,
	"fatal": sources.LevelFatal, "ftl": sources.LevelFatal, "critical": sources.LevelFatal, "crit": sources.LevelFatal, "crt": sources.LevelFatal,
	"panic": sources.LevelFatal, "dpanic": sources.LevelFatal, "alert": sources.LevelFatal, "emerg": sources.LevelFatal, "emergency": sources.LevelFatal,
}

// levelOf returns the level that a word names; letter levels are for callers
// that know that a single letter is one.
func levelOf(word string) (sources.Level, bool) {
	l, ok := levelWords[strings.ToLower(strings.TrimSpace(word))]
	return l, ok
}

func letterLevel(c byte) sources.Level {
	switch c | 32 {
	case 'v', 'd', 't':
		return sources.LevelDebug
	case 'i':
		return sources.LevelInfo
	case 'n':
		return sources.LevelNotice
	case 'w':
		return sources.LevelWarning
	case 'e':
		return sources.LevelError
	case 'f', 'c':
		return sources.LevelFatal
	}
	return ""
}

// numericLevel reads bunyan's and pino's 10 to 60.
func numericLevel(s string) (sources.Level, bool) {
	switch s {
	case "10", "20":
		return sources.LevelDebug, true
	case "30":
		return sources.LevelInfo, true
	case "40":
		return sources.LevelWarning, true
	case "50":
		return sources.LevelError, true
	case "60":
		return sources.LevelFatal, true
	}
	return "", false
}

// syslogLevel reads the severity of a syslog priority, 0 to 7.
func syslogLevel(sev int) sources.Level {
	return [...]sources.Level{
		sources.LevelFatal, sources.LevelFatal, sources.LevelFatal, sources.LevelError,
		sources.LevelWarning, sources.LevelNotice, sources.LevelInfo, sources.LevelDebug,
	}[sev&7]
}
