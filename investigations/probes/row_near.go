package probes

import (
	"fmt"
	"slices"
	"strings"

	inv "inquest/investigations"
	"inquest/sources"
	"inquest/sources/catalog"
)

// Names of the system columns in stored rows; they cannot clash with the table's.
const (
	colTID  = "inquest.ctid"
	colXmin = "inquest.xmin"
	colNear = "inquest.key"
)

// nearQueries ask for keys that equal the id once normalised, or differ in one
// character. Only single keys of text or uuid can be near.
func nearQueries(t catalog.Table, m catalog.Match) []sources.Query {
	if len(m.Parts) != 1 {
		return nil
	}
	col := t.Columns[m.Parts[0].AttNum-1]
	name, id := catalog.QuoteIdent(col.Name), m.Parts[0].Text
	select1 := fmt.Sprintf("SELECT t.%s::text AS \"%s\", t.* FROM ", name, colNear)
	note := "similar ids"
	typ, _, _ := strings.Cut(col.TypeName, "(")
	switch typ {
	case "uuid":
		variants := oneDigitOff(id)
		if variants == nil {
			return nil
		}
		return []sources.Query{{
			SQL:  fmt.Sprintf("%sunnest($1::uuid[]) AS v(id) JOIN %s t ON t.%s = v.id LIMIT 20", select1, t.FullName(), name),
			Args: []string{array(variants)}, Note: note, MaxRows: 20,
		}}
	case "text", "character varying", "varchar", "character", "bpchar", "citext":
		// By the index: the spellings that people and programs make of an id.
		spelt := sources.Query{
			SQL:  fmt.Sprintf("%s%s t WHERE t.%s = ANY ($1::%s[]) AND t.%s::text <> $2::text LIMIT 20", select1, t.FullName(), name, keyType(typ), name),
			Args: []string{textArray(respelt(id)), id}, Note: note, MaxRows: 20,
		}
		// Without it, where the budget allows: whatever is left once case, blanks, braces
		// and hyphens are gone.
		plain := sources.Query{
			SQL: fmt.Sprintf(`%[1]s%[2]s t
WHERE lower(translate(btrim(t.%[3]s::text), '{}- ', '')) = lower(translate(btrim($1::text), '{}- ', '')) AND t.%[3]s::text <> $1::text LIMIT 20`, select1, t.FullName(), name),
			Args: []string{id}, Scans: true, Note: note, MaxRows: 20,
		}
		return []sources.Query{spelt, plain}
	}
	return nil
}

// keyType is the type that a list of keys is compared as, so that the index serves.
func keyType(typ string) string {
	if typ == "character" || typ == "bpchar" {
		return "bpchar"
	}
	return "text"
}

// respelt lists the texts that an id may have been before somebody changed its
// case, took blanks or punctuation off, or mistyped one character of it.
func respelt(id string) []string {
	const longest = 64
	trimmed := strings.TrimSpace(id)
	out := []string{trimmed, strings.ToUpper(trimmed), strings.ToLower(trimmed), "{" + trimmed + "}", strings.Trim(trimmed, "{}"), strings.ReplaceAll(trimmed, "-", ""), strings.ReplaceAll(trimmed, "_", "-")}
	if len(trimmed) <= longest && len(trimmed) >= shortestRespelt {
		for _, s := range []string{trimmed, strings.ToUpper(trimmed), strings.ToLower(trimmed)} {
			out = append(out, oneCharOff(s)...)
		}
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(s string) bool { return s == id || s == "" })
}

// shortestRespelt is how long an id must be for one changed character to mean
// anything.
const shortestRespelt = 4

// oneCharOff lists the texts that differ in one digit or letter of the same case, or
// in two neighbours that changed places.
func oneCharOff(s string) []string {
	const digits, lower, upper = "0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	var out []string
	for i := range len(s) {
		kind := ""
		for _, k := range []string{digits, lower, upper} {
			if strings.IndexByte(k, s[i]) >= 0 {
				kind = k
			}
		}
		others := kind
		switch s[i] {
		case '0':
			others += "Oo"
		case 'O', 'o':
			others += "0"
		case '1':
			others += "lI"
		case 'l', 'I':
			others += "1"
		}
		for j := range len(others) {
			if others[j] != s[i] {
				out = append(out, s[:i]+others[j:j+1]+s[i+1:])
			}
		}
		if i+1 < len(s) && s[i] != s[i+1] {
			out = append(out, s[:i]+s[i+1:i+2]+s[i:i+1]+s[i+2:])
		}
	}
	return out
}

// oneDigitOff lists the 480 uuids that differ from id in one hexadecimal digit.
func oneDigitOff(id string) []string {
	h := strings.ToLower(bare(strings.TrimSpace(id)))
	if len(h) != 32 {
		return nil
	}
	const digits = "0123456789abcdef"
	var out []string
	for i := range h {
		for _, d := range digits {
			if byte(d) != h[i] {
				out = append(out, h[:i]+string(d)+h[i+1:])
			}
		}
	}
	return out
}

func nearFacts(in inv.Input, table string, a answer, base func(inv.FactKind, string, ...string) inv.Fact) []inv.Fact {
	var out []inv.Fact
	edits := 0
	for i := range a.Rows {
		key := a.Text(i, colNear)
		difference := differenceOf(key, in.Record.ID)
		if difference == "one-edit" {
			edits++
		}
		out = append(out, base(inv.RowNear, fmt.Sprintf("%s has a row with the id %q", table, key),
			"key", key, "difference", difference, "random", fmt.Sprint(isRandomUUID(in.Record.ID))))
	}
	const telling = 3
	if edits <= telling {
		return out
	}
	return filter(out, func(f inv.Fact) bool { return f.Attr("difference") != "one-edit" }) // ids that count up have such neighbours
}

// mixedCase reports letters of both cases: a text with one alone may have been
// folded on its way.
func mixedCase(s string) bool { return strings.ToUpper(s) != s && strings.ToLower(s) != s }

// differenceOf says in what a key differs from the asked id: normalised when they
// are the same but for case, blanks, braces or a uuid's hyphens; case when case may
// matter, as in two short codes of both cases; punctuation for hyphens that can matter,
// as in AB-12 and AB1-2; else one-edit.
func differenceOf(key, id string) string {
	k, asked := trimmed(key), trimmed(id)
	const long = 16
	switch {
	case k == asked:
		return "normalised"
	case strings.EqualFold(k, asked):
		if mixedCase(k) && mixedCase(asked) && len(k) < long {
			return "case"
		}
		return "normalised"
	case isUUID(id) && strings.EqualFold(bare(k), bare(asked)):
		return "normalised"
	case strings.EqualFold(bare(k), bare(asked)):
		return "punctuation"
	}
	return "one-edit"
}

// trimmed takes blanks, braces and quotes off the ends.
func trimmed(s string) string { return strings.Trim(strings.TrimSpace(s), " {}\"'") }

func isUUID(id string) bool {
	h := bare(trimmed(id))
	return len(h) == 32 && strings.Trim(strings.ToLower(h), "0123456789abcdef") == ""
}

// isRandomUUID reports whether an id is a uuid of version 4: two of them within one
// digit are one and the same by mistake. Ids of version 7 that are made in one
// millisecond may count up.
func isRandomUUID(id string) bool {
	h := strings.ToLower(bare(strings.TrimSpace(id)))
	if len(h) != 32 || h[12] != '4' || !strings.ContainsRune("89ab", rune(h[16])) {
		return false
	}
	distinct := map[rune]bool{}
	for _, c := range h {
		distinct[c] = true
	}
	return len(distinct) >= 8
}
