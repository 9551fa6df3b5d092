package mechanisms

import (
	"fmt"
	"slices"
	"strings"

	inv "inquest/investigations"
)

// fateRekeyed: a committed update gave the row another key, or its content was
// inserted again under another one by the transaction that removed it. What
// matters is where the row is now: there under its last key, or gone from there.
func fateRekeyed(v View) (inv.Fate, bool) {
	keys := v.Story.keys()
	if len(keys) == 0 || keys[0].Fact.Attr("old") == "" {
		return fateReplaced(v)
	}
	var facts inv.Facts
	for _, k := range keys {
		facts = append(facts, k.Facts()...)
	}
	last := keys[len(keys)-1]
	key, says := last.Fact.Attr("new"), changes(keys)
	if d, ok := v.Story.removal(); ok && position(d) > position(last) && position(last) > 0 {
		by := ""
		if ses := sole(v, d.Xid); len(ses) > 0 {
			by, facts = " by "+sessionName(ses[0]), append(facts, ses...)
		}
		again := ""
		if found := rekeyedRow(v, "true"); len(found) > 0 {
			again, facts = " A row with that key is there now, but it is another one: it was stored later.", append(facts, found...)
		}
		return fate(inv.FateDeleted, inv.Established, append(facts, d.Facts()...), "%s Under that key the row was deleted%s: xid %s, committed %s.%s", says, by, d.Xid, clock(d.When()), again)
	}
	there := rekeyedRow(v, "true")
	if r, ok := emptied(v, last); ok {
		facts = append(facts, r.Facts()...)
		if len(there) > 0 {
			return fate(inv.FateRekeyed, inv.Probable, append(facts, there...), "%s Then %s by xid %s, committed %s; a row with the key %s is in it again now.", says, removalVerb(r), r.Xid, clock(r.When()), key)
		}
		if l, ok := reloadLoss(v); ok {
			return fate(inv.FateLost, l.standing, append(facts, l.facts...), "%s %s", says, l.says)
		}
		return fate(inv.FateDeleted, inv.Established, facts, "%s Then %s by xid %s, committed %s, and the row with it.", says, removalVerb(r), r.Xid, clock(r.When()))
	}
	switch gone := rekeyedRow(v, "false"); {
	case len(there) > 0:
		return fate(inv.FateRekeyed, inv.Established, append(facts, there...), "%s It is there under that key now.", says)
	case len(gone) > 0:
		return inv.Fate{
			Kind: inv.FateUndetermined, Standing: inv.Undetermined, Evidence: append(facts, gone...).Evidence(),
			Summary: says + " No row has that key now, and what took it was not seen.",
			Settles: []string{"investigate the key " + key + " by itself", "WAL of the time between the change of the key and now: --wal with an archive"},
		}, true
	case last.Fact.Attr("followed") == "true":
		return fate(inv.FateRekeyed, inv.Established, facts, "%s WAL from then until now holds nothing that took it.", says)
	}
	f, _ := fate(inv.FateRekeyed, inv.Probable, facts, "%s Whether it is still there was not read%s.", says, because(last.Fact.Attr("lost")))
	f.Settles = []string{"SELECT on " + tableNow(last) + ", for the row under its new key"}
	return f, true
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

// changes tells the updates that changed the key.
func changes(keys []Step) string {
	var out []string
	for i, k := range keys {
		who := fmt.Sprintf("xid %s, committed %s,", k.Xid, clock(k.When()))
		to := "to " + k.Fact.Attr("new")
		switch {
		case k.Fact.Attr("moved") == "true" && k.Fact.Attr("new") == "":
			out = append(out, fmt.Sprintf("an update by %s moved the row of %s to another partition of its table: the partition key is a part of its key, so it got another one", who, k.Table()))
			continue
		case k.Fact.Attr("new") == "":
			to = "to one that could not be read"
		}
		switch {
		case k.Fact.Attr("moved") == "true":
			out = append(out, fmt.Sprintf("an update by %s moved the row of %s to %s and so changed its key from %s %s", who, k.Table(), tableNow(k), k.Fact.Attr("old"), to))
		case i == 0:
			out = append(out, fmt.Sprintf("an update by %s changed its key in %s from %s %s", who, k.Table(), k.Fact.Attr("old"), to))
		default:
			out = append(out, fmt.Sprintf("then %s changed it %s", who, to))
		}
	}
	s := strings.Join(out, "; ")
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

// tableNow is the table that a key change left the row in.
func tableNow(k Step) string {
	if t := k.Fact.Attr("to-table"); t != "" {
		return t
	}
	return k.Table()
}

// rekeyedRow says whether a row has the last key that updates gave the record's.
func rekeyedRow(v View, found string) inv.Facts {
	if keys := v.Story.keys(); found == "false" && len(keys) > 0 && v.setting("server.in_recovery") == "t" && lsn(v.setting("server.replay_lsn")) <= position(keys[len(keys)-1]) {
		return nil // the standby has not replayed the change yet
	}
	return v.Facts.Of(inv.RowRekeyed).With("found", found)
}

// emptied is the first committed removal of the table that the row was in after the
// last change of its key.
func emptied(v View, last Step) (Step, bool) {
	for _, r := range Ended(v.Story.Removals, Committed) {
		if position(r) > position(last) && position(last) > 0 && r.Table() == tableNow(last) {
			return r, true
		}
	}
	return Step{}, false
}

// firstHolder tells of the row that had the asked key before the one of its last
// life, when an update gave it another one, as where two rows changed keys.
func firstHolder(v View) (says string, facts inv.Facts) {
	r, ok := Last(Ended(v.Story.Rekeys, Committed))
	if !ok || !v.Story.insertedAfter(r) || position(r) == 0 {
		return "", nil
	}
	key, facts := r.Fact.Attr("new"), r.Facts()
	says = fmt.Sprintf("xid %s, committed %s, changed the key of that row from %s to %s", r.Xid, clock(r.When()), r.Fact.Attr("old"), orUnknown(key, "one that could not be read"))
	gone := false
	for _, s := range Ended(v.Story.Former, Committed) {
		if s.Fact.Attr("left") != r.Fact.Attr("lsn") {
			continue
		}
		facts = append(facts, s.Facts()...)
		if gone = s.Fact.Kind == inv.TupleDeleted; gone {
			says += fmt.Sprintf("; under that key it was deleted by xid %s, committed %s", s.Xid, clock(s.When()))
		} else {
			key = s.Fact.Attr("new")
			says += fmt.Sprintf("; xid %s, committed %s, changed it to %s", s.Xid, clock(s.When()), key)
		}
	}
	for _, ins := range Ended(v.Story.Inserts, Committed) {
		if position(ins) > position(r) && key != "" && ins.Fact.Attr("old") == key {
			return "", nil // the same row is back
		}
	}
	if there := rekeyedRow(v, "true"); len(there) > 0 && !gone {
		says, facts = says+", and it is there under that key now", append(facts, there...)
	}
	return says, facts
}

// handedOn: a row stands under the asked key, and it is not the one that had it
// first.
func handedOn(v View, visible inv.Facts) (inv.Fate, bool) {
	says, facts := firstHolder(v)
	if says == "" {
		return none()
	}
	return fate(inv.FatePresent, inv.Established, append(slices.Clone(visible), facts...),
		"A row is in %s now, under the id that was asked for, but it is another one than had it first: %s.", visible[0].Attr("table"), says)
}

// fateReplaced: the transaction that removed the row inserted its content again.
func fateReplaced(v View) (inv.Fate, bool) {
	d, ok := v.Story.removal()
	if !ok {
		return none()
	}
	for _, f := range replacedBy(v) {
		return fate(inv.FateRekeyed, inv.Established, append(d.Facts(), f), "xid %s, committed %s, removed the row from %s and inserted its content again under the key %s.", d.Xid, clock(d.When()), d.Table(), f.Attr("key"))
	}
	return none()
}
