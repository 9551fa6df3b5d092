package mechanisms

import (
	"slices"
	"strconv"

	inv "inquest/investigations"
)

// A table that one transaction empties and fills again was put back to an earlier
// state, or is filled anew by a job from somewhere else. Both take the row without
// wanting to; a TRUNCATE that means it leaves the table empty.

// fewestReloaded is how many rows the transaction must have written for a reload.
const fewestReloaded = 10

// refilled are the contents of the committed transaction that emptied the table in
// focus, when it filled it again as well.
func refilled(v View, r Step) inv.Facts {
	if r.Fact.Kind != inv.TableTruncated {
		return nil
	}
	return v.Facts.Of(inv.XactContents).With("xid", r.Xid).Where(func(f inv.Fact) bool {
		var rows int64
		for t := range v.Focus.members {
			rows += rowsIn(f.Attr("inserted-rows"), t)
		}
		return rows >= fewestReloaded
	})
}

// setBack are signs that the table holds an earlier state than it once had: its
// sequence stands behind an id that it had handed out, or rows that were stored
// after the reload have ids that had been handed out before.
func setBack(v View) inv.Facts {
	if !v.Facts.Any(inv.IDIssued) && len(v.Story.Existed()) == 0 {
		return nil
	}
	return sequencesBehind(v)
}

// sequencesBehind are the sequences of the table that stand behind the id.
func sequencesBehind(v View) inv.Facts {
	id, err := strconv.ParseInt(v.Record.ID, 10, 64)
	if err != nil {
		return nil
	}
	return v.property("sequence").Where(func(f inv.Fact) bool {
		return f.Attr("value") != "" && f.Number("value") < id && f.Number("increment") > 0
	})
}

// reloadLoss: the row was committed, and then one transaction emptied its table
// and loaded it again without the row.
func reloadLoss(v View) (loss, bool) {
	if r, ok := takenWith(v); ok && len(refilled(v, r)) > 0 {
		before, contents := committedBefore(v, r), refilled(v, r)
		back := setBack(v)
		l := loss{mechanism: "restored-backup", standing: inv.Probable, facts: slices.Concat(r.Facts(), contents, before, back)}
		if len(back) == 0 {
			l.mechanism = ""
		} else {
			l.standing = inv.Established
		}
		l.says = "The row was stored in " + r.Table() + ", and then xid " + r.Xid + ", committed " + clock(r.When()) + ", emptied the table and filled it again, without this one."
		if len(back) == 0 {
			l.says += " It was put back to an earlier state, or filled anew from somewhere else."
		}
		for _, f := range back {
			l.says += " The table was put back to an earlier state: " + f.Says + "."
		}
		return l, true
	}
	return loss{}, false
}
