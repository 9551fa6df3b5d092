package probes

import (
	"strings"
	"unicode/utf8"
)

// kindOfToken is what a token of SQL is.
type kindOfToken int

// The kinds of tokens. A word is an identifier or a keyword in lower case, a name
// an identifier in double quotes, a sign an operator or a punctuation mark.
const (
	tokenEnd kindOfToken = iota
	tokenWord
	tokenName
	tokenString
	tokenNumber
	tokenParam
	tokenSign
	tokenOther // something that is not understood, such as E'…' with escapes
)

type token struct {
	kind kindOfToken
	text string // of a string: its value
	from int    // where it begins
}

// is reports whether the token is this sign.
func (t token) is(sign string) bool { return t.kind == tokenSign && t.text == sign }

// signs are the operators and marks of two characters and more that are known.
var signs = []string{"::", "<=", ">=", "<>", "!=", ":=", "||", "->>", "->", "=>"}

// lexSQL splits SQL into tokens as PostgreSQL does (scan.l): comments go, words are
// folded to lower case, strings and quoted names are told apart. It never fails:
// what it does not know becomes a tokenOther.
func lexSQL(sql string) []token {
	var out []token
	s := sql
	for s != "" {
		from, n := len(sql)-len(s), len(out)
		out, s = lexOne(out, s)
		if len(out) > n {
			out[n].from = from
		}
	}
	return out
}

// lexOne takes what s begins with off it.
func lexOne(out []token, s string) ([]token, string) {
	switch c := s[0]; {
	case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f':
		s = s[1:]
	case strings.HasPrefix(s, "--"):
		_, s, _ = strings.Cut(s, "\n")
	case strings.HasPrefix(s, "/*"):
		s = s[commentEnd(s):]
	case c == '\'':
		text, rest, ok := quotedText(s, '\'')
		out, s = append(out, stringOr(text, ok)), rest
	case c == '"':
		text, rest, ok := quotedText(s, '"')
		t := token{kind: tokenName, text: text}
		if !ok {
			t.kind = tokenOther
		}
		out, s = append(out, t), rest
	case c == '$':
		t, rest := dollar(s)
		out, s = append(out, t), rest
	case c >= '0' && c <= '9' || c == '.' && len(s) > 1 && s[1] >= '0' && s[1] <= '9':
		n := numberEnd(s)
		out, s = append(out, token{kind: tokenNumber, text: s[:n]}), s[n:]
	case isLetter(rune(c)) || c >= utf8.RuneSelf:
		n := wordEnd(s)
		if n < len(s) && s[n] == '\'' { // E'…', B'…', U&'…': not understood
			_, rest, _ := quotedText(s[n:], '\'')
			return append(out, token{kind: tokenOther, text: s[:n]}), rest
		}
		out, s = append(out, token{kind: tokenWord, text: strings.ToLower(s[:n])}), s[n:]
	default:
		n := 1
		for _, sign := range signs {
			if strings.HasPrefix(s, sign) {
				n = max(n, len(sign))
			}
		}
		out, s = append(out, token{kind: tokenSign, text: s[:n]}), s[n:]
	}
	return out, s
}

func stringOr(text string, ok bool) token {
	if !ok {
		return token{kind: tokenOther, text: text}
	}
	return token{kind: tokenString, text: text}
}

// quotedText reads a text in quotes, which are doubled inside. ok is false when it
// is not closed.
func quotedText(s string, quote byte) (text, rest string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != quote {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == quote {
			b.WriteByte(quote)
			i++
			continue
		}
		return b.String(), s[i+1:], true
	}
	return b.String(), "", false
}

// dollar reads $1 or a text in dollar quotes.
func dollar(s string) (t token, rest string) {
	n := 1
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	if n > 1 {
		return token{kind: tokenParam, text: s[:n]}, s[n:]
	}
	end := strings.IndexByte(s[1:], '$')
	if end < 0 || strings.Trim(strings.ToLower(s[1:1+end]), "abcdefghijklmnopqrstuvwxyz_0123456789") != "" {
		return token{kind: tokenOther, text: "$"}, s[1:]
	}
	mark := s[:end+2]
	text, rest, ok := strings.Cut(s[len(mark):], mark)
	return stringOr(text, ok), rest
}

func commentEnd(s string) int {
	depth := 0
	for i := 0; i+1 < len(s); i++ {
		switch s[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			depth--
			i++
			if depth == 0 {
				return i + 1
			}
		}
	}
	return len(s)
}

func numberEnd(s string) int {
	n := 0
	for n < len(s) && (s[n] >= '0' && s[n] <= '9' || s[n] == '.') {
		n++
	}
	return n
}

func wordEnd(s string) int {
	n := 0
	for n < len(s) && (isLetter(rune(s[n])) || s[n] >= utf8.RuneSelf || s[n] >= '0' && s[n] <= '9' || s[n] == '$') {
		n++
	}
	return n
}
