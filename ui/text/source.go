package text

import "strings"

// Source writes the name of a source in at most w cells: whole where it fits,
// else without the word for its kind, else with its middle left out, because
// names of logs differ at both ends.
func Source(s string, w int) string {
	s = Clean(s)
	if Width(s) <= w {
		return s
	}
	if kind, rest, ok := strings.Cut(s, ":"); ok && (kind == "log" || kind == "journal") && rest != "" {
		s = rest
	}
	return FitMiddle(s, w)
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
