package mechanisms

import (
	"fmt"
	"slices"
	"strings"
	"time"

	inv "inquest/investigations"
)

// fateRules are tried in order; the first that knows an answer gives it. The
// order is that of certainty: what is read now, what row versions and WAL show,
// what the database wrote about itself, what logs say.
var fateRules = []func(View) (inv.Fate, bool){
	fateVisible,
	fateElsewhere,
	fateRemoved,
	fateLost,
	fateNeverCommitted,
	fateHistory,
	fateRefused,
	fateIssuedOnly,
	fateDeleteLogged,
}

// decideFate says what became of the record. When no rule knows, it is
// undetermined, with what would settle it.
func decideFate(v View) inv.Fate {
	for _, rule := range fateRules {
		if f, ok := rule(v); ok {
			return f
		}
	}
	return undetermined(v)
}

func fate(kind inv.FateKind, standing inv.Standing, facts inv.Facts, format string, args ...any) (inv.Fate, bool) {
	return inv.Fate{Kind: kind, Standing: standing, Summary: fmt.Sprintf(format, args...), Evidence: facts.Evidence()}, true
}

func none() (inv.Fate, bool) { return inv.Fate{}, false }

// fateVisible: the row is read now, under the asked id or one that equals it.
func fateVisible(v View) (inv.Fate, bool) {
	visible := ownRows(v)
	switch flagged, masked, index := v.Facts.Of(inv.RowFlagged), v.Facts.Of(inv.RowMasked), v.Facts.Of(inv.IndexDisagrees); {
	case len(flagged) > 0:
		f := flagged[0]
		return fate(inv.FateHidden, inv.Established, append(flagged, visible...),
			"The row is still in %s, but %s = %s marks it as removed, so the application does not show it.", f.Attr("table"), f.Attr("column"), f.Attr("value"))
	case len(masked) > 0:
		return fate(inv.FateHidden, inv.Established, append(masked, visible...),
			"The row is in %s, but the role %s does not see it: %s.", masked[0].Attr("table"), masked[0].Attr("as"), reason(masked[0]))
	case len(index) > 0:
		return fate(inv.FateHidden, inv.Established, append(index, visible...),
			"The row is in the heap of %s, but the index %s does not find it.", index[0].Attr("table"), index[0].Attr("index"))
	case len(visible) > 0:
		f := visible[0]
		return fate(inv.FatePresent, inv.Established, visible, "The row is in %s now, under the id that was asked for.", f.Attr("table"))
	}
	return fateNear(v)
}

// fateNear: no row under the asked id, but one whose key equals it once
// normalised, or differs in one digit of a random id.
func fateNear(v View) (inv.Fate, bool) {
	near := v.Facts.Of(inv.RowNear)
	if len(near) == 0 || !v.Story.Empty() {
		return none()
	}
	f := near[0]
	if f.Attr("difference") == "normalised" {
		return fate(inv.FatePresent, inv.Established, near, "The row is in %s under %q: the same id, written differently from %q.", f.Attr("table"), f.Attr("key"), v.Record.ID)
	}
	if len(near) > 1 || f.Attr("random") != "true" {
		return none()
	}
	return fate(inv.FatePresent, inv.Probable, near, "The row is in %s under %q, which differs in one digit from the asked %q.", f.Attr("table"), f.Attr("key"), v.Record.ID)
}

// fateElsewhere: the row stands in a table the application does not look in.
func fateElsewhere(v View) (inv.Fate, bool) {
	there := v.Facts.Of(inv.RowElsewhere)
	if len(there) == 0 {
		return none()
	}
	standing := inv.Probable
	if there[0].Attr("reason") != "" {
		standing = inv.Established
	}
	return fate(inv.FateHidden, standing, there, "%s", there[0].Says)
}

// fateRemoved: the row was committed, and a committed delete, key change,
// truncate or drop took it.
func fateRemoved(v View) (inv.Fate, bool) {
	if f, ok := rekeyed(v); ok {
		return f, true
	}
	return removal(v)
}

