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

// filters are regular expressions (RE2) that every line with one of the needles
// matches, all of them; none without needles. The first is a list of plain texts, which
// Loki looks for as such; the second, where every hit must be a token of its own, is slow
// and sees only what is left.
func filters(needles []sources.Needle) []string {
	var texts []string
	plain := false
	for _, n := range needles {
		plain = plain || !n.Whole
		for _, t := range logscan.Texts(n) {
			// LogQL is UTF-8, and so is what comes back.
			if t = strings.ToValidUTF8(t, "\uFFFD"); t != "" && !slices.Contains(texts, t) {
				texts = append(texts, t)
			}
		}
	}
	// A text that holds another is found by that one.
	least := slices.DeleteFunc(slices.Clone(texts), func(t string) bool {
		return slices.ContainsFunc(texts, func(o string) bool { return o != t && strings.Contains(t, o) })
	})
	if len(least) == 0 {
		return nil
	}
	out := []string{alternatives(least)}
	if !plain {
		out = append(out, before+"(?:"+alternatives(texts)+")"+behind)
	}
	return out
}

func alternatives(texts []string) string {
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = regexp.QuoteMeta(t)
	}
	return strings.Join(quoted, "|")
}

// inLines is the query for lines with one of the needles.
func (l *Loki) inLines(needles []sources.Needle) string {
	query := l.selector
	for _, re := range filters(needles) {
		query += " |~ " + strconv.Quote(re)
	}
	return query
}

// inMetadata is the query for lines whose structured metadata of one of the
// names holds a needle; empty when there is nothing to look in. It matches whole values.
func (l *Loki) inMetadata(needles []sources.Needle, names []string) string {
	list := filters(needles)
	if len(list) == 0 || len(names) == 0 {
		return ""
	}
	var parts []string
	for _, name := range names {
		parts = append(parts, fmt.Sprintf("%s=~%s", name, strconv.Quote("(?s).*(?:"+list[0]+").*")))
	}
	return l.selector + " | (" + strings.Join(parts, " or ") + ")"
}

var labelName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// command finds the same lines by hand.
func (l *Loki) command(query string, w sources.Window) string {
	return fmt.Sprintf("logcli query --addr=%s --from=%s --to=%s --limit=5000 --forward %s",
		logscan.Quote(l.client.Address()), w.From.Format("2006-01-02T15:04:05.999999999Z"), w.To.Format("2006-01-02T15:04:05.999999999Z"), logscan.Quote(query))
}
