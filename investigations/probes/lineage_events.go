package probes

import (
	"fmt"
	"slices"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources/wal"
)

// eventFact is the fact that one event of the key states; lock, prune and the
// like state none.
func (l lineage) eventFact(e wal.Event, asked []string) (inv.Fact, bool) {
	if e.Under != nil {
		return l.onwardFact(e, asked)
	}
	f := l.fact("", map[string]string{
		"table": e.Table, "xid": fmt.Sprint(e.XID), "lsn": e.LSN.String(), "tid": e.TID.String(), "op": string(e.Op),
		"from": "wal", "incarnation": itoa(e.Incarnation),
	})
	f.Time, f.Until = e.After, e.Before
	switch e.Op {
	case wal.OpInsert, wal.OpMultiInsert, wal.OpSpeculative:
		f.Kind = inv.TupleInserted
		f.Says = fmt.Sprintf("xid %d inserted the row into %s at %s (%s)", e.XID, e.Table, e.TID, e.LSN)
	case wal.OpIndexLeaf:
		f.Kind, f.Attrs["from"] = inv.TupleInserted, "index"
		f.Says = fmt.Sprintf("xid %d put the key into an index of %s for the row at %s (%s)", e.XID, e.Table, e.TID, e.LSN)
		if e.XID == 0 {
			f.Says = fmt.Sprintf("a page of an index of %s has the key for a row at %s; when it came there is not known (%s)", e.Table, e.TID, e.LSN)
		}
	case wal.OpImage:
		f.Kind, f.Attrs["from"], f.Attrs["xid"] = inv.TupleInserted, "image", fmt.Sprint(e.Xmin)
		f.Attrs["lsn"], f.Attrs["seen"] = "", e.LSN.String()
		f.Says = fmt.Sprintf("a page image at %s shows the row in %s at %s, written by xid %d", e.LSN, e.Table, e.TID, e.Xmin)
	case wal.OpUpdate, wal.OpHotUpdate, wal.OpMove:
		f.Kind = inv.TupleUpdated
		f.Says = fmt.Sprintf("xid %d updated the row of %s at %s (%s)", e.XID, e.Table, e.TID, e.LSN)
		switch {
		case e.Op == wal.OpMove && !e.KeyChanged && !l.landed(e):
			// Its new version does not have the key: the partition key is a part of it.
			f.Kind, f.Attrs["old"], f.Attrs["new"], f.Attrs["moved"] = inv.TupleRekeyed, strings.Join(asked, ","), "", "true"
			f.Says = fmt.Sprintf("xid %d moved the row of %s to another partition, where its key is another (%s)", e.XID, e.Table, e.LSN)
		case e.KeyChanged && sameKey(e.NewKey, asked):
			f.Kind = inv.TupleInserted
			f.Attrs["old"] = strings.Join(e.OldKey, ",")
			f.Says = fmt.Sprintf("xid %d gave a row of %s this key by an update, at %s (%s)", e.XID, e.Table, e.NewTID, e.LSN)
		case e.KeyChanged:
			l.rekeyed(&f, e)
		}
	case wal.OpDelete:
		f.Kind = inv.TupleDeleted
		f.Says = fmt.Sprintf("xid %d deleted the row of %s at %s (%s)", e.XID, e.Table, e.TID, e.LSN)
	default:
		return f, false
	}
	return f, true
}

// landed reports whether a row that was moved to another partition was seen there
// under the same key.
func (l lineage) landed(move wal.Event) bool {
	return slices.ContainsFunc(l.Events, func(e wal.Event) bool {
		insert := e.Op == wal.OpInsert || e.Op == wal.OpMultiInsert || e.Op == wal.OpIndexLeaf
		return insert && e.Under == nil && e.XID == move.XID && e.Rel != move.Rel
	})
}

// sameKey compares the key of a row with the asked one, part by part; a single
// value of a composite key is the same when it is one of the parts.
func sameKey(key, asked []string) bool {
	same := func(a, b string) bool { return strings.EqualFold(bare(a), bare(b)) }
	if len(key) == len(asked) {
		return slices.EqualFunc(key, asked, same)
	}
	return len(asked) == 1 && slices.ContainsFunc(key, func(k string) bool { return same(k, asked[0]) })
}

func (l lineage) eventMoment(e wal.Event) inv.Moment {
	under := ""
	if e.Under != nil {
		under = ", under the key " + strings.Join(e.Under, ",")
	}
	return inv.Moment{
		Time: cmpTime(e.After, e.Before), Until: e.Before, Source: "wal", Evidence: l.evidence,
		Summary: fmt.Sprintf("%s %s %s xid %d%s", e.Op, e.Table, e.TID, e.XID, under), Unordered: e.After.IsZero() && e.Before.IsZero(),
	}
}

func cmpTime(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}

func (l lineage) relationFact(e wal.RelationEvent) (inv.Fact, bool) {
	f := l.fact("", map[string]string{"table": e.Table, "xid": fmt.Sprint(e.XID), "lsn": e.LSN.String(), "from": "wal"})
	f.Time = e.Time
	switch e.Op {
	case wal.OpTruncate:
		f.Kind, f.Says = inv.TableTruncated, fmt.Sprintf("xid %d truncated %s (%s)", e.XID, e.Table, e.LSN)
	case wal.OpDrop, wal.OpDropDB:
		f.Kind, f.Says = inv.TableDropped, fmt.Sprintf("xid %d dropped %s (%s)", e.XID, e.Table, e.LSN)
	case wal.OpRewrite:
		f.Kind, f.Says = inv.TableRewritten, fmt.Sprintf("xid %d gave %s a new file with all rows (%s)", e.XID, e.Table, e.LSN)
	default:
		return f, false
	}
	return f, true
}
