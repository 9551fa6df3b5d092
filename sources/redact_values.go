package sources

import "strings"

// passwordValue finds what follows the word password: = or : and a value, a
// quoted text as in SQL, or the next argument of a --password option.
func passwordValue(s string, at, end int) span {
	if sp, ok := afterSign(s, end); ok {
		return sp.value(s, func(string) bool { return true })
	}
	i := skipSpace(s, end)
	if i == end {
		return span{}
	}
	if i < len(s) && (s[i] == 'E' || s[i] == 'e') && i+1 < len(s) && s[i+1] == '\'' {
		i++
	}
	if open := opener(s, i); open != "" {
		return quoted(s, i, open)
	}
	if strings.HasPrefix(s[i:], "$$") {
		if e := strings.Index(s[i+2:], "$$"); e >= 0 {
			return span{i + 2, i + 2 + e}
		}
	}
	if isOption(s, at) {
		return bare(s, i)
	}
	return span{}
}

// pwdValue is passwordValue but for the shell's working directory.
func pwdValue(s string, at, end int) span {
	sp := passwordValue(s, at, end)
	if sp.to > sp.from && strings.IndexByte(`/~.`, s[sp.from]) >= 0 {
		return span{}
	}
	return sp
}

// keyedValue finds key=value and key: value. After a colon and a space a bare
// word must look like a secret, because people write "token: expired" too.
func keyedValue(s string, at, end int) span {
	sp, ok := afterSign(s, end)
	if !ok {
		if i := skipSpace(s, end); i > end && isOption(s, at) {
			return bare(s, i)
		}
		return span{}
	}
	return sp.value(s, looksSecret)
}

// authorizationValue cuts the credentials of a header and leaves its scheme.
func authorizationValue(s string, _, end int) span {
	sp, ok := afterSign(s, end)
	if !ok {
		return span{}
	}
	from, limit := sp.at, lineEnd(s, sp.at)
	if open := opener(s, sp.at); open != "" {
		q := quoted(s, sp.at, open)
		from, limit = q.from, q.to
	}
	word := from
	for word < limit && isTokenByte(s[word]) {
		word++
	}
	if word < limit && s[word] == ' ' && isScheme(s[from:word]) {
		if strings.EqualFold(s[from:word], "digest") || strings.HasPrefix(s[from:word], "AWS4") {
			return span{word + 1, limit}
		}
		return span{word + 1, min(limit, bare(s, word+1).to)}
	}
	if opener(s, sp.at) != "" {
		return span{from, limit}
	}
	return sp.value(s, looksSecret)
}

func isScheme(s string) bool {
	switch strings.ToLower(s) {
	case "bearer", "basic", "digest", "negotiate", "ntlm", "apikey", "token", "aws4-hmac-sha256":
		return true
	}
	return false
}

func bearerToken(s string, at, end int) span {
	if at > 0 && isWord(s[at-1]) {
		return span{}
	}
	to := run(s, end, func(c byte) bool { return isTokenByte(c) || strings.IndexByte(".~+/=", c) >= 0 })
	if to-end < 12 || !looksSecret(s[end:to]) {
		return span{}
	}
	return span{end, to}
}

// cookieValue cuts the whole of a Cookie or Set-Cookie header.
func cookieValue(s string, _, end int) span {
	sp, ok := afterSign(s, end)
	if !ok {
		return span{}
	}
	if open := opener(s, sp.at); open != "" {
		return quoted(s, sp.at, open)
	}
	to := sp.at
	for to < len(s) && s[to] != '\n' && s[to] != '\r' && s[to] != '"' {
		to++
	}
	if strings.IndexByte(s[sp.at:to], '=') < 0 {
		return span{}
	}
	return span{sp.at, to}
}

// sign says where a value begins after = or :, and whether it was ": ".
type sign struct {
	at    int
	prose bool
}

// afterSign steps over the closing quote of a key, the sign and white space.
func afterSign(s string, i int) (sign, bool) {
	for i < len(s) && s[i] == '\\' {
		i++
	}
	switch {
	case strings.HasPrefix(s[i:], "u0022"), strings.HasPrefix(s[i:], "u0027"):
		i += len("u0022")
	case i < len(s) && (s[i] == '"' || s[i] == '\'' || s[i] == '`' || s[i] == ']'):
		i++
	}
	i = skipSpace(s, i)
	if i >= len(s) || (s[i] != '=' && s[i] != ':') {
		return sign{}, false
	}
	colon := s[i] == ':'
	i++
	if i < len(s) && (s[i] == '>' || s[i] == '=') {
		i++
	}
	v := skipSpace(s, i)
	prose := colon && v > i
	if v < len(s) && s[v] == '[' && opener(s, v+1) != "" {
		v++
	}
	return sign{at: v, prose: prose}, true
}