// rekeyed: an update gave the row another key, and the asked key was not used
// again. What happened to the row afterwards happened under its new key.
func rekeyed(v View) (inv.Fate, bool) {
	r, ok := Last(Ended(v.Story.Rekeys, Committed))
	if !ok || insertedAfter(v, r) {
		return none()
	}
	then := ""
	if d, ok := Last(Ended(After(v.Story.Deletes, r), Committed)); ok {
		then = fmt.Sprintf(" Under that key the row was deleted later, by xid %s, committed %s.", d.Xid, clock(d.When()))
	}
	to := r.Fact.Attr("new")
	if to == "" {
		to = "another one"
	}
	return fate(inv.FateRekeyed, inv.Established, r.Facts(), "An update of %s by xid %s, committed %s, changed the row's key to %s.%s", r.Fact.Attr("table"), r.Xid, clock(r.When()), to, then)
}

func removal(v View) (inv.Fate, bool) {
	deletes := Ended(v.Story.Deletes, Committed)
	if d, ok := Last(deletes); ok && !insertedAfter(v, d) {
		facts := d.Facts()
		if ins, ok := Last(v.Story.Inserts); ok && ins.Xid != d.Xid {
			facts = append(facts, ins.Facts()...)
		}
		by := ""
		if ses := v.Facts.Of(inv.SessionAtCommit).With("of", d.Xid); len(ses) == 1 && ses[0].Attr("complete") == "true" {
			by = " by " + sessionName(ses[0])
			facts = append(facts, ses...)
		}
		own := ""
		if insertedBy(v, d.Xid) {
			own = " The same transaction had inserted it, so nobody else ever saw it."
		}
		return fate(inv.FateDeleted, inv.Established, facts, "The row was deleted from %s%s: xid %s, committed %s.%s", d.Fact.Attr("table"), by, d.Xid, clock(d.When()), own)
	}
	for _, r := range Ended(v.Story.Removals, Committed) {
		before := committedBefore(v, r)
		if len(before) == 0 {
			continue
		}
		verb := "truncated"
		if r.Fact.Kind == inv.TableDropped {
			verb = "dropped"
		}
		return fate(inv.FateDeleted, inv.Established, append(r.Facts(), before...), "The row was stored, and then %s was %s by xid %s, committed %s.", r.Fact.Attr("table"), verb, r.Xid, clock(r.When()))
	}
	return none()
}

// insertedAfter reports whether a later committed insert of the same key exists,
// so that the delete belongs to an earlier life of it.
func insertedAfter(v View, d Step) bool {
	for _, ins := range Ended(v.Story.Inserts, Committed) {
		if position(ins) > position(d) && position(d) > 0 {
			return true
		}
	}
	return false
}

func insertedBy(v View, xid string) bool {
	return slices.ContainsFunc(v.Story.Inserts, func(s Step) bool { return s.Xid == xid })
}

func committedBefore(v View, r Step) inv.Facts {
	var out inv.Facts
	for _, s := range slices.Concat(Ended(v.Story.Inserts, Committed), Ended(v.Story.Updates, Committed)) {
		sameTable := s.Fact.Attr("table") == r.Fact.Attr("table")
		if sameTable && (position(s) == 0 || position(r) == 0 || position(s) < position(r)) {
			out = append(out, s.Facts()...)
		}
	}
	return out
}

