package probes

import (
	"fmt"
	"slices"
	"strings"

	inv "inquest/investigations"
	"inquest/sources/wal"
)

// onwardFact is the fact that an event of the row under a later key states: a
// further change of its key, or its delete. What else happened to it is told in
// the timeline.
func (l lineage) onwardFact(e wal.Event, asked []string) (inv.Fact, bool) {
	under := strings.Join(e.Under, ",")
	f := l.fact("", map[string]string{
		"table": e.Table, "xid": fmt.Sprint(e.XID), "lsn": e.LSN.String(), "tid": e.TID.String(), "op": string(e.Op),
		"from": "wal", "incarnation": itoa(e.Incarnation), "under": under, "left": e.Left.String(),
	})
	f.Time, f.Until = e.After, e.Before
	switch {
	case e.KeyChanged && sameKey(e.NewKey, asked):
		return f, false // told as the asked key's own event
	case e.KeyChanged:
		l.rekeyed(&f, e)
	case e.Op == wal.OpDelete:
		f.Kind = inv.TupleDeleted
		f.Says = fmt.Sprintf("xid %d deleted the row of %s at %s, which had the key %s by then (%s)", e.XID, e.Table, e.TID, under, e.LSN)
	default:
		return f, false
	}
	return f, true
}

// rekeyed fills in the fact that an update took a key from the row.
func (l lineage) rekeyed(f *inv.Fact, e wal.Event) {
	f.Kind = inv.TupleRekeyed
	f.Attrs["old"], f.Attrs["new"] = strings.Join(e.OldKey, ","), strings.Join(e.NewKey, ",")
	to := "to " + f.Attrs["new"]
	if e.NewKey == nil {
		to = "(" + orElse(e.Note, "the new one is not known") + ")"
	}
	f.Says = fmt.Sprintf("xid %d changed the key of the row of %s from %s %s (%s)", e.XID, e.Table, f.Attrs["old"], to, e.LSN)
	if e.Op == wal.OpMove {
		f.Attrs["moved"] = "true"
		if t := l.tableOf(e.NewRel); t != "" {
			f.Attrs["to-table"] = t
			f.Says = fmt.Sprintf("xid %d moved the row of %s to %s, where it has the key %s instead of %s (%s)", e.XID, e.Table, t, f.Attrs["new"], f.Attrs["old"], e.LSN)
		}
	}
	if e.NotFollowed != "" {
		f.Attrs["lost"] = e.NotFollowed
	}
	if l.followed(e) {
		f.Attrs["followed"] = "true"
	}
}

// followed reports that the row was followed under the key that an event gave it up
// to the server's present: without a hole in the WAL since.
func (l lineage) followed(e wal.Event) bool {
	hole := slices.ContainsFunc(l.Gaps, func(g wal.Gap) bool { return g.To > e.LSN })
	return e.NewKey != nil && e.NotFollowed == "" && l.live() && !hole
}

// tableOf names the table of a file in which the row was seen.
func (l lineage) tableOf(file wal.RelFile) string {
	for _, e := range l.Events {
		if e.Rel == file {
			return e.Table
		}
	}
	return ""
}
