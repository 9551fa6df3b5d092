package loki

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"inquest/sources"
	"inquest/sources/logscan"
)

// What may stand before a token: nothing, what is no part of a word, or an
// escape of JSON or of a URL. Loki cannot know a token as exactly as logscan does;
// this lets through whatever may be one.
const (
	before = `(?:^|[^0-9A-Za-z_]|\\[ntr]|\\u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2})`
	behind = `(?:[^0-9A-Za-z_]|$)`
)

// filter is a regular expression (RE2) that every line with one of the needles
// matches; empty without needles.
func filter(needles []sources.Needle) string {
	var plain, whole []string
	for _, n := range needles {
		list := &plain
		if n.Whole {
			list = &whole
		}
		for _, t := range logscan.Texts(n) {
			if t != "" && !slices.Contains(*list, t) {
				*list = append(*list, t)
			}
		}
	}
	// A text that holds another is found by that one.
	covered := func(t string) bool {
		return slices.ContainsFunc(plain, func(o string) bool { return o != t && strings.Contains(t, o) })
	}
	plain = slices.DeleteFunc(slices.Clone(plain), covered)
	whole = slices.DeleteFunc(whole, covered)
	var parts []string
	for _, t := range plain {
		parts = append(parts, regexp.QuoteMeta(t))
	}
	if len(whole) > 0 {
		words := make([]string, len(whole))
		for i, t := range whole {
			words[i] = regexp.QuoteMeta(t)
		}
		parts = append(parts, before+"(?:"+strings.Join(words, "|")+")"+behind)
	}
	return strings.Join(parts, "|")
}

// inLines is the query for lines with one of the needles.
func (l *Loki) inLines(needles []sources.Needle) string {
	re := filter(needles)
	if re == "" {
		return l.selector
	}
	return l.selector + " |~ " + strconv.Quote(re)
}

// inMetadata is the query for lines whose structured metadata of one of the
// names holds a needle; empty when there is nothing to look in. It matches whole values.
func (l *Loki) inMetadata(needles []sources.Needle, names []string) string {
	re := filter(needles)
	if re == "" || len(names) == 0 {
		return ""
	}
	var parts []string
	for _, name := range names {
		parts = append(parts, fmt.Sprintf("%s=~%s", name, strconv.Quote("(?s).*(?:"+re+").*")))
	}
	return l.selector + " | (" + strings.Join(parts, " or ") + ")"
}

var labelName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// command finds the same lines by hand.
func (l *Loki) command(query string, w sources.Window) string {
	return fmt.Sprintf("logcli query --addr=%s --from=%s --to=%s --limit=5000 --forward %s",
		logscan.Quote(l.client.Address()), w.From.Format("2006-01-02T15:04:05.999999999Z"), w.To.Format("2006-01-02T15:04:05.999999999Z"), logscan.Quote(query))
}
