package sources

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
)

// Spellings returns the ways in which an id may stand in a log: as given, in
// the other case, without hyphens, in base64 of its bytes, and URL-escaped. A
// number is looked for only as a token of its own. The order is stable and no
// text occurs twice.
func Spellings(id string) []Needle {
	s := spelling{seen: map[string]bool{}}
	numeric := isDigits(id)
	s.whole = numeric || len(id) < 8
	s.add(id, "the id")
	if numeric {
		return s.out
	}
	s.add(strings.ToLower(id), "the id in lower case")
	s.add(strings.ToUpper(id), "the id in upper case")
	s.add(url.QueryEscape(id), "the id URL-escaped")
	if raw := uuidBytes(id); raw != nil {
		h := hex.EncodeToString(raw)
		s.add(h, "the id without hyphens")
		s.add(strings.ToUpper(h), "the id without hyphens, in upper case")
		s.add(h[:8]+"-"+h[8:12]+"-"+h[12:16]+"-"+h[16:20]+"-"+h[20:], "the id with hyphens")
		s.add(base64.RawStdEncoding.EncodeToString(raw), "the id's bytes in base64")
		s.add(base64.RawURLEncoding.EncodeToString(raw), "the id's bytes in URL base64")
		s.weak = true
		s.add(h[:8]+"-"+h[8:12], "the first twelve digits of the id")
	}
	return s.out
}

type spelling struct {
	out         []Needle
	seen        map[string]bool
	whole, weak bool
}

func (s *spelling) add(text, how string) {
	if text == "" || s.seen[text] {
		return
	}
	s.seen[text] = true
	s.out = append(s.out, Needle{Text: text, How: how, Whole: s.whole, Weak: s.weak})
}

func isDigits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s != ""
}

// uuidBytes returns the 16 bytes of a UUID in any of PostgreSQL's accepted
// spellings, or nil when id is none.
func uuidBytes(id string) []byte {
	h := strings.NewReplacer("-", "", "{", "", "}", "").Replace(strings.TrimSpace(id))
	if len(h) != 32 {
		return nil
	}
	raw, err := hex.DecodeString(h)
	if err != nil {
		return nil
	}
	return raw
}
