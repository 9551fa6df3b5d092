package logscan

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf16"

	"inquest/sources"
	"inquest/sources/scan"
)

// needles are what a search looks for: each needle of the query and the ways
// in which JSON may escape it.
type needles struct {
	query  []sources.Needle
	of     []int // index in query of each text
	texts  [][]byte
	finder *scan.Finder
}

func newNeedles(query []sources.Needle) *needles {
	n := &needles{query: query}
	seen := map[string]bool{}
	for i, q := range query {
		for _, t := range Texts(q) {
			key := fmt.Sprint(t, "\x00", q.Whole, q.Field, q.Weak)
			if t == "" || seen[key] {
				continue
			}
			seen[key] = true
			n.of = append(n.of, i)
			n.texts = append(n.texts, []byte(t))
		}
	}
	n.finder = scan.New(n.texts)
	return n
}

// tuneLeast is the size of a file from which on the choice of a finder for it
// costs less than it saves.
const tuneLeast = 4 << 20

// tuned returns the same needles with a finder for a large file of which a sample
// is at hand.
func (n *needles) tuned(sample []byte) *needles {
	if len(sample) == 0 {
		return n
	}
	m := *n
	m.finder = scan.NewFor(n.texts, sample)
	return &m
}

// tail returns the last of the lines of a large file, which are from its end where
// it can be sought; nil for a small one.
func tail(lines []string, file int64) []byte {
	if file < tuneLeast {
		return nil
	}
	size, from := 0, len(lines)
	for from > 0 && size < 8<<10 {
		from--
		size += len(lines[from])
	}
	b := []byte(strings.Join(lines[from:], "\n"))
	return bytes.Clone(b[:min(len(b), 16<<10)])
}

// Texts returns the texts that show a needle: as it is, and as JSON encoders
// write it. Some may occur twice.
func Texts(n sources.Needle) []string { return append([]string{n.Text}, jsonSpellings(n.Text)...) }

// jsonSpellings returns how JSON encoders may write a text: as Go and as .NET
// escape it, and with an escaped slash. Nothing when all write it alike.
func jsonSpellings(s string) []string {
	short := escape(s, func(r rune) bool { return r < ' ' })
	out := []string{
		short,
		strings.ReplaceAll(short, "/", `\/`),
		escape(s, func(r rune) bool { return r < ' ' || r == '<' || r == '>' || r == '&' }),
		escape(s, func(r rune) bool { return r < ' ' || r > '~' }),
	}
	// .NET's default encoder escapes quotes, signs and all beyond ASCII.
	net := escapeAll(s, func(r rune) bool { return r < ' ' || r > '~' || strings.ContainsRune("<>&'+\"`", r) })
	return append(out, net, upperEscapes(net))
}

func escape(s string, odd func(rune) bool) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case odd(r):
			writeEscape(&b, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func escapeAll(s string, odd func(rune) bool) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\\':
			b.WriteString(`\\`)
		case odd(r):
			writeEscape(&b, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func writeEscape(b *strings.Builder, r rune) {
	if r > 0xFFFF {
		hi, lo := utf16.EncodeRune(r)
		fmt.Fprintf(b, `\u%04x\u%04x`, hi, lo)
		return
	}
	fmt.Fprintf(b, `\u%04x`, r)
}

// upperEscapes writes the digits of \u escapes in capitals, as .NET does.
func upperEscapes(s string) string {
	parts := strings.Split(s, `\u`)
	for i := 1; i < len(parts); i++ {
		if len(parts[i]) >= 4 {
			parts[i] = strings.ToUpper(parts[i][:4]) + parts[i][4:]
		}
	}
	return strings.Join(parts, `\u`)
}

// whole reports whether the text at b[from:to] is a token of its own. An
// escape right before it (\u0027, \n, %27) ends where the token begins.
func whole(b []byte, from, to int) bool {
	number := digit(b[from]) && digit(b[to-1])
	if from > 0 && !escaped(b[max(0, from-6):from]) {
		c := b[from-1]
		if word(c) || (number && from > 1 && (c == '.' || c == '-') && (digit(b[from-2]) || (c == '-' && !wordy(b[from-2])))) {
			return false
		}
	}
	if to < len(b) {
		c := b[to]
		if word(c) || (number && to+1 < len(b) && (c == '.' || c == '-') && digit(b[to+1])) {
			return false
		}
	}
	return true
}

// escaped reports whether b ends with an escape of JSON or of a URL.
func escaped(b []byte) bool {
	n := len(b)
	if n >= 6 && b[n-6] == '\\' && b[n-5] == 'u' && hex(b[n-4]) && hex(b[n-3]) && hex(b[n-2]) && hex(b[n-1]) {
		return true
	}
	if n >= 3 && b[n-3] == '%' && hex(b[n-2]) && hex(b[n-1]) {
		return true
	}
	return n >= 2 && b[n-2] == '\\' && (b[n-1] == 'n' || b[n-1] == 't' || b[n-1] == 'r')
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func hex(c byte) bool { return digit(c) || c|32 >= 'a' && c|32 <= 'f' }

func word(c byte) bool { return digit(c) || c == '_' || c|32 >= 'a' && c|32 <= 'z' || c >= 0x80 }

// wordy is true for what may stand before a hyphen that joins words.
func wordy(c byte) bool { return word(c) || c == ')' || c == ']' || c == '}' }

// inField reports whether the event satisfies the needle's field: without
// fields there is nothing to restrict.
func inField(e *sources.Event, q sources.Needle) bool {
	if q.Field == "" || len(e.Fields) == 0 {
		return true
	}
	for k, v := range e.Fields {
		last := k[strings.LastIndexByte(k, '.')+1:]
		if !strings.EqualFold(k, q.Field) && !strings.EqualFold(last, q.Field) {
			continue
		}
		if holds(v, q) {
			return true
		}
	}
	return false
}

// why says why a line is here.
func why(q sources.Needle) string {
	if strings.HasPrefix(q.How, "the ") || q.How == "" {
		return strings.TrimSpace("names " + q.How)
	}
	return "has the " + q.How
}