func (g sign) value(s string, secret func(string) bool) span {
	if open := opener(s, g.at); open != "" {
		return quoted(s, g.at, open)
	}
	sp := bare(s, g.at)
	v := s[sp.from:sp.to]
	if isPlaceholder(v) || (g.prose && !secret(v)) {
		return span{}
	}
	return sp
}

// looksSecret is true for a word that people would hardly write as prose.
func looksSecret(v string) bool {
	if len(v) >= 20 {
		return true
	}
	return len(v) >= 6 && strings.ContainsAny(v, "0123456789")
}

// isPlaceholder is true for a value that stands for another or for none.
func isPlaceholder(v string) bool {
	if strings.HasPrefix(v, "$") && run(v, 1, func(c byte) bool { return c >= '0' && c <= '9' }) == len(v) {
		return true
	}
	switch strings.ToLower(v) {
	case "null", "nil", "none", "true", "false", "undefined", "%s", "?", "{", "[", "":
		return true
	}
	return strings.Trim(v, "*x.") == ""
}

// opener returns the quote that stands at i with its backslashes, or "".
func opener(s string, i int) string {
	j := i
	for j < len(s) && s[j] == '\\' {
		j++
	}
	switch {
	case j >= len(s):
		return ""
	case s[j] == '"' || s[j] == '\'' || (s[j] == '`' && j == i):
		return s[i : j+1]
	case j > i && (strings.HasPrefix(s[j:], "u0027") || strings.HasPrefix(s[j:], "u0022")):
		return s[i : j+5]
	}
	return ""
}

// quoted returns the inside of the quotation that open begins at i; without an
// end it runs to the end of the line.
func quoted(s string, i int, open string) span {
	from := i + len(open)
	if strings.Contains(open, "u00") {
		if e := strings.Index(s[from:], open); e >= 0 {
			return span{from, from + e}
		}
		return span{from, lineEnd(s, from)}
	}
	depth, quote := len(open)-1, open[len(open)-1]
	slashes := 0
	for j := from; j < len(s); j++ {
		switch c := s[j]; {
		case c == '\\':
			slashes++
			continue
		case c == '\n' && depth == 0 && quote != '\'':
			return span{from, j}
		case c == quote && closes(slashes, depth):
			if depth == 0 && quote == '\'' && j+1 < len(s) && s[j+1] == '\'' {
				j++
				break
			}
			return span{from, j - min(slashes, depth)}
		case c == '"' && depth > 0 && slashes < depth:
			return span{from, j - slashes}
		}
		slashes = 0
	}
	return span{from, lineEnd(s, from)}
}

// closes reports whether a quote after so many backslashes ends a quotation
// that was opened by a quote after depth of them.
func closes(slashes, depth int) bool {
	if depth == 0 {
		return slashes%2 == 0
	}
	return slashes <= depth
}

// bare returns an unquoted value: up to white space, a quote, &, or a
// punctuation mark that ends the value rather than being part of it.
func bare(s string, i int) span {
	j := i
	for ; j < len(s); j++ {
		c := s[j]
		if c <= ' ' || c == '"' || c == '\'' || c == '`' || c == '&' || c == '<' || c == '|' {
			break
		}
		if c == '\\' && j+1 < len(s) && strings.IndexByte(`"'nrtu`, s[j+1]) >= 0 {
			break
		}
		if strings.IndexByte(`,;)}]`, c) >= 0 && endsValue(s, j+1) {
			break
		}
	}
	return span{i, j}
}

// endsValue reports whether what stands after a comma, semicolon or bracket
// shows that the value has ended: nothing, a space, a closer or the next key.
func endsValue(s string, i int) bool {
	if i >= len(s) || s[i] <= ' ' || strings.IndexByte(`"',;)}]\`, s[i]) >= 0 {
		return true
	}
	k := run(s, i, func(c byte) bool { return isTokenByte(c) || c == ' ' || c == '.' })
	return k > i && k < len(s) && (s[k] == '=' || s[k] == ':')
}

// isOption reports whether the word around at begins with two hyphens.
func isOption(s string, at int) bool {
	for at > 0 && isTokenByte(s[at-1]) {
		at--
	}
	return strings.HasPrefix(s[at:], "--")
}

func skipSpace(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t') {
		i++
	}
	return i
}

func lineEnd(s string, i int) int {
	if e := strings.IndexByte(s[i:], '\n'); e >= 0 {
		return i + e
	}
	return len(s)
}
