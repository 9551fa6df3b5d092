package text

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                     "plain",
		"é 中文 …":                    "é 中文 …",
		"a\x1b[31mb":                `a\x1b[31mb`,
		"a\x07\x00\x7f":             `a\x07\x00\x7f`,
		"a\r\nb\tc":                 `a\r⏎b    c`,
		"\u009b31m":                 `\x9b31m`,
		"x\u202ey\u2066z\u200b":     "x<U+202E>y<U+2066>z<U+200B>",
		"bad\xff\xfebytes":          `bad\xff\xfebytes`,
		"\u2028line\u2029":          "<U+2028>line<U+2029>",
		"\U000e0041tag":             "<U+E0041>tag",
		"soft\u00adhyphen\ufeff":    `soft\xadhyphen<U+FEFF>`,
		"a replacement \ufffd char": "a replacement \ufffd char",
	} {
		if got := Clean(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestFit(t *testing.T) {
	for _, c := range []struct {
		in   string
		w    int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"中文字", 5, "中文…"}, {"中文字", 4, "中…"}, {"abc", 0, ""}, {"abc", 1, "…"}} {
		if got := Fit(c.in, c.w); got != c.want {
			t.Errorf("Fit(%q, %d) = %q, want %q", c.in, c.w, got, c.want)
		}
	}
	if got := FitLeft("中文字中文字", 6); Width(got) > 6 {
		t.Errorf("FitLeft: %q", got)
	}
	if got := FitLeft("/very/long/path", 8); got != "…ng/path" {
		t.Errorf("FitLeft: %q", got)
	}
}

func TestShellQuote(t *testing.T) {
	for in, want := range map[string]string{"a/b.c": "a/b.c", "": "''", "it's": `'it'\''s'`, "$(rm)": "'$(rm)'"} {
		if got := ShellQuote(in); got != want {
			t.Errorf("%q: %s", in, got)
		}
	}
}

// FuzzClean demands that clean text holds nothing that drives a terminal, that
// its width is the terminal's, and that it can be cut, filled and turned into
// ASCII at exact widths.
func FuzzClean(f *testing.F) {
	for _, s := range []string{"plain", "\x1b[2J\x1b]0;x\x07", "é e\u0301 中文", "👩‍👩‍👧 🇬🇧 ❤️", "\xff\u202e\t\r\n", "a\u0300\u0301\u0302", "각", "░▁█●⊘"} {
		f.Add(s, 7)
	}
	f.Fuzz(func(t *testing.T, s string, w int) {
		c := Clean(s)
		if !utf8.ValidString(c) {
			t.Fatalf("%q: not valid: %q", s, c)
		}
		for _, r := range c {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Fatalf("%q: %U is left in %q", s, r, c)
			}
		}
		if Clean(c) != c {
			t.Fatalf("%q: not stable: %q", s, c)
		}
		if Width(c) != ansi.StringWidth(c) {
			t.Fatalf("%q: width %d, terminal %d", c, Width(c), ansi.StringWidth(c))
		}
		w = w & 63
		if got := ansi.StringWidth(Pad(c, w)); got != w {
			t.Fatalf("Pad(%q, %d) has %d cells", c, w, got)
		}
		for _, line := range Wrap(c, w+2) {
			if ansi.StringWidth(line) > w+2 {
				t.Fatalf("Wrap(%q, %d): %q", c, w+2, line)
			}
		}
		if a := ASCII(c); strings.IndexFunc(a, func(r rune) bool { return r > '~' }) >= 0 {
			t.Fatalf("ASCII(%q) = %q", c, a)
		}
	})
}
