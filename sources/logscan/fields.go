package logscan

import (
	"strings"

	"inquest/sources"
)

// InFields returns the first needle, a strong one before a weak one, that one of
// the values holds, and why it makes a hit; false when none does.
func InFields(fields map[string]string, needles []sources.Needle) (n sources.Needle, says string, ok bool) {
	best := -1
	for i, q := range needles {
		if best >= 0 && (!needles[best].Weak || q.Weak) {
			continue
		}
		for k, v := range fields {
			last := k[strings.LastIndexByte(k, '.')+1:]
			if q.Field != "" && !strings.EqualFold(k, q.Field) && !strings.EqualFold(last, q.Field) {
				continue
			}
			if holds(v, q) {
				best = i
				break
			}
		}
	}
	if best < 0 {
		return n, "", false
	}
	return needles[best], why(needles[best]), true
}

// holds reports whether a value holds the needle, as a token of its own where
// it must be one.
func holds(v string, q sources.Needle) bool {
	if q.Text == "" {
		return false
	}
	for at := 0; ; {
		i := strings.Index(v[at:], q.Text)
		if i < 0 {
			return false
		}
		if !q.Whole || whole([]byte(v), at+i, at+i+len(q.Text)) {
			return true
		}
		at += i + 1
	}
}