// fateLost: the commit was read, no delete took the row, it is not there now,
// and the server lost its past in between.
func fateLost(v View) (inv.Fate, bool) {
	if f := v.Facts.Of(inv.XactFuture); len(f) > 0 {
		crash := v.Facts.Where(func(x inv.Fact) bool { return x.Kind == inv.CrashRecovery || x.Kind == inv.TimelineSwitch })
		if len(crash) > 0 {
			return fate(inv.FateLost, inv.Probable, append(f, crash...), "A log shows transaction %s, which the server has never heard of: its commit was lost when the server went back in time.", f[0].Attr("xid"))
		}
	}
	ins, ok := Last(Ended(v.Story.Inserts, Committed))
	if !ok || !v.Facts.Any(inv.RowAbsent) || len(v.Story.Deletes)+len(v.Story.Rekeys) > 0 {
		return none()
	}
	for _, f := range v.Facts.Where(func(x inv.Fact) bool { return x.Kind == inv.CrashRecovery || x.Kind == inv.TimelineSwitch }) {
		if f.Time.IsZero() || f.Time.Before(ins.When()) {
			continue
		}
		unlogged := v.Facts.Of(inv.TableProperty).With("name", "persistence").With("value", "unlogged")
		if f.Kind == inv.CrashRecovery && len(unlogged) == 0 {
			continue // a crash alone does not take a committed row that is in WAL
		}
		return fate(inv.FateLost, inv.Established, append(append(ins.Facts(), f), unlogged...), "The row was committed %s and is gone since %s: %s", clock(ins.When()), clock(f.Time), f.Says)
	}
	return none()
}

// fateNeverCommitted: every version of the key that was written belongs to a
// transaction that did not commit.
func fateNeverCommitted(v View) (inv.Fate, bool) {
	ins, ok := Last(v.Story.Inserts)
	if !ok || len(Ended(v.Story.Inserts, Committed, Unknown)) > 0 || v.Facts.Any(inv.RowVisible) {
		return none()
	}
	facts := ins.Facts()
	table := ins.Fact.Attr("table")
	switch ins.End {
	case Aborted:
		return fate(inv.FateNeverCommitted, inv.Established, facts, "The row was inserted into %s by xid %s, which was rolled back%s: it was never visible to anybody else.", table, ins.Xid, at(ins.When()))
	case Prepared:
		return fate(inv.FateNeverCommitted, inv.Established, facts, "The row was inserted into %s by xid %s, which was prepared%s and never committed.", table, ins.Xid, at(ins.When()))
	case Open:
		return fate(inv.FateNeverCommitted, inv.Established, facts, "The row was inserted into %s by xid %s, which is still open and has not committed.", table, ins.Xid)
	case Unfinished:
		return fate(inv.FateNeverCommitted, inv.Probable, facts, "The row was inserted into %s by xid %s, and no commit of it is in the WAL that was read.", table, ins.Xid)
	}
	return none()
}

// fateHistory: a table that the database writes about itself has the delete.
func fateHistory(v View) (inv.Fate, bool) {
	for _, f := range v.Facts.Of(inv.RowInHistory) {
		if strings.EqualFold(f.Attr("operation"), "delete") && v.Facts.Any(inv.RowAbsent) {
			standing := inv.Probable
			if f.Attr("written-by") == "trigger" {
				standing = inv.Established
			}
			return fate(inv.FateDeleted, standing, inv.Facts{f}, "%s", f.Says)
		}
	}
	return none()
}

// refusals are the errors after which no row version was ever written.
var refusals = []string{"23502", "23503", "23514", "22P02", "25006", "42501", "53100", "53300", "42P01", "42703", "22001", "22003"}

// fateRefused: the server refused the insert. Refusing leaves no trace in WAL,
// so this rests on the log.
func fateRefused(v View) (inv.Fate, bool) {
	if !v.Story.Empty() {
		return none()
	}
	refused := v.Facts.Of(inv.LogError).Where(func(f inv.Fact) bool {
		return slices.Contains(refusals, f.Attr("sqlstate")) && f.Attr("op") == "create" && f.Attr("joins") == "id"
	})
	if len(refused) == 0 || !v.Facts.Any(inv.RowAbsent, inv.WALKeyAbsent) {
		return none()
	}
	f := refused[len(refused)-1]
	standing := inv.Probable
	facts := refused
	if c := coveringAbsence(v, f.Time); len(c) > 0 {
		standing, facts = inv.Established, append(facts, c...)
	}
	return fate(inv.FateNeverWritten, standing, facts, "The insert was refused by the server at %s: %s", clock(f.Time), f.Attr("message"))
}

