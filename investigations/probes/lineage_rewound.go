package probes

import (
	"fmt"
	"slices"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources/wal"
)

// readBranches states what stands in WAL of older timelines past the point where
// the server's history left them.
func (l lineage) readBranches(in inv.Input, r *inv.Reading) {
	for _, b := range l.Branches {
		if b.Lineage == nil {
			continue
		}
		sub := lineage{Lineage: *b.Lineage, evidence: l.evidence, server: l.server, at: l.at, branch: fmt.Sprintf("timeline %d", b.TLI)}
		first := len(r.Facts)
		sub.events(in, r, nil)
		sub.ends(in, r, first)
		r.Recovered = append(r.Recovered, sub.recovered()...)
	}
}

// readDiscarded states what WAL on disk holds that contradicts the server's own.
// When both are on one timeline, the server was started from an older copy: a
// failover begins a new timeline, and a crash takes nothing that was written.
func (l lineage) readDiscarded(in inv.Input, list []lineage, r *inv.Reading) {
	mine := slices.IndexFunc(list, func(o lineage) bool { return o.server == l.server && !o.noted(noteDiscarded) && !o.noted(noteDropped) })
	if mine < 0 {
		return
	}
	own := list[mine]
	l.branch = "WAL on disk"
	first := len(r.Facts)
	l.events(in, r, func(e wal.Event) bool {
		return slices.ContainsFunc(own.Events, func(m wal.Event) bool { return m.LSN == e.LSN && m.Op == e.Op })
	})
	l.ends(in, r, first)
	r.Recovered = append(r.Recovered, l.recovered()...)
	if l.TLI != own.TLI {
		return
	}
	f := own.fact(inv.TimelineSwitch, map[string]string{"timeline": fmt.Sprint(own.TLI), "how": "restore", "from": "wal"})
	f.Evidence = append(f.Evidence, l.evidence)
	f.Says = fmt.Sprintf("the server's WAL and the WAL on disk differ at the same position of timeline %d: the server was started from an older copy", own.TLI)
	for _, e := range l.Events {
		if foreign(e, &own.Lineage, false) && f.Attrs["lsn"] == "" {
			f.Attrs["lsn"] = e.LSN.String()
		}
	}
	r.Facts = append(r.Facts, f)
}

// readDropped states what stood in files that were dropped since: the table or
// the partition that held the row is gone.
func (l lineage) readDropped(in inv.Input, r *inv.Reading) {
	first := len(r.Facts)
	l.events(in, r, func(e wal.Event) bool { return e.Op == wal.OpTruncate || e.Op == wal.OpDrop })
	partitioned := l.partitioned(in)
	for i := first; i < len(r.Facts); i++ {
		l.inFile(&r.Facts[i], partitioned)
	}
	for _, e := range l.Relations {
		f, ok := l.relationFact(e)
		if !ok || f.Kind == inv.TableRewritten || !l.heldBy(e) {
			continue
		}
		if l.kept(in, e) {
			r.Facts = append(r.Facts, f) // the table is the same: its rows went, not the table
			continue
		}
		f.Kind, f.Says = inv.TableDropped, fmt.Sprintf("xid %d dropped the file of %s that held the row (%s)", e.XID, e.Table, e.LSN)
		if partitioned {
			f.Attrs["part"] = l.fileOf()
			f.Says = fmt.Sprintf("xid %d dropped the partition of %s that held the row (%s)", e.XID, e.Table, e.LSN)
		}
		if !tellingID(in.Record) || l.noted(noteNameless) {
			f.Attrs["assumed"] = "true"
		}
		r.Facts = append(r.Facts, f)
	}
	l.ends(in, r, first)
	r.Recovered = append(r.Recovered, l.recovered()...)
}

func (l lineage) inFile(f *inv.Fact, partitioned bool) {
	if partitioned {
		f.Attrs["part"] = l.fileOf()
	}
	f.Says += ", in a file that was dropped since"
}

// fileOf is the file that the key was found in.
func (l lineage) fileOf() string {
	for _, e := range l.Events {
		if selfTold(e) {
			return fmt.Sprintf("base/%d/%d", e.Rel.DB, e.Rel.Rel)
		}
	}
	return ""
}

// heldBy reports whether a commit dropped the file that the key was found in.
func (l lineage) heldBy(e wal.RelationEvent) bool {
	return slices.ContainsFunc(l.Events, func(ev wal.Event) bool { return selfTold(ev) && slices.Contains(e.Dropped, ev.Rel) })
}

// kept reports that the commit gave the table a new file in place of the one that
// held the row. A table that is still in its first file was made anew instead.
func (l lineage) kept(in inv.Input, e wal.RelationEvent) bool {
	rewritten := in.Facts.Of(inv.TableProperty).With("name", "rewritten").With("table", e.Table)
	return e.Op == wal.OpTruncate && len(e.Created) > 0 && len(rewritten) > 0
}

func (l lineage) partitioned(in inv.Input) bool {
	for _, f := range in.Facts.Of(inv.TableProperty).With("name", "candidate") {
		if slices.Contains(l.Targets, f.Attr("table")) && f.Attr("partitioned") == "true" {
			return true
		}
	}
	return false
}

// tellingID reports whether the id is so long that finding it in a foreign file is
// no chance; 42 stands in the first column of many tables.
func tellingID(r inv.Record) bool {
	return slices.ContainsFunc(r.Values(), func(v string) bool { return len(v) >= 7 })
}

// switches states the timelines that the server's history left.
func (l lineage) switches(r *inv.Reading) {
	for i, s := range l.Switches {
		next := l.TLI
		if i+1 < len(l.Switches) {
			next = l.Switches[i+1].TLI
		}
		f := l.fact(inv.TimelineSwitch, map[string]string{
			"timeline": fmt.Sprint(next), "lsn": s.At.String(), "reason": s.Reason, "how": howOf(s.Reason), "from": "wal",
		})
		f.Time = l.began(next)
		f.Says = fmt.Sprintf("timeline %d left timeline %d at %s (%s)", next, s.TLI, s.At, orElse(s.Reason, "no reason given"))
		r.Facts = append(r.Facts, f)
	}
}

// howOf reads the reason in a timeline history file (xlogrecovery.c,
// getRecoveryStopReason). "no recovery target specified" is written by a
// promotion, and by a restore to the end of the archive as well.
func howOf(reason string) string {
	for _, s := range []string{"before ", "after ", "at restore point", "reached consistency"} {
		if strings.HasPrefix(reason, s) {
			return "restore"
		}
	}
	return ""
}

// began is when a timeline began, by its first record.
func (l lineage) began(tli uint32) time.Time {
	for _, s := range l.Restarts {
		if s.TLI == tli && s.PrevTLI != tli {
			return s.Time
		}
	}
	return time.Time{}
}
