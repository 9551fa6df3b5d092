package catalog

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"inquest/sources/heap"
)

// Match returns the ways in which the table can hold the key, the best first:
// the primary key, unique keys, indexed columns, others. A composite id matches
// by all its parts; a single value of a composite primary key matches by each
// column that can hold it. It is a pure function of the catalogue.
func (t *Table) Match(key Key) []Match {
	if len(key.Parts) > 0 {
		return t.matchParts(key.Parts)
	}
	var out []Match
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Dropped || !canHold(c, key.ID) {
			continue
		}
		out = append(out, t.match([]heap.KeyPart{keyPart(c, key.ID)}))
	}
	sortMatches(out)
	if len(out) == 1 && out[0].Lead && key.Table != "" {
		out[0].Asked = true
	}
	return out
}

func (t *Table) matchParts(parts []KeyPart) []Match {
	var kp []heap.KeyPart
	for _, p := range parts {
		c := t.ColumnLike(p.Column)
		if c == nil {
			return nil
		}
		if _, err := heap.NewMatcher(t.Columns, []heap.KeyPart{{AttNum: c.AttNum, Text: p.Value}}); err != nil {
			return nil
		}
		kp = append(kp, keyPart(c, p.Value))
	}
	m := t.match(kp)
	m.Asked = true
	return []Match{m}
}

// keyPart is the value as the column stores it. A uuid may stand in a text column in
// other spellings than the one it was asked by, and in bytea as its 16 bytes.
func keyPart(c *heap.Column, value string) heap.KeyPart {
	p := heap.KeyPart{AttNum: c.AttNum, Text: value}
	spelt := spellings(value)
	if len(spelt) == 0 {
		return p
	}
	switch oid := BaseType(c); {
	case oid == TypeOIDs["bytea"]:
		p.Text = `\x` + strings.ToLower(bareUUID(value))
	case oid == TypeOIDs["text"], oid == TypeOIDs["varchar"], oid == TypeOIDs["bpchar"]:
		p.Also = spelt
	}
	return p
}

// bareUUID is a uuid without its hyphens and braces.
func bareUUID(s string) string {
	return strings.NewReplacer("-", "", "{", "", "}", "").Replace(strings.TrimSpace(s))
}

// spellings are the other ways to write a uuid; nil for anything else.
func spellings(id string) []string {
	h := strings.ToLower(bareUUID(id))
	if len(h) != 32 || strings.Trim(h, "0123456789abcdef") != "" {
		return nil
	}
	d := h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
	var out []string
	for _, s := range []string{d, strings.ToUpper(d), h, strings.ToUpper(h), "{" + d + "}", "{" + strings.ToUpper(d) + "}"} {
		if s != id && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// Shortest is the shortest spelling of an id: that of a uuid is its 32 digits.
func Shortest(id string) string {
	if len(spellings(id)) > 0 {
		return bareUUID(id)
	}
	return id
}

// Spellings returns the match and one for each other spelling of its values.
func (m Match) Spellings() []Match {
	out := []Match{m}
	for i, p := range m.Parts {
		for _, text := range p.Also {
			o := m
			o.Parts = slices.Clone(m.Parts)
			o.Parts[i].Text = text
			out = append(out, o)
		}
	}
	return out
}

// match describes the columns of a key against the table's indexes.
func (t *Table) match(parts []heap.KeyPart) Match {
	m := Match{Parts: parts}
	want := map[int16]bool{}
	for _, p := range parts {
		m.Columns = append(m.Columns, t.Columns[p.AttNum-1].Name)
		want[p.AttNum] = true
	}
	m.Primary = len(t.PrimaryKey) == len(parts) && !slices.ContainsFunc(t.PrimaryKey, func(a int16) bool { return !want[a] })
	best := 0
	for _, ix := range t.Indexes {
		if r := ix.Serves(want); r > best {
			best, m.Index, m.Lead = r, ix.OID, true
			m.Unique = ix.Unique && ix.Keys == len(parts)
		}
	}
	return m
}

// Serves rates an index for a key on a set of columns; 0 means that it does not
// begin with one of them.
func (ix Index) Serves(want map[int16]bool) int {
	if !ix.Valid || ix.Partial || ix.Method != "btree" && ix.Method != "hash" {
		return 0
	}
	lead := 0
	for lead < ix.Keys && lead < len(ix.Columns) && want[ix.Columns[lead].AttNum] {
		lead++
	}
	if lead == 0 {
		return 0
	}
	rate := 10 * lead
	if ix.Method == "btree" {
		rate += 4
	}
	if ix.Primary {
		rate += 2
	}
	if ix.Unique && ix.Keys == lead {
		rate++
	}
	return rate
}

func sortMatches(ms []Match) {
	rank := func(m Match) int {
		switch {
		case m.Primary:
			return 0
		case m.Unique:
			return 1
		case m.Lead:
			return 2
		}
		return 3
	}
	slices.SortStableFunc(ms, func(a, b Match) int { return cmp.Compare(rank(a), rank(b)) })
}

// canHold reports that a text is a value of the column's type.
func canHold(c *heap.Column, id string) bool {
	oid := BaseType(c)
	if len(c.Labels) > 0 {
		return false
	}
	for _, name := range TypesFor(id) {
		if TypeOIDs[name] == oid || name == "citext" && strings.HasSuffix(c.TypeName, "citext") {
			return fits(c.TypeName, Shortest(id))
		}
	}
	return false
}

var sized = regexp.MustCompile(`^character(?: varying)?\((\d+)\)$`)

// fits reports that a text is not longer than a char(n) or varchar(n) allows.
func fits(typeName, id string) bool {
	m := sized.FindStringSubmatch(typeName)
	if m == nil {
		return true
	}
	n := 0
	for _, d := range m[1] {
		n = n*10 + int(d-'0')
	}
	return len([]rune(id)) <= n
}
