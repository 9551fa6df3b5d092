package mechanisms

import (
	"slices"
	"strings"

	inv "inquest/investigations"
)

// fateNeverCommitted: every version of the key that was written belongs to a
// transaction that did not commit.
func fateNeverCommitted(v View) (inv.Fate, bool) {
	if !neverCommitted(v) || v.Facts.Any(inv.RowVisible, inv.RowMasked, inv.RowFlagged) {
		return none()
	}
	ins, _ := Last(v.Story.Inserts)
	if ins.End == Aborted && len(unhardened(v)) > 0 {
		return none() // the commit may have been lost rather than never made
	}
	facts, standing := ins.Facts(), uncommittedStanding(v, ins)
	switch ins.End {
	case Aborted:
		return fate(inv.FateNeverCommitted, standing, facts, "The row was inserted into %s by xid %s, which was rolled back%s: it was never visible to anybody else.", ins.Table(), ins.Xid, at(ins.When()))
	case Prepared:
		return fate(inv.FateNeverCommitted, standing, facts, "The row was inserted into %s by xid %s, which was prepared%s and never committed.", ins.Table(), ins.Xid, at(ins.When()))
	case Open:
		return fate(inv.FateNeverCommitted, standing, facts, "The row was inserted into %s by xid %s, which is still open and has not committed.", ins.Table(), ins.Xid)
	case Unfinished:
		return fate(inv.FateNeverCommitted, inv.Probable, facts, "The row was inserted into %s by xid %s, and no commit of it is in the WAL that was read.", ins.Table(), ins.Xid)
	}
	return none()
}

// neverCommitted reports whether inserts of the key were read and nothing says
// that the row ever existed for anybody.
func neverCommitted(v View) bool {
	return len(v.Story.Inserts) > 0 && len(v.Story.Existed()) == 0 && len(Ended(v.Story.Inserts, Unknown)) == 0
}

// uncommittedStanding is established unless something tells of an earlier life of
// the key: the row was only sighted, so that it may be a rolled-back update; a
// unique violation on this very key; an answer that showed it before; a history
// row.
func uncommittedStanding(v View, last Step) inv.Standing {
	if !slices.ContainsFunc(v.Story.Inserts, func(s Step) bool { return !s.sighted() }) {
		return inv.Probable
	}
	earlier := len(keyTaken(v)) > 0 || v.Facts.Any(inv.RowInHistory) || len(readBefore(v, last)) > 0
	if earlier {
		return inv.Probable
	}
	return inv.Established
}

// keyTaken are unique violations that name the asked id: a row with that key
// existed at the time.
func keyTaken(v View) inv.Facts {
	return errorsOfAbort(v, "23505").Where(func(f inv.Fact) bool {
		for _, val := range v.Record.Values() {
			if strings.Contains(f.Attr("detail"), "=("+val+")") || strings.Contains(f.Attr("detail"), "="+val+")") {
				return true
			}
		}
		return false
	})
}

// readBefore are answers that showed the record before the transaction that
// wrote it ended.
func readBefore(v View, s Step) inv.Facts {
	return v.Facts.Of(inv.APIAnswer).Where(func(f inv.Fact) bool {
		ok := f.Attr("op") == "read" && f.Number("status") >= 200 && f.Number("status") < 300
		return ok && !f.Time.IsZero() && !s.When().IsZero() && f.Time.Before(s.When())
	})
}