// fateIssuedOnly: the id was handed out, WAL of that moment was read without a
// hole, and no version of the key is in it.
func fateIssuedOnly(v View) (inv.Fate, bool) {
	if !v.Story.Empty() || !v.Facts.Any(inv.RowAbsent) {
		return none()
	}
	for _, f := range v.Facts.Of(inv.IDIssued) {
		if c := coveringAbsence(v, f.Time); len(c) > 0 {
			return fate(inv.FateNeverWritten, inv.Probable, append(inv.Facts{f}, c...), "The id was handed out %s, and the WAL from before that moment until now holds no row version of it: it seems never to have been written to this server.", clock(f.Time))
		}
	}
	return none()
}

// coveringAbsence returns the facts by which WAL around t, up to now, was read
// without a hole and holds no tuple of the key. It returns none for an unlogged
// table, whose rows leave no WAL, and after a crash or fork, which takes WAL.
func coveringAbsence(v View, t time.Time) inv.Facts {
	if t.IsZero() || v.Facts.Any(inv.CrashRecovery, inv.TimelineSwitch) {
		return nil
	}
	if len(v.Facts.Of(inv.TableProperty).With("name", "persistence").With("value", "unlogged")) > 0 {
		return nil
	}
	const slack = time.Minute // the insert may precede the answer, and clocks differ
	for _, f := range v.Facts.Of(inv.WALKeyAbsent) {
		if !f.Time.IsZero() && f.Time.Before(t.Add(-slack)) && !f.Until.IsZero() && f.Until.After(t) {
			return inv.Facts{f}
		}
	}
	return nil
}

// fateDeleteLogged: a log says that it was deleted, the row is not there, and
// ground truth could not be read. A statement line is written before the
// statement runs, so this is never more than probable.
func fateDeleteLogged(v View) (inv.Fate, bool) {
	if !v.Story.Empty() || !v.Facts.Any(inv.RowAbsent) {
		return none()
	}
	deletes := v.Facts.Where(func(f inv.Fact) bool {
		switch f.Kind {
		case inv.APIAnswer:
			return f.Attr("op") == "delete" && f.Number("status") >= 200 && f.Number("status") < 300
		case inv.LogStatement:
			return f.Attr("op") == "delete" && f.Attr("joins") == "id" && f.Attr("failed") != "true"
		}
		return false
	})
	if len(deletes) == 0 {
		return none()
	}
	return fate(inv.FateDeleted, inv.Probable, deletes, "The row is not there now, and a log shows its deletion at %s: %s", clock(deletes[0].Time), deletes[0].Says)
}

func undetermined(v View) inv.Fate {
	f := inv.Fate{Kind: inv.FateUndetermined, Standing: inv.Undetermined, Summary: whyOpen(v)}
	f.Settles = whatWouldSettle(v)
	for _, kind := range []inv.FactKind{inv.RowAbsent, inv.IDIssued, inv.TupleInserted, inv.WALKeyAbsent} {
		for _, id := range v.Facts.Of(kind).Evidence() {
			if !slices.Contains(f.Evidence, id) {
				f.Evidence = append(f.Evidence, id)
			}
		}
	}
	return f
}

func whyOpen(v View) string {
	switch {
	case len(Ended(v.Story.Inserts, Committed)) > 0 && v.Facts.Any(inv.RowAbsent):
		return "The row was committed and is not there now, but what took it was not seen: the evidence of that moment could not be read."
	case !v.Story.Empty():
		return "Traces of the row were read, but how its transaction ended could not be."
	case v.Facts.Any(inv.IDIssued):
		return "The id was handed out, but the database's own record of that moment could not be read without a hole."
	case v.Facts.Any(inv.RowAbsent):
		return "The id is in no table that could be read, and nothing shows that it was ever handed out."
	default:
		return "No source could show whether the record ever existed."
	}
}

// ownRows are rows visible under the asked id in a table of its own, not rows of
// other tables that refer to it.
func ownRows(v View) inv.Facts {
	return v.Facts.Of(inv.RowVisible).Where(func(f inv.Fact) bool { return f.Attr("as") == "" && f.Attr("refers") != "true" })
}

func reason(f inv.Fact) string {
	if p := f.Attr("policy"); p != "" {
		return "row-level security policy " + p
	}
	return "row-level security"
}
