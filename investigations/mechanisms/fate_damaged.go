package mechanisms

import (
	"slices"
	"time"

	inv "inquest/investigations"
)

// damageLoss: the row was committed, WAL since then holds no delete of it, it is
// not in the table, and the server knows of damage.
func damageLoss(v View) (loss, bool) {
	ins, ok := Last(v.Story.Existed())
	covered := ok && len(coveredSince(v, ins.When())) > 0
	if !ok || len(damage(v)) == 0 || !covered && len(damagedBlocks(v)) == 0 {
		return loss{}, false
	}
	l := loss{mechanism: "page-corruption", standing: inv.Probable, facts: append(ins.Facts(), damage(v)...)}
	l.says = "The row was committed to " + ins.Table() + " " + clock(ins.When()) + ", no delete of it is in WAL, and it is not in the table: " + damage(v)[0].Says + "."
	if !covered {
		l.says = "The row was committed to " + ins.Table() + " " + clock(ins.When()) + ", the page it stood on was damaged, and it is not in the table: " + damage(v)[0].Says + "."
	}
	if covered && len(damagedBlocks(v)) > 0 {
		l.standing = inv.Established
	}
	return l, true
}

// coveredSince are the facts by which WAL was read without a hole from t to now.
func coveredSince(v View, t time.Time) inv.Facts {
	return v.Facts.Of(inv.WALCovered).Where(func(f inv.Fact) bool {
		return !t.IsZero() && beginsBefore(f, t) && f.Attr("last") == "true" && f.Attr("unread") == ""
	})
}

// damage is what is known of damage to the table in focus.
func damage(v View) inv.Facts {
	if own := damagedBlocks(v); len(own) > 0 {
		return own
	}
	return append(v.property("checksum-failures"), v.property("zero-damaged-pages")...)
}

// damagedBlocks are the damaged blocks that the row's versions stood on.
func damagedBlocks(v View) inv.Facts {
	return v.Facts.Of(inv.BlockDamaged).Where(func(b inv.Fact) bool {
		file := slices.ContainsFunc(v.property("file"), func(p inv.Fact) bool { return p.Attr("value") == b.Attr("file") })
		return file && slices.ContainsFunc(v.Story.Existed(), func(s Step) bool { return blockOf(s.Fact.Attr("tid")) == b.Attr("block") })
	})
}
