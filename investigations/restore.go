package investigations

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// RestoreSQL writes recovered content as one INSERT, to be read by a person and
// never run by inquest: its transaction rolls back until that word is changed. What
// the facts tell of putting it back is heeded where SQL can (generated columns are
// left out, identity columns overridden) and stands above it as a remark where it
// cannot: columns that could not be read, parents that are gone, triggers that would
// fire.
func RestoreSQL(r Recovered, facts Facts) string {
	checked := facts.Of(TableProperty).With("table", r.Table).With("name", "restore")
	var generated, identity []string
	for _, f := range checked {
		generated = append(generated, listed(f.Attr("generated"))...)
		identity = append(identity, listed(f.Attr("identity"))...)
	}
	var names, values, remarks []string
	override := ""
	for _, c := range restorable(r) {
		if slices.Contains(generated, c) {
			remarks = append(remarks, "the server generates it, so it is left out: "+c)
			continue
		}
		if slices.Contains(identity, c) {
			override = "OVERRIDING SYSTEM VALUE\n"
		}
		names = append(names, sqlName(c))
		values = append(values, sqlLiteral(r.Row[c]))
	}
	for _, c := range r.Unknown {
		remarks = append(remarks, "could not be read and is left to its default: "+c)
	}
	remarks = append(remarks, restoreRemarks(r, checked, facts)...)
	var b strings.Builder
	b.WriteString("BEGIN;\n")
	for _, line := range remarks {
		b.WriteString("-- " + oneLine(line) + "\n")
	}
	if len(names) == 0 {
		b.WriteString("-- no value of the row could be read: there is nothing to insert\nROLLBACK;")
		return b.String()
	}
	b.WriteString("INSERT INTO " + sqlTable(r.Table) + " (" + strings.Join(names, ", ") + ")\n" + override)
	b.WriteString("VALUES (" + strings.Join(values, ", ") + ");\nROLLBACK; -- COMMIT once you have read what it did")
	return b.String()
}

// restoreRemarks are what stands in the way of the INSERT, or was not looked at.
func restoreRemarks(r Recovered, checked, facts Facts) []string {
	var out []string
	for _, f := range checked {
		for _, p := range listed(f.Attr("gone")) {
			out = append(out, "its parent is gone as well, put that back first: "+p)
		}
		for _, p := range listed(f.Attr("unsure")) {
			out = append(out, "whether its parent is there is not known: "+p)
		}
		for _, c := range listed(f.Attr("invalid")) {
			out = append(out, "the server reads this value otherwise than it was recovered, check it: "+c)
		}
		for _, t := range listed(f.Attr("triggers")) {
			out = append(out, "this trigger fires on the INSERT, read what it does: "+t)
		}
	}
	for _, f := range facts.Of(TableProperty).With("table", r.Table).With("name", "swallows") {
		out = append(out, f.Says)
	}
	if len(checked) == 0 {
		out = append(out, "not checked against the table as it is now: generated and identity columns, parents, triggers (step 9, with a connection)")
	}
	return out
}

// listed parts an attribute that lists names.
func listed(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

// restorable names the columns that could be read, in order.
func restorable(r Recovered) []string {
	out := make([]string, 0, len(r.Row))
	for c := range r.Row {
		if !slices.Contains(r.Unknown, c) {
			out = append(out, c)
		}
	}
	slices.Sort(out)
	return out
}

// quotedTable is a table's name as SQL writes it, each part quoted or plain.
var quotedTable = regexp.MustCompile(`^(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)(?:\.(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_$]*))?$`)

// sqlTable quotes schema and table, unless the name is written as SQL writes it.
func sqlTable(s string) string {
	if quotedTable.MatchString(s) && strings.Contains(s, `"`) {
		return oneLine(s)
	}
	schema, table, ok := strings.Cut(s, ".")
	if !ok {
		return oneLine(sqlName(s))
	}
	return oneLine(sqlName(schema) + "." + sqlName(table))
}

func sqlName(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// sqlLiteral writes a value that means the same whatever the server's
// standard_conforming_strings is.
func sqlLiteral(v *string) string {
	if v == nil {
		return "NULL"
	}
	quoted := "'" + strings.ReplaceAll(*v, "'", "''") + "'"
	if strings.Contains(*v, `\`) {
		return "E" + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}

// oneLine keeps what others wrote inside its line, so that it cannot end a remark.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return '⏎'
		}
		return r
	}, s)
}
