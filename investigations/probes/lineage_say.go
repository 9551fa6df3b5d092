package probes

import (
	"fmt"
	"strings"

	"inquest/sources/wal"
)

// say sums the lineage up in one line.
func (l lineage) say() string {
	var parts []string
	killed := l.killed()
	for _, e := range l.Events {
		if killed[e.Incarnation] {
			continue
		}
		switch e.Op {
		case wal.OpLock, wal.OpPrune, wal.OpVacuum, wal.OpConfirm, wal.OpShrink, wal.OpIndexLeaf:
			continue
		}
		under := ""
		switch {
		case e.Under != nil:
			under = " as " + short(strings.Join(e.Under, ","), 40)
		case e.KeyChanged && e.NewKey != nil:
			under = " to the key " + short(strings.Join(e.NewKey, ","), 40)
		}
		parts = append(parts, fmt.Sprintf("%s%s %s xid %d", e.Op, under, e.LSN, e.XID)+l.sayEnd(e.XID))
	}
	switch n := len(parts); {
	case n == 0 && len(l.Covered) == 0:
		return "no WAL could be read"
	case n == 0 && len(l.altered()) > 0:
		e := l.altered()[len(l.altered())-1]
		return fmt.Sprintf("the columns of %s were changed by xid %d, committed %s, which gave it a new file: WAL from before cannot be read with the columns of today, and WAL since then holds no row version of the key", e.Table, e.XID, clock(e.Time))
	case n == 0:
		c := l.Covered[len(l.Covered)-1]
		return fmt.Sprintf("no row version of the key in WAL from %s to %s", clock(c.FromTime), clock(c.ToTime))
	case n > 4:
		parts = append(append(parts[:2:2], fmt.Sprintf("… %d more …", n-4)), parts[n-2:]...)
	}
	return strings.Join(parts, "; ")
}

func (l lineage) sayEnd(xid uint32) string {
	x, _ := l.resolve(xid)
	if x == nil {
		return ""
	}
	s := " → " + strings.ToUpper(string(x.State))
	if !x.Time.IsZero() {
		s += " " + x.Time.UTC().Format("2006-01-02 15:04:05.000")
	}
	return s
}
