package mechanisms

import (
	"slices"
	"time"

	inv "inquest/investigations"
)

// replacedBy are the rows that carry the removed row's content on under another
// key and were written by the transaction that removed it.
func replacedBy(v View) inv.Facts {
	d, ok := v.Story.removal()
	if !ok {
		return nil
	}
	tops := append([]string{d.Xid}, topsOf(d)...)
	return v.Facts.Of(inv.RowTwin).Where(func(f inv.Fact) bool { return slices.Contains(tops, f.Attr("xid")) })
}

// topsOf are the parents of the step's subtransaction.
func topsOf(s Step) []string {
	var out []string
	for _, f := range s.Ends {
		if top := f.Attr("top"); top != "" {
			out = append(out, top)
		}
	}
	return out
}

// fateRemoved: a committed delete, truncate or drop took the row.
func fateRemoved(v View) (inv.Fate, bool) {
	if d, ok := v.Story.removal(); ok {
		return deletedBy(v, d)
	}
	if r, ok := takenWith(v); ok {
		before := committedBefore(v, r)
		if l, ok := reloadLoss(v); ok {
			return fate(inv.FateLost, l.standing, l.facts, "%s", l.says)
		}
		standing := inv.Established
		if r.Fact.Attr("assumed") == "true" {
			standing = inv.Probable
		}
		return fate(inv.FateDeleted, standing, append(r.Facts(), before...), "The row was stored in %s, and then %s by xid %s, committed %s.", r.Table(), removalVerb(r), r.Xid, clock(r.When()))
	}
	return none()
}

// takenWith is the committed removal of the row's table, or of the part that held
// it, that took the row: the first one after it was last stored.
func takenWith(v View) (Step, bool) {
	for _, r := range Ended(v.Story.Removals, Committed) {
		if len(committedBefore(v, r)) > 0 && !storedAfter(v, r) {
			return r, true
		}
	}
	return Step{}, false
}

func removalVerb(r Step) string {
	switch {
	case r.Fact.Attr("part") != "":
		return "its partition " + r.Fact.Attr("part") + " was dropped"
	case r.Fact.Kind == inv.TableDropped:
		return "the table was dropped"
	}
	return "the table was truncated"
}

func deletedBy(v View, d Step) (inv.Fate, bool) {
	facts := d.Facts()
	if ins, ok := Last(v.Story.Inserts); ok && ins.Xid != d.Xid {
		facts = append(facts, ins.Facts()...)
	}
	by := ""
	if ses := sole(v, d.Xid); len(ses) > 0 {
		by = " by " + sessionName(ses[0])
		facts = append(facts, ses...)
	}
	own := ""
	if ins, ok := Last(Ended(v.Story.Inserts, Committed)); ok && sameTransaction(ins, d) {
		own = " The same transaction had inserted it, so nobody else ever saw it."
	}
	if moved := movedTo(v, d); len(moved) > 0 {
		facts = append(facts, moved...)
		own += " The same transaction wrote a row with this key to " + moved[0].Attr("table") + ", where it is now."
	} else if copies := sameColumns(v); len(copies) > 0 {
		facts = append(facts, copies[0])
		own += " A row with this key and the same columns is in " + copies[0].Attr("table") + "."
	}
	if says, first := firstHolder(v); says != "" {
		facts = append(facts, first...)
		own += " Another row had the key before it: " + says + "."
	}
	return fate(inv.FateDeleted, inv.Established, facts, "The row was deleted from %s%s: xid %s, committed %s.%s", d.Table(), by, d.Xid, clock(d.When()), own)
}

// movedTo are rows with the key in other tables that the deleting transaction wrote.
func movedTo(v View, d Step) inv.Facts {
	xids := append([]string{d.Xid}, topsOf(d)...)
	return slices.Concat(v.All.Of(inv.RowVisible), sameColumns(v)).Where(func(f inv.Fact) bool {
		return f.Attr("table") != "" && !v.Focus.holds(f.Attr("table")) && slices.Contains(xids, f.Attr("xmin"))
	})
}

func sameTransaction(a, b Step) bool {
	return a.Xid == b.Xid || slices.Contains(topsOf(a), b.Xid) || slices.Contains(topsOf(b), a.Xid) ||
		slices.ContainsFunc(topsOf(a), func(t string) bool { return slices.Contains(topsOf(b), t) })
}

// committedBefore are the writes of the row that committed before its table was
// emptied or dropped.
func committedBefore(v View, r Step) inv.Facts {
	var out inv.Facts
	for _, s := range slices.Concat(Ended(v.Story.Inserts, Committed), Ended(v.Story.Updates, Committed), v.Story.keys()) {
		if part := r.Fact.Attr("part"); part != "" && s.Fact.Attr("part") != part {
			continue // another partition was dropped
		}
		if !v.Focus.samePart(s.Table(), r.Table()) || position(s) > 0 && position(r) > 0 && position(s) > position(r) {
			continue
		}
		out = append(out, s.Facts()...)
	}
	return out
}

// samePart reports that what is told of two tables can be of the same one: partitions
// of a table are others, the whole table is each of them.
func (fo Focus) samePart(a, b string) bool {
	return a == b || fo.members != nil && (a == fo.Table || b == fo.Table)
}

// storedAfter reports whether the row was inserted, or seen on a page, after the
// removal.
func storedAfter(v View, r Step) bool {
	return slices.ContainsFunc(Ended(v.Story.Inserts, Committed), func(s Step) bool {
		return position(s) > position(r) || lsn(s.Fact.Attr("seen")) > position(r)
	})
}

