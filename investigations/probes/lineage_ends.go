package probes

import (
	"fmt"
	"slices"
	"time"

	inv "inquest/investigations"
	"inquest/sources/wal"
)

// ends states how the transactions ended that the facts from index first on name.
func (l lineage) ends(in inv.Input, r *inv.Reading, first int) {
	var xids []uint32
	for _, f := range r.Facts[first:] {
		if xid := uint32(f.Number("xid")); xid != 0 && !slices.Contains(xids, xid) {
			xids = append(xids, xid)
		}
	}
	for _, xid := range xids {
		x, top := l.resolve(xid)
		if x == nil {
			continue
		}
		f := l.endFact(xid, top, x)
		r.Facts = append(r.Facts, f)
		if !f.Time.IsZero() {
			r.Moments = append(r.Moments, inv.Moment{Time: f.Time, Source: "wal", Summary: f.Says, Evidence: l.evidence})
		}
		if c, ok := l.contents(in, xid, top); ok {
			r.Facts = append(r.Facts, c)
		}
	}
}

// resolve finds the transaction whose end decides about xid: itself when it
// ended by itself, else its parent.
func (l lineage) resolve(xid uint32) (x *wal.Xact, top uint32) {
	x = l.Xacts[xid]
	if x == nil {
		return nil, 0
	}
	top = x.TopXID
	if x.State == wal.Unfinished && top != 0 && l.Xacts[top] != nil {
		return l.Xacts[top], top
	}
	return x, top
}

func (l lineage) endFact(xid, top uint32, x *wal.Xact) inv.Fact {
	f := l.fact("", map[string]string{"xid": fmt.Sprint(xid), "lsn": x.LSN.String(), "from": "wal"})
	if top != 0 {
		f.Attrs["top"] = fmt.Sprint(top)
	}
	if x.Origin != 0 {
		f.Attrs["origin"] = fmt.Sprint(x.Origin)
	}
	f.Time = x.Time
	switch x.State {
	case wal.Committed:
		f.Kind, f.Says = inv.XactCommitted, fmt.Sprintf("xid %d committed at %s (%s)", xid, clock(x.Time), x.LSN)
	case wal.Aborted:
		f.Kind, f.Attrs["record"] = inv.XactAborted, "true"
		f.Says = fmt.Sprintf("xid %d was rolled back at %s (%s)", xid, clock(x.Time), x.LSN)
	case wal.Crashed:
		f.Kind, f.Attrs["record"] = inv.XactAborted, "false"
		f.Time, f.Until = x.Time, time.Time{}
		f.Says = fmt.Sprintf("xid %d was cut off by a restart of the server and has no end in WAL", xid)
	case wal.Prepared:
		f.Kind, f.Attrs["gid"], f.Time = inv.XactPrepared, x.GID, cmpTime(x.Prepared, x.Time)
		f.Says = fmt.Sprintf("xid %d was prepared as %q at %s and has not been finished", xid, x.GID, clock(f.Time))
	default:
		f.Kind, f.Says = inv.XactUnfinished, fmt.Sprintf("xid %d has no end in the WAL that was read", xid)
	}
	return f
}

func (l lineage) restarts(r *inv.Reading) {
	for _, s := range l.Restarts {
		if len(s.Lost) == 0 {
			continue
		}
		f := l.fact(inv.CrashRecovery, map[string]string{"from": "wal", "lsn": s.LSN.String()})
		f.Time = s.Time
		f.Says = fmt.Sprintf("the server went through recovery at %s (%s) and cut off %s", clock(s.Time), s.LSN, plural(len(s.Lost), "transaction"))
		r.Facts = append(r.Facts, f)
		r.Moments = append(r.Moments, inv.Moment{Time: s.Time, Source: "wal", Summary: f.Says, Evidence: l.evidence})
	}
}
