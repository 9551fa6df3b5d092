package sources

import "strings"

// rule finds the secret that a marker announces: the marker stands at
// s[at:end], the answer is the span to cut (empty: none).
type rule func(s string, at, end int) span

// markers are lower-case texts that announce a secret. Longer ones come before
// their own prefixes.
var markers = []struct {
	text string
	rule rule
}{
	{"password", passwordValue},
	{"passwd", passwordValue},
	{"passphrase", passwordValue},
	{"pwd", pwdValue},
	{"secret", keyedValue},
	{"token", keyedValue},
	{"api_key", keyedValue},
	{"api-key", keyedValue},
	{"apikey", keyedValue},
	{"access_key", keyedValue},
	{"access-key", keyedValue},
	{"accesskey", keyedValue},
	{"accountkey", keyedValue},
	{"secret_key", keyedValue},
	{"secretkey", keyedValue},
	{"private_key", keyedValue},
	{"privatekey", keyedValue},
	{"x-amz-signature", keyedValue},
	{"authorization", authorizationValue},
	{"bearer ", bearerToken},
	{"cookie", cookieValue},
	{"://", userinfoPassword},
	{"eyj", jwt},
	{"akia", prefixed("AKIA", 16, 16, isUpperAlnum)},
	{"asia", prefixed("ASIA", 16, 16, isUpperAlnum)},
	{"ghp_", prefixed("ghp_", 30, 255, isAlnum)},
	{"gho_", prefixed("gho_", 30, 255, isAlnum)},
	{"ghs_", prefixed("ghs_", 30, 255, isAlnum)},
	{"github_pat_", prefixed("github_pat_", 30, 255, isWord)},
	{"glpat-", prefixed("glpat-", 20, 255, isTokenByte)},
	{"xoxb-", prefixed("xoxb-", 10, 255, isTokenByte)},
	{"xoxp-", prefixed("xoxp-", 10, 255, isTokenByte)},
	{"aiza", prefixed("AIza", 35, 35, isTokenByte)},
	{"sk_live_", prefixed("sk_live_", 16, 255, isAlnum)},
	{"private key-----", pemKey},
	{"scram-sha-256$", scramVerifier},
	{"md5", md5Verifier},
	{"identified by", passwordValue},
}

// pairs tells by the first two bytes of a marker, in either case, which markers
// start so: the scan looks at anything else only once.
var pairs = newPairTable()

type pairTable struct {
	group   [1 << 16]uint16 // index in markers; zero: none starts so
	markers [][]uint8
	seen    [1 << 13]byte // the same as bits, small enough to stay in the cache
}

func newPairTable() *pairTable {
	t := &pairTable{markers: make([][]uint8, 1)}
	for i, m := range markers {
		for _, a := range cases(m.text[0]) {
			for _, b := range cases(m.text[1]) {
				k := int(a)<<8 | int(b)
				if t.group[k] == 0 {
					t.group[k], t.markers = uint16(len(t.markers)), append(t.markers, nil)
				}
				g := t.group[k]
				t.markers[g] = append(t.markers[g], uint8(i))
				t.seen[k>>3] |= 1 << (k & 7)
			}
		}
	}
	return t
}

func cases(c byte) []byte {
	if c >= 'a' && c <= 'z' {
		return []byte{c, c - 'a' + 'A'}
	}
	return []byte{c}
}

// markerAt returns the marker that stands at i, or -1.
func markerAt[T ~string | ~[]byte](s T, i int) int {
	k := int(s[i])<<8 | int(s[i+1])
	if pairs.seen[k>>3]&(1<<(k&7)) == 0 {
		return -1
	}
	for _, m := range pairs.markers[pairs.group[k]] {
		if text := markers[m].text; len(s)-i >= len(text) && foldEqual(s[i:i+len(text)], text) {
			return int(m)
		}
	}
	return -1
}

func foldEqual[T ~string | ~[]byte](s T, lower string) bool {
	for i := range len(lower) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

func hasMarker[T ~string | ~[]byte](s T) bool {
	for i := 0; i+1 < len(s); i++ {
		if markerAt(s, i) >= 0 {
			return true
		}
	}
	return false
}

// secretSpans returns what the built-in rules want to cut.
func secretSpans(s string) []span {
	var out []span
	for i := 0; i+1 < len(s); i++ {
		m := markerAt(s, i)
		if m < 0 {
			continue
		}
		if sp := markers[m].rule(s, i, i+len(markers[m].text)); sp.to > sp.from {
			out = append(out, sp)
			if sp.to > i && sp.from <= i+len(markers[m].text) {
				i = sp.to - 1
			}
		}
	}
	return out
}

// userinfoPassword finds the password of scheme://user:password@host. The
// user may be empty; the last @ before the path ends the password.
func userinfoPassword(s string, _, end int) span {
	colon, last := -1, -1
	for i := end; i < len(s) && i < end+1024; i++ {
		c := s[i]
		if c <= ' ' || strings.IndexByte(`/?#"'<>\`+"`", c) >= 0 {
			break
		}
		if c == ':' && colon < 0 {
			colon = i
		}
		if c == '@' {
			last = i
		}
	}
	if colon < 0 || last <= colon {
		return span{}
	}
	return span{colon + 1, last}
}

func jwt(s string, at, _ int) span {
	if !strings.HasPrefix(s[at:], "eyJ") || (at > 0 && isTokenByte(s[at-1])) {
		return span{}
	}
	head := run(s, at, isTokenByte)
	if head-at < 10 || head >= len(s) || s[head] != '.' {
		return span{}
	}
	body := run(s, head+1, isTokenByte)
	if body-head < 5 || body >= len(s) || s[body] != '.' {
		return span{}
	}
	return span{at, run(s, body+1, isTokenByte)}
}

// prefixed finds keys that give themselves away by how they begin.
func prefixed(prefix string, least, most int, in func(byte) bool) rule {
	return func(s string, at, end int) span {
		if !strings.HasPrefix(s[at:], prefix) || (at > 0 && isAlnum(s[at-1])) {
			return span{}
		}
		to := run(s, end, in)
		if to-end < least || to-end > most {
			return span{}
		}
		return span{at, to}
	}
}

// pemKey cuts everything between the BEGIN and END lines of a private key; a
// key without its end is cut to the end of the text.
func pemKey(s string, at, end int) span {
	if b := strings.LastIndex(s[max(0, at-32):at], "-----BEGIN "); b < 0 {
		return span{}
	}
	if e := strings.Index(s[end:], "-----END "); e >= 0 {
		return span{end, end + e}
	}
	return span{end, len(s)}
}

func scramVerifier(s string, _, end int) span {
	return span{end, run(s, end, func(c byte) bool { return isAlnum(c) || strings.IndexByte("+/=$:", c) >= 0 })}
}

func md5Verifier(s string, at, end int) span {
	to := run(s, end, isHex)
	if to-end != 32 || (at > 0 && isWord(s[at-1])) || (to < len(s) && isWord(s[to])) {
		return span{}
	}
	return span{at, to}
}

func run(s string, at int, in func(byte) bool) int {
	for at < len(s) && in(s[at]) {
		at++
	}
	return at
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func isUpperAlnum(c byte) bool { return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' }

func isAlnum(c byte) bool { return isUpperAlnum(c) || c >= 'a' && c <= 'z' }

func isWord(c byte) bool { return isAlnum(c) || c == '_' }

func isTokenByte(c byte) bool { return isWord(c) || c == '-' }