// fateDropLogged: a log shows that the row's table or partition was dropped,
// detached or truncated after the id had been handed out, and the row is not
// there. A statement line is written before the statement runs, so this is never
// more than probable.
func fateDropLogged(v View) (inv.Fate, bool) {
	if !v.Story.Empty() || !v.Facts.Any(inv.RowAbsent) {
		return none()
	}
	for _, issued := range v.Facts.Of(inv.IDIssued) {
		for _, f := range removalStatements(v) {
			if !f.Time.IsZero() && !issued.Time.IsZero() && f.Time.After(latest(issued)) {
				return fate(inv.FateDeleted, inv.Probable, inv.Facts{issued, f}, "The id was handed out %s, the row is not there now, and a log shows at %s: %s", clock(issued.Time), clock(f.Time), f.Says)
			}
		}
	}
	return none()
}

// removalStatements are logged statements that drop, detach or truncate the
// table in focus or a part of it.
func removalStatements(v View) inv.Facts {
	return v.Facts.Of(inv.LogStatement).Where(func(f inv.Fact) bool {
		switch f.Attr("op") {
		case "drop", "truncate", "detach":
			return f.Attr("table") != "" && f.Attr("failed") != "true"
		}
		return false
	})
}

// logSlack is how far a log's clock may be off without anybody having noticed.
const logSlack = time.Minute

// fateDeleteLogged: a log says that it was deleted, the row is not there, and
// ground truth could not be read. Without any database this rests on the order in
// which logs tell it: handed out or shown, removed, and not shown since.
func fateDeleteLogged(v View) (inv.Fate, bool) {
	if len(v.Story.Deletes) > 0 || neverCommitted(v) || !v.gone() {
		return none()
	}
	deletes := loggedDeletes(v)
	unlogged := len(leavesNoWAL(v)) > 0
	if len(deletes) == 0 || !unlogged && !deletes[0].Time.IsZero() && len(coveredSince(v, deletes[0].Time.Add(-logSlack))) > 0 {
		return none() // WAL of that moment was read, and nothing was deleted
	}
	d := deletes[len(deletes)-1]
	if !v.noDatabase() {
		return fate(inv.FateDeleted, inv.Probable, deletes, "The row is not there now, and a log shows its deletion at %s: %s", clock(d.Time), d.Says)
	}
	before := existedBefore(v, d)
	answered := len(deletes.Of(inv.APIAnswer)) > 0 && len(deletes.Of(inv.LogStatement)) > 0
	if len(before) == 0 && !answered {
		return none() // a delete of what is not there can succeed as well
	}
	by := ""
	if actor := actorOf(v, d); actor != "" {
		by = " by " + actor
	}
	return fate(inv.FateDeleted, inv.Probable, slices.Concat(before, deletes, deniedSince(v, d)), "Logs tell that it was removed%s at %s: %s. Whether the row was removed or only marked as such, logs do not tell.", by, clock(d.Time), d.Says)
}

// loggedDeletes are the lines that tell of the record's deletion, but for those
// after which it was shown or changed.
func loggedDeletes(v View) inv.Facts {
	return v.Facts.Where(func(f inv.Fact) bool {
		told := false
		switch f.Kind {
		case inv.APIAnswer:
			told = f.Attr("op") == "delete" && f.Number("status") >= 200 && f.Number("status") < 300
		case inv.RemovalSaid:
			told = true
		case inv.LogStatement:
			told = f.Attr("op") == "delete" && f.Attr("joins") == "id" && f.Attr("failed") != "true" && (v.Focus.Table != "" || v.noDatabase()) && f.Attr("table") != ""
		}
		return told && len(shownSince(v, f)) == 0
	})
}

// shownSince are answers that showed the record after a line, or may have: where
// no order is known they count.
func shownSince(v View, line inv.Fact) inv.Facts {
	return v.Facts.Of(inv.APIAnswer).Where(func(f inv.Fact) bool {
		return shows(f) && (f.Time.IsZero() || line.Time.IsZero() || latest(f).After(line.Time))
	})
}

// existedBefore are the lines that handed the id out, or showed the record, surely
// before it was removed.
func existedBefore(v View, removed inv.Fact) inv.Facts {
	return v.Facts.Where(func(f inv.Fact) bool {
		return (f.Kind == inv.IDIssued || shows(f)) && !f.Time.IsZero() && !removed.Time.IsZero() && latest(f).Before(removed.Time)
	})
}

// deniedSince are answers after the removal by which there is no such record.
func deniedSince(v View, removed inv.Fact) inv.Facts {
	return v.Facts.Of(inv.APIAnswer).Where(func(f inv.Fact) bool {
		gone := f.Number("status") == 404 || f.Number("status") == 410
		return gone && f.Attr("op") == "read" && !f.Time.IsZero() && !f.Time.Before(removed.Time)
	})
}

// actorOf is who removed the record as logs name them: in the line itself or in
// another one of its request.
func actorOf(v View, line inv.Fact) string {
	if a := line.Attr("actor"); a != "" {
		return a
	}
	for _, f := range v.Facts {
		if (f.Kind == inv.APIAnswer || f.Kind == inv.RemovalSaid) && line.Attr("request") != "" && f.Attr("request") == line.Attr("request") && f.Attr("actor") != "" {
			return f.Attr("actor")
		}
	}
	return ""
}
