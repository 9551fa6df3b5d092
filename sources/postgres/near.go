package postgres

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"inquest/sources"
	"inquest/sources/catalog"
	"inquest/sources/heap"
)

// How a near miss differs from the asked key.
const (
	NearNormalised = "normalised" // the same once case, blanks, braces, quotes and hyphens are evened out
	NearOneEdit    = "one-edit"   // one character differs
	NearByteOrder  = "byte-order" // the uuid's bytes in the order of a Windows GUID
)

// Near looks for rows whose key is almost the asked one, through an index only:
// every spelling that normalises to it and every value one character away (not
// for numbers, where neighbours always exist). The columns are those of Rows and
// "difference". It returns nil when nothing can be near or no index serves.
func (s *Server) Near(ctx context.Context, t *TableInfo, m Match) (*sources.Table, error) {
	if len(m.Parts) != 1 || !m.Lead || t.Kind == "f" {
		return nil, nil
	}
	c := &t.Columns[m.Parts[0].AttNum-1]
	variants := variantsOf(catalog.BaseType(c), m.Parts[0].Text)
	if len(variants) == 0 || strings.HasSuffix(c.TypeName, "citext") {
		return nil, nil
	}
	texts := make([]string, 0, len(variants))
	for v := range variants {
		texts = append(texts, v)
	}
	q := sources.Query{
		SQL: fmt.Sprintf(`select t.tableoid::regclass::text as tableoid, t.ctid::text as ctid, t.xmin::text as xmin, t.xmax::text as xmax, t.*, t.%s::text as "inquest key"
from %s t where t.%s = any($1)`, catalog.QuoteIdent(c.Name), t.FullName(), catalog.QuoteIdent(c.Name)),
		Args: []string{textArray(texts)}, MaxRows: mostRows, Scans: true, Note: "rows whose key is almost the asked one",
	}
	tab, err := s.Query(ctx, q)
	if err != nil {
		return nil, err
	}
	last := len(tab.Columns) - 1
	tab.Columns[last] = "difference"
	for i := range tab.Rows {
		how := variants[*tab.Rows[i][last]]
		tab.Rows[i][last] = &how
	}
	return tab, nil
}

// variantsOf returns the values near a key, as the server prints them, with how
// they differ. The key itself is not among them.
func variantsOf(oid uint32, key string) map[string]string {
	out := map[string]string{}
	switch oid {
	case catalog.TypeOIDs["uuid"]:
		raw, err := heap.EncodeKey(oid, key)
		if err != nil {
			return nil
		}
		uuidVariants(out, raw)
	case catalog.TypeOIDs["text"], catalog.TypeOIDs["varchar"], catalog.TypeOIDs["bpchar"]:
		textVariants(out, key)
	}
	return out
}

func uuidVariants(out map[string]string, raw []byte) {
	self := hex.EncodeToString(raw)
	digits := []byte(self)
	for i, was := range digits {
		for _, d := range []byte("0123456789abcdef") {
			digits[i] = d
			if d != was {
				out[hyphens(string(digits))] = NearOneEdit
			}
		}
		digits[i] = was
	}
	swapped := []byte{raw[3], raw[2], raw[1], raw[0], raw[5], raw[4], raw[7], raw[6]}
	if h := hex.EncodeToString(append(swapped, raw[8:]...)); h != self {
		out[hyphens(h)] = NearByteOrder
	}
}

func hyphens(h string) string {
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// shortestEdit is the length from which on one changed character is a mistake
// rather than another id.
const shortestEdit = 12

func textVariants(out map[string]string, key string) {
	plain := strings.Trim(strings.TrimSpace(key), `{}"'`)
	forms := []string{plain, key}
	if raw, err := heap.EncodeKey(catalog.TypeOIDs["uuid"], plain); err == nil {
		h := hex.EncodeToString(raw)
		forms = append(forms, h, hyphens(h), "{"+hyphens(h)+"}")
	}
	if len(plain) >= shortestEdit {
		edits(out, plain)
	}
	for _, f := range forms {
		for _, cased := range []string{f, strings.ToLower(f), strings.ToUpper(f)} {
			for _, v := range []string{cased, " " + cased, cased + " ", cased + "\n", cased + "\r\n", `"` + cased + `"`, "{" + cased + "}"} {
				out[v] = NearNormalised
			}
		}
	}
	delete(out, key)
}

// edits adds every text with one character of the key replaced by another of
// its kind, left out, or swapped with the next.
func edits(out map[string]string, key string) {
	for i := range key {
		out[key[:i]+key[i+1:]] = NearOneEdit
		if i+1 < len(key) && key[i] != key[i+1] {
			out[key[:i]+key[i+1:i+2]+key[i:i+1]+key[i+2:]] = NearOneEdit
		}
		for _, d := range alphabet(key) {
			if d != key[i] && key[i] != '-' {
				out[key[:i]+string(d)+key[i+1:]] = NearOneEdit
			}
		}
	}
}

// alphabet is what the characters of a key are taken from.
func alphabet(key string) []byte {
	letters := "abcdefghijklmnopqrstuvwxyz"
	if strings.Trim(strings.ToLower(key), "0123456789abcdef-") == "" {
		letters = "abcdef"
	}
	if key == strings.ToUpper(key) {
		letters = strings.ToUpper(letters)
	}
	return []byte("0123456789" + letters)
}
