package probes

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	inv "inquest/investigations"
	"inquest/sources/wal"
)

// mostPeers bounds how many other deleting transactions are stated.
const mostPeers = 50

// contents is the fingerprint of a transaction that touched the key.
func (l lineage) contents(in inv.Input, xid, top uint32) (inv.Fact, bool) {
	x := l.Xacts[xid]
	if top != 0 && l.Xacts[top] != nil {
		x = l.Xacts[top]
	}
	if x == nil || len(x.Tables) == 0 {
		return inv.Fact{}, false
	}
	inserts, updates, deletes := 0, 0, 0
	var here []string
	for _, n := range x.Tables {
		inserts, updates, deletes = inserts+n.Insert, updates+n.Update, deletes+n.Delete
		if n.Delete > 0 {
			here = append(here, itoa(n.Delete))
		}
	}
	slices.Sort(here)
	names := l.names(in)
	var order []string
	complete := !x.StepsCut
	for _, s := range x.Steps {
		name := names.of(s)
		complete = complete && name != s.Rel.String()
		order = append(order, fmt.Sprintf("%s %s×%d", s.Op, name, s.Rows))
	}
	f := l.fact(inv.XactContents, map[string]string{
		"xid": fmt.Sprint(xid), "tables": itoa(len(x.Tables)), "inserts": itoa(inserts), "updates": itoa(updates), "deletes": itoa(deletes),
		"counts": strings.Join(here, ","), "order": short(strings.Join(order, "; "), 600), "subxacts": itoa(len(x.Subxacts)), "origin": fmt.Sprint(x.Origin),
		"inserted": names.touched(x, wal.OpInsert, wal.OpMultiInsert), "updated": names.touched(x, wal.OpUpdate, wal.OpHotUpdate),
		"deleted": names.touched(x, wal.OpDelete), "complete": fmt.Sprint(complete),
		"inserted-rows": names.rows(x, wal.OpInsert, wal.OpMultiInsert), "deleted-rows": names.rows(x, wal.OpDelete),
	})
	if s := x.Siblings; s != nil {
		f.Attrs["siblings-removed"], f.Attrs["siblings-inserted"] = itoa(s.Removed), itoa(s.Inserted)
	}
	f.Time = x.Time
	f.Says = fmt.Sprintf("xid %d inserted %d, updated %d and deleted %d rows in %s", xid, inserts, updates, deletes, plural(len(x.Tables), "relation"))
	return f, true
}

// relationNames names files of relations, partitions by their root.
type relationNames struct {
	files map[string]string
	roots map[string]string
}

func (l lineage) names(in inv.Input) relationNames {
	n := relationNames{files: map[string]string{}, roots: map[string]string{}}
	for _, a := range answers(in, relationsTag(l.server)) {
		for i := range a.Rows {
			n.files[a.Text(i, "file")] = a.Text(i, "name")
		}
	}
	for _, f := range in.Facts.Of(inv.TableProperty).With("name", "partition") {
		n.roots[f.Attr("table")] = f.Attr("value")
	}
	return n
}

func (n relationNames) of(s wal.Step) string {
	name := cmp.Or(s.Table, n.files[fmt.Sprintf("%d/%d", s.Rel.Spc, s.Rel.Rel)], s.Rel.String())
	return cmp.Or(n.roots[name], name)
}

// touched lists the tables that a transaction did one of these to, in the order
// they were first touched.
func (n relationNames) touched(x *wal.Xact, ops ...wal.Op) string {
	var out []string
	for _, s := range x.Steps {
		if name := n.of(s); slices.Contains(ops, s.Op) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return strings.Join(out, ",")
}

// rows lists how many rows a transaction did one of these to, table by table, such
// as "public.orders=5,public.lines=9".
func (n relationNames) rows(x *wal.Xact, ops ...wal.Op) string {
	counts := map[string]int{}
	var order []string
	for _, s := range x.Steps {
		if !slices.Contains(ops, s.Op) {
			continue
		}
		name := n.of(s)
		if counts[name] == 0 {
			order = append(order, name)
		}
		counts[name] += s.Rows
	}
	for i, name := range order {
		order[i] = fmt.Sprintf("%s=%d", name, counts[name])
	}
	return strings.Join(order, ",")
}

// fingerprint is what a transaction did to which tables, without the counts.
func (n relationNames) fingerprint(x *wal.Xact) string {
	var out []string
	for _, s := range x.Steps {
		if s.Op == wal.OpLock {
			continue
		}
		if p := string(s.Op) + " " + n.of(s); !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return strings.Join(out, "; ")
}

// peers states the other transactions that deleted from the tables of the key,
// and whether they did the same as the one that deleted it.
func (l lineage) peers(in inv.Input, r *inv.Reading) {
	names := l.names(in)
	var own []string
	for _, e := range l.Events {
		if x, _ := l.resolve(e.XID); e.Op == wal.OpDelete && x != nil {
			own = append(own, names.fingerprint(x))
		}
	}
	if len(own) == 0 {
		return
	}
	var list []*wal.Xact
	for _, x := range l.Xacts {
		if !x.TouchesIt && x.State == wal.Committed && x.TopXID == 0 {
			list = append(list, x)
		}
	}
	slices.SortFunc(list, func(a, b *wal.Xact) int { return cmp.Compare(b.LSN, a.LSN) })
	for _, x := range list[:min(len(list), mostPeers)] {
		for t := range strings.SplitSeq(names.touched(x, wal.OpDelete), ",") {
			if !slices.Contains(l.Targets, t) && !slices.ContainsFunc(l.Targets, func(leaf string) bool { return names.roots[leaf] == t }) {
				continue
			}
			f := l.fact(inv.XactPeer, map[string]string{"table": t, "xid": fmt.Sprint(x.XID), "same": fmt.Sprint(slices.Contains(own, names.fingerprint(x)))})
			f.Time = x.Time
			f.Says = fmt.Sprintf("xid %d deleted from %s as well, committed %s", x.XID, t, clock(x.Time))
			r.Facts = append(r.Facts, f)
		}
	}
}
