package catalog

import (
	"fmt"
	"strings"

	"inquest/sources"
	"inquest/sources/heap"
)

// KeyCondition compares the key columns with parameters, whose type the server
// takes from the column: a cast would cut texts and round numbers.
func (t *Table) KeyCondition(m Match) (where string, args []string) {
	var conds []string
	for i, p := range m.Parts {
		c := &t.Columns[p.AttNum-1]
		conds = append(conds, fmt.Sprintf("t.%s %s $%d", QuoteIdent(c.Name), equals(c), i+1))
		args = append(args, p.Text)
	}
	return strings.Join(conds, " and "), args
}

// equals is the operator that compares a column; citext's own lives in the
// schema of the extension, outside the guarded search_path.
func equals(c *heap.Column) string {
	if schema, ok := strings.CutSuffix(c.TypeName, ".citext"); ok {
		return "operator(" + schema + ".=)"
	}
	return "="
}

// Flagged returns the soft-delete columns that are set in a row of Rows, with
// their values.
func (t *Table) Flagged(rows *sources.Table, i int) map[string]string {
	out := map[string]string{}
	for _, name := range t.SoftDelete {
		v, ok := rows.Cell(i, name)
		if !ok {
			continue
		}
		switch strings.ToLower(v) {
		case "", "f", "false", "0", "n", "no", "infinity":
		default:
			out[name] = v
		}
	}
	return out
}
