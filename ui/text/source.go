package text

import "strings"

// Source writes the name of a log or another source in at most w cells, for
// columns of them: without the word for its kind, and with its middle left out
// where it is too long, because names of logs differ at both ends.
func Source(s string, w int) string { return FitMiddle(SourceName(s), w) }

// SourceName is the cleaned name of a source without the word for its kind.
func SourceName(s string) string {
	s = Clean(s)
	if rest, ok := strings.CutPrefix(s, "log:"); ok && rest != "" {
		return rest
	}
	return s
}

// FitMiddle cuts the middle of s, with an ellipsis where something was cut.
func FitMiddle(s string, w int) string {
	if Width(s) <= w {
		return s
	}
	if w < 5 {
		return Fit(s, w)
	}
	left := (w - 1) * 3 / 5
	head := strings.TrimSuffix(Fit(s, left+1), "…")
	return head + FitLeft(s, w-Width(head))
}
