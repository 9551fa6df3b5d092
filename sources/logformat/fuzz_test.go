package logformat

import (
	"strings"
	"testing"
	"unicode/utf8"

	"inquest/sources"
)

func FuzzParseTime(f *testing.F) {
	for _, s := range []string{
		"2025-11-27T14:58:12.104Z", "27/Nov/2025:14:58:12 +0000", "Nov 27 14:58:12", "Thu, 27 Nov 2025 14:58:12 GMT",
		"11/27/2025 2:58:12 PM", "1.764255492104e+09", "1764255492104", "20251127145812", "2025-11-27 14:58:12 CST", "29-02-2024 00:00:00",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		st, n, ok := ParseTime(s, nil)
		if n < 0 || n > len(s) || (ok && st.Time.IsZero()) {
			t.Fatalf("ParseTime(%q) = %v, %d, %v", s, st, n, ok)
		}
		if ok {
			again, m, ok := ParseTime(s[:n], nil)
			if !ok || m > n || (m == n && !again.Time.Equal(st.Time)) {
				t.Fatalf("ParseTime(%q) = %v, of its own text %q %v", s, st, s[:n], again)
			}
		}
	})
}

func FuzzEveryFormat(f *testing.F) {
	for _, x := range All() {
		for _, s := range x.Samples {
			f.Add(s.Text)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 1<<16 {
			return
		}
		lines := strings.Split(s, "\n")
		Detect(lines, Context{Near: near})
		for _, x := range All() {
			p := x.New(lines)
			if p == nil {
				continue
			}
			rec := []byte(s)
			p.Begins(rec)
			p.Continues([]byte(lines[0]), rec)
			if from, to, ok := p.TimeAt([]byte(lines[0])); ok && (from < 0 || to < from || to > len(lines[0])) {
				t.Fatalf("%s: TimeAt %d:%d of %q", x.Name, from, to, lines[0])
			}
			var e sources.Event
			if p.Parse(rec, &Context{Near: near}, &e) && utf8.ValidString(s) && !utf8.ValidString(e.Message) {
				t.Fatalf("%s: invalid UTF-8 out of valid: %q", x.Name, e.Message)
			}
		}
	})
}
