package record

import (
	"slices"
	"strings"

	"inquest/investigations"
	"inquest/ui/text"
)

// columns names the columns that could be read, in order.
func columns(r investigations.Recovered) []string {
	out := make([]string, 0, len(r.Row))
	for c := range r.Row {
		if !slices.Contains(r.Unknown, c) {
			out = append(out, c)
		}
	}
	slices.Sort(out)
	return out
}

// RestoreSQL writes the recovered content as one INSERT in a transaction that
// rolls back: the person changes that word after reading what it does. Columns
// that could not be read are named in a comment.
func RestoreSQL(r investigations.Recovered) string {
	var names, values []string
	for _, c := range columns(r) {
		names = append(names, identifier(c))
		if v := r.Row[c]; v == nil {
			values = append(values, "NULL")
		} else {
			values = append(values, literal(*v))
		}
	}
	out := "BEGIN;\n"
	for _, c := range r.Unknown {
		out += "-- could not be read and is left to its default: " + text.Clean(c) + "\n"
	}
	return out + "INSERT INTO " + tableName(r.Table) + " (" + strings.Join(names, ", ") + ")\nVALUES (" + strings.Join(values, ", ") + ");\nROLLBACK; -- COMMIT once you have read what it did"
}

// tableName quotes schema and table unless the text is quoted already.
func tableName(s string) string {
	if strings.Contains(s, `"`) {
		return text.Clean(s)
	}
	schema, table, ok := strings.Cut(s, ".")
	if !ok {
		return identifier(s)
	}
	return identifier(schema) + "." + identifier(table)
}

func identifier(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// literal writes a string that means the same whatever the server's
// standard_conforming_strings is.
func literal(s string) string {
	quoted := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, `\`) {
		return "E" + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}
