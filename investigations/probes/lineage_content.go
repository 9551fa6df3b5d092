package probes

import (
	"fmt"
	"slices"

	inv "inquest/investigations"
	"inquest/sources/wal"
)

// likeBefore compares a row that was inserted with the last one that had its key
// before: how many of the columns that both have a value of are the same, such as
// 1/4; "" when there was none. Keys, times and short values are left out.
func (l lineage) likeBefore(e wal.Event, asked []string) string {
	const telling = 3 // characters; flags and small numbers are often the same by chance
	if e.Incarnation < 2 || len(e.Row) == 0 {
		return ""
	}
	for _, o := range slices.Backward(l.Events) {
		if o.Table != e.Table || o.Incarnation != e.Incarnation-1 || len(o.Row) == 0 {
			continue
		}
		same, of := 0, 0
		for name, v := range e.Row {
			w, ok := o.Row[name]
			if !ok || v == nil || w == nil || slices.Contains(asked, *v) || len(*v) < telling || looksLikeTime(*v) || slices.Contains(e.Unknown, name) {
				continue
			}
			of++
			if *v == *w {
				same++
			}
		}
		if of > 0 {
			return fmt.Sprintf("%d/%d", same, of)
		}
	}
	return ""
}

// looksLikeTime reports a value that is a time as PostgreSQL prints it.
func looksLikeTime(v string) bool {
	return len(v) >= 19 && v[4] == '-' && v[7] == '-' && v[13] == ':'
}

// recovered are the last contents that could be read of the rows with the key, for
// each table: that of the newest life, and that of the last one which was ended by
// a committed delete when it is another.
func (l lineage) recovered() []inv.Recovered {
	ended := map[string]int{} // the last life that a committed delete ended, by table
	newest := map[string]int{}
	for _, e := range l.Events {
		newest[e.Table] = max(newest[e.Table], e.Incarnation)
		if x, _ := l.resolve(e.XID); e.Op == wal.OpDelete && x != nil && x.State == wal.Committed {
			ended[e.Table] = max(ended[e.Table], e.Incarnation)
		}
	}
	type life struct {
		table string
		n     int
	}
	seen := map[life]bool{}
	var out []inv.Recovered
	for _, e := range slices.Backward(l.Events) {
		k := life{e.Table, e.Incarnation}
		if len(e.Row) == 0 || seen[k] || e.Incarnation != newest[e.Table] && e.Incarnation != ended[e.Table] {
			continue
		}
		seen[k] = true
		rec := inv.Recovered{Table: e.Table, Row: e.Row, Origin: "wal", Unknown: e.Unknown, Evidence: []string{l.evidence}}
		rec.Standing = e.Incarnation > ended[e.Table]
		out = append(out, rec)
	}
	return out
}
