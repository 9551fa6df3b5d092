package report

import (
	"encoding/json"
	"maps"
	"slices"

	"inquest/investigations"
)

func (p *page) recovered() {
	r := p.assessed.Recovered
	sec := p.begin("recovered", "Recovered content")
	if r == nil {
		sec.para("No content of the record was recovered.")
		return
	}
	sec.para("Last content of the row in %s, read from %s (%s). Values are as PostgreSQL prints them.", text(r.Table), text(r.Origin), orDash(refs(r.Evidence)))
	var rows [][]string
	for _, c := range slices.Sorted(maps.Keys(r.Row)) {
		rows = append(rows, []string{text(c), cellValue(r.Row[c])})
	}
	for _, c := range r.Unknown {
		if _, known := r.Row[c]; !known {
			rows = append(rows, []string{text(c), "**could not be read**"})
		}
	}
	sec.table([]string{"Column", "Value"}, rows)
	if len(r.Unknown) > 0 {
		sec.para("Not readable: %s. A column that could not be read is not the same as NULL.", joined(r.Unknown))
	}
	sec.block("json", rowJSON(r.Row))
	sec.para("To put it back, as a person would after reading it. inquest runs nothing of this; it ends with ROLLBACK.")
	sec.block("sql", investigations.RestoreSQL(*r, p.assessed.Facts))
}

func cellValue(v *string) string {
	switch {
	case v == nil:
		return "NULL"
	case *v == "":
		return "(empty text)"
	}
	const most = 500
	s := []rune(*v)
	if len(s) <= most {
		return text(*v)
	}
	return text(string(s[:most])) + " … (in full below)"
}

func rowJSON(row map[string]*string) string {
	if row == nil {
		return "{}"
	}
	b, err := json.MarshalIndent(row, "", "  ")
	if err != nil {
		return err.Error()
	}
	return string(b)
}
