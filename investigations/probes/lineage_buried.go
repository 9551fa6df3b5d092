package probes

import (
	"fmt"
	"strings"

	inv "inquest/investigations"
	"inquest/sources/catalog"
	"inquest/sources/wal"
)

// readGone states what stood in tables that were dropped and that WAL alone
// describes. A table may have been a copy of the record's own: its rows speak for
// the record when they were stored one by one, or when the person named the table.
func (l lineage) readGone(in inv.Input, r *inv.Reading) {
	first := len(r.Facts)
	l.events(in, r, func(e wal.Event) bool { return e.Op == wal.OpTruncate || e.Op == wal.OpDrop })
	for i := first; i < len(r.Facts); i++ {
		r.Facts[i].Says += ", a table that was dropped since"
	}
	for _, g := range goneOf(in, l.server) {
		if !g.Seen {
			continue
		}
		f := g.fact(l.server, fmt.Sprintf("xid %d dropped %s, in which a row with the key was seen (%s)", g.XID, g.Name, g.LSN))
		if !namedAs(g.Name, in.Record.Table) && !(tellingID(in.Record) && l.bornIn(g.Name)) {
			f.Attrs["assumed"] = "true"
		}
		r.Facts = append(r.Facts, f)
		if l.Xacts[g.XID] == nil {
			r.Facts = append(r.Facts, g.committed(l.server))
		}
		if g.For != "" && (tellingID(in.Record) || keepsCopies(tableNamed(g.Name), tableNamed(g.For))) {
			f := property(g.evidence, g.Name, "replaced-by", g.For, g.Name+", which was dropped, had the columns of "+g.For)
			f.Attrs["server"] = l.server
			r.Facts = append(r.Facts, f)
		}
	}
	for _, e := range l.Relations {
		if f, ok := l.relationFact(e); ok && f.Kind == inv.TableTruncated {
			r.Facts = append(r.Facts, f)
		}
	}
	l.ends(in, r, first)
	l.peers(in, r)
	r.Recovered = append(r.Recovered, l.recovered()...)
}

func tableNamed(display string) catalog.Table {
	schema, name, _ := strings.Cut(display, ".")
	return catalog.Table{Schema: schema, Name: name}
}

// bornIn reports that the row was written to the table by an insert of its own, not
// by one that copied many.
func (l lineage) bornIn(table string) bool {
	const most = 10 // rows of the table in one transaction
	for _, e := range l.Events {
		x, _ := l.resolve(e.XID)
		if e.Table != table || e.Op != wal.OpInsert && e.Op != wal.OpSpeculative || x == nil || x.StepsCut {
			continue
		}
		rows := 0
		for _, s := range x.Steps {
			if s.Table == table && (s.Op == wal.OpInsert || s.Op == wal.OpMultiInsert) {
				rows += s.Rows
			}
		}
		if rows <= most {
			return true
		}
	}
	return false
}

// found is a goneTable with the item that it came from.
type goneFound struct {
	goneTable
	evidence string
}

func goneOf(in inv.Input, server string) []goneFound {
	var out []goneFound
	for _, e := range in.Evidence {
		var list []goneTable
		if e.Kind != evidenceGone || e.Source != server || e.Decode(&list) != nil {
			continue
		}
		for _, g := range list {
			out = append(out, goneFound{g, e.ID})
		}
	}
	return out
}

// fact states the drop.
func (g goneFound) fact(server, says string) inv.Fact {
	return inv.Fact{
		Kind: inv.TableDropped, Ground: inv.GroundTruth, Time: g.Time, Evidence: []string{g.evidence}, Says: says,
		Attrs: map[string]string{"table": g.Name, "xid": fmt.Sprint(g.XID), "lsn": g.LSN.String(), "from": "wal", "server": server},
	}
}

// committed states the end of the drop's transaction, which was read with it.
func (g goneFound) committed(server string) inv.Fact {
	return inv.Fact{
		Kind: inv.XactCommitted, Ground: inv.GroundTruth, Time: g.Time, Evidence: []string{g.evidence},
		Attrs: map[string]string{"xid": fmt.Sprint(g.XID), "lsn": g.LSN.String(), "from": "wal", "server": server},
		Says:  fmt.Sprintf("xid %d committed at %s (%s)", g.XID, clock(g.Time), g.LSN),
	}
}

// mostUnseen bounds the dropped tables that are told of without a trace of the key.
const mostUnseen = 5

// unseenGone states the dropped tables that the record may have been in although
// no row with its key was seen: those that are older than the WAL at hand, and
// those that WAL does not describe.
func unseenGone(in inv.Input, server string, r *inv.Reading) {
	told := 0
	for _, g := range goneOf(in, server) {
		may := g.Fits && (g.Made == 0 || g.Unlogged) || g.Unread != "" && g.Made == 0
		if g.Seen || !may || told == mostUnseen {
			continue
		}
		told++
		why := "had a key that the id fits and is older than the WAL that was read: whether the record was in it cannot be told"
		switch {
		case g.Unread != "":
			why = "is not described by the WAL that was read: " + g.Unread
		case g.Unlogged:
			why = "had a key that the id fits and was unlogged: its rows leave no WAL"
		}
		f := g.fact(server, fmt.Sprintf("xid %d dropped %s, which %s (%s)", g.XID, g.Name, why, g.LSN))
		f.Attrs["unseen"] = "true"
		r.Facts = append(r.Facts, f, g.committed(server))
		r.Summary = joinLine(r.Summary, f.Says)
	}
}
