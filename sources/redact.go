package sources

import (
	"fmt"
	"regexp"
	"sort"
	"strings"
)

// Mask is what stands in a redacted text where a secret was cut.
const Mask = "[redacted]"

// Redactor cuts secrets out of text before it is stored or shown. A nil
// Redactor cuts nothing. It is safe for several goroutines.
type Redactor struct {
	keep     []string
	patterns []*regexp.Regexp
}

// NewRedactor returns a Redactor with the built-in rules and the configured
// patterns (RE2; with groups only the groups are cut, else the whole match).
// The texts of keep, the record's id and its spellings, are never cut, not even
// inside a secret.
func NewRedactor(keep []string, patterns ...string) (*Redactor, error) {
	r := &Redactor{}
	for _, k := range keep {
		if k != "" {
			r.keep = append(r.keep, k)
		}
	}
	for _, p := range patterns {
		re, err := regexp.Compile(p)
		if err != nil {
			return nil, fmt.Errorf("redaction pattern %q: %w", p, err)
		}
		r.patterns = append(r.patterns, re)
	}
	return r, nil
}

// Redact returns s without its secrets, and how many were cut. Redacting a
// redacted text changes nothing.
func (r *Redactor) Redact(s string) (string, int) {
	if r == nil {
		return s, 0
	}
	total := 0
	for {
		spans := r.spans(s)
		if len(spans) == 0 {
			return s, total
		}
		next, n := cut(s, spans, r.keep)
		if n == 0 {
			return s, total
		}
		s, total = next, total+n
	}
}

// RedactBytes is Redact for bytes; b itself is never changed and is returned
// as it is when nothing was cut.
func (r *Redactor) RedactBytes(b []byte) ([]byte, int) {
	if r == nil || (len(r.patterns) == 0 && !hasMarker(b)) {
		return b, 0
	}
	s, n := r.Redact(string(b))
	if n == 0 {
		return b, 0
	}
	return []byte(s), n
}

// span is a half-open range of bytes.
type span struct{ from, to int }

func (r *Redactor) spans(s string) []span {
	out := secretSpans(s)
	for _, re := range r.patterns {
		for _, m := range re.FindAllStringSubmatchIndex(s, -1) {
			if len(m) == 2 {
				out = append(out, span{m[0], m[1]})
			}
			for g := 2; g+1 < len(m); g += 2 {
				out = append(out, span{m[g], m[g+1]})
			}
		}
	}
	return out
}

// cut replaces the spans by Mask, except what is a mask already or one of keep.
func cut(s string, spans []span, keep []string) (string, int) {
	spans = merge(spans)
	held := occurrences(s, keep)
	var out strings.Builder
	at, n := 0, 0
	for _, sp := range spans {
		did := false
		for _, piece := range subtract(sp, held) {
			if blank(s[piece.from:piece.to]) {
				continue
			}
			out.WriteString(s[at:piece.from])
			out.WriteString(Mask)
			at, did = piece.to, true
		}
		if did {
			n++
		}
	}
	if n == 0 {
		return s, 0
	}
	out.WriteString(s[at:])
	return out.String(), n
}

// blank is true for white space alone: cutting it would hide nothing.
func blank(s string) bool { return strings.TrimSpace(s) == "" }

// merge sorts spans and joins those that overlap or touch; empty ones go.
func merge(spans []span) []span {
	sort.Slice(spans, func(i, j int) bool { return spans[i].from < spans[j].from })
	var out []span
	for _, sp := range spans {
		if sp.from < 0 || sp.to <= sp.from {
			continue
		}
		if n := len(out); n > 0 && sp.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, sp.to)
			continue
		}
		out = append(out, sp)
	}
	return out
}

// occurrences returns where masks and kept texts stand, overlapping ones too.
func occurrences(s string, keep []string) []span {
	var out []span
	for _, k := range append([]string{Mask}, keep...) {
		for at := 0; ; {
			i := strings.Index(s[at:], k)
			if i < 0 {
				break
			}
			out = append(out, span{at + i, at + i + len(k)})
			at += i + 1
		}
	}
	return merge(out)
}

// subtract returns the parts of sp that no span of held covers.
func subtract(sp span, held []span) []span {
	var out []span
	i := sort.Search(len(held), func(i int) bool { return held[i].to > sp.from })
	for ; i < len(held) && held[i].from < sp.to; i++ {
		if held[i].from > sp.from {
			out = append(out, span{sp.from, held[i].from})
		}
		sp.from = held[i].to
	}
	if sp.from < sp.to {
		out = append(out, sp)
	}
	return out
}
