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
	lax := perhapsUnhardened(v)
	if len(lax) > 0 && v.Facts.Any(inv.IDIssued) {
		return none() // the commit may have been lost rather than never made
	}
	facts, standing := ins.Facts(), uncommittedStanding(v, ins)
	if len(lax) > 0 {
		standing = inv.Probable
	}
	switch ins.End {
	case Aborted:
		if crashes := crashesAfterInsert(v); len(implicitAborts(v)) > 0 && !explicitAbort(v) {
			cut := ""
			if len(crashes) > 0 {
				cut = ": " + crashes[0].Says
			}
			return fate(inv.FateNeverCommitted, standing, append(facts, crashes...), "The row was inserted into %s by xid %s, which neither committed nor was rolled back by itself%s: it was never visible to anybody else.", ins.Table(), ins.Xid, cut)
		}
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
// that the row ever existed for anybody. A unique violation on this very key says
// so, for the server raises it only when another row with the key is committed;
// and so does a deletion that the database wrote down itself.
func neverCommitted(v View) bool {
	if len(keyTaken(v)) > 0 || len(v.Facts.Of(inv.RowInHistory).With("operation", "delete").With("written-by", "trigger")) > 0 {
		return false
	}
	return len(v.Story.Inserts) > 0 && len(v.Story.Existed()) == 0 && len(Ended(v.Story.Inserts, Unknown)) == 0
}

// uncommittedStanding is established unless something tells of another life of
// the key: the row was only sighted, so that it may be a rolled-back update; an
// answer that showed it before; a history row; or a success that was answered
// later, as after a retry under the same id, with WAL of the time between unread.
func uncommittedStanding(v View, last Step) inv.Standing {
	if !slices.ContainsFunc(v.Story.Inserts, func(s Step) bool { return !s.sighted() }) {
		return inv.Probable
	}
	if v.Facts.Any(inv.RowInHistory) || len(readBefore(v, last)) > 0 || len(retriedUnseen(v, last)) > 0 {
		return inv.Probable
	}
	return inv.Established
}

// retriedUnseen are answers that handed the id out after the transaction had
// ended, while the WAL between the two was not read.
func retriedUnseen(v View, last Step) inv.Facts {
	if last.When().IsZero() {
		return nil
	}
	return v.Facts.Of(inv.IDIssued).Where(func(f inv.Fact) bool {
		if f.Time.IsZero() || !f.Time.After(last.When().Add(clockSlack)) {
			return false
		}
		// WAL that reaches up to now misses nothing; an answer after it is one of a
		// clock that is ahead.
		return slices.ContainsFunc(v.Facts.Of(inv.WALCovered), func(c inv.Fact) bool {
			return !c.Time.After(last.When()) && c.Until.After(last.When()) && c.Until.Before(f.Time) && c.Attr("last") != "true"
		})
	})
}

// keyTaken are unique violations of the table's own key that name the asked id: a
// row with that key was there at the time.
func keyTaken(v View) inv.Facts {
	return errorsOfAbort(v, "23505").Where(func(f inv.Fact) bool {
		if t := f.Attr("statement-table"); t != "" && len(v.Focus.members) > 0 && !v.Focus.holds(t) {
			return false
		}
		columns, value, ok := strings.Cut(strings.TrimPrefix(f.Attr("detail"), "Key ("), ")=(")
		value, _, closed := strings.Cut(value, ")")
		if !ok || !closed || !v.isKey(columns) {
			return false
		}
		return slices.ContainsFunc(v.Record.Values(), func(val string) bool {
			return slices.ContainsFunc(strings.Split(value, ", "), func(s string) bool { return strings.EqualFold(s, val) })
		})
	})
}

// isKey reports whether column names, as an error's detail lists them, are those
// of the key that the id fits; it is taken for it where that is not known.
func (v View) isKey(columns string) bool {
	known := false
	for _, c := range v.property("candidate") {
		if c.Attr("columns") == "" {
			continue
		}
		known = true
		if strings.ReplaceAll(columns, ", ", ",") == c.Attr("columns") {
			return true
		}
	}
	return !known
}

// readBefore are answers that showed the record before the transaction that
// wrote it ended.
func readBefore(v View, s Step) inv.Facts {
	return v.Facts.Of(inv.APIAnswer).Where(func(f inv.Fact) bool {
		return shows(f) && !f.Time.IsZero() && !s.When().IsZero() && latest(f).Before(s.When())
	})
}

// shows reports an answer that showed the record to whoever asked for it.
func shows(f inv.Fact) bool {
	return f.Kind == inv.APIAnswer && f.Attr("op") == "read" && f.Number("status") >= 200 && f.Number("status") < 300
}
