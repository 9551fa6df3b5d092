package mechanisms

import (
	"fmt"
	"slices"
	"strings"

	inv "inquest/investigations"
)

// fateRules are tried in order; the first that knows an answer gives it. The
// order is that of certainty: what is read now, what row versions and WAL show,
// what the database wrote about itself, what logs say.
var fateRules = []func(View) (inv.Fate, bool){
	fateUnreplayed,
	fateVisible,
	fateElsewhere,
	fateRekeyed,
	fateRemoved,
	fateLost,
	fateNeverCommitted,
	fateUnhardened,
	fateNear,
	fateHistory,
	fateStanding,
	fateRefused,
	fateNotInserted,
	fateIssuedOnly,
	fateDropLogged,
	fateDeleteLogged,
}

// decideFate says what became of the record. When no rule knows, it is
// undetermined, with what would settle it.
func decideFate(v View) inv.Fate {
	if len(v.Focus.Rivals) > 0 {
		return rivalFate(v)
	}
	for _, rule := range fateRules {
		if f, ok := rule(v); ok {
			return standing(v, f)
		}
	}
	return undetermined(v)
}

func fate(kind inv.FateKind, standing inv.Standing, facts inv.Facts, format string, args ...any) (inv.Fate, bool) {
	return inv.Fate{Kind: kind, Standing: standing, Summary: fmt.Sprintf(format, args...), Evidence: facts.Evidence()}, true
}

func none() (inv.Fate, bool) { return inv.Fate{}, false }

// rivalFate is undetermined because several tables hold the id, and it means
// something else in each.
func rivalFate(v View) inv.Fate {
	return inv.Fate{
		Kind: inv.FateUndetermined, Standing: inv.Undetermined,
		Summary: fmt.Sprintf("Several tables have a key that %q fits, and its fate differs: %s. Which of them is meant is not told.", v.Record.ID, few(v.Focus.Rivals)),
		Settles: []string{"name the table with --table"},
	}
}

// fateVisible: the row is read now under the asked id.
func fateVisible(v View) (inv.Fate, bool) {
	visible := ownRows(v)
	flagged, masked, index := v.Facts.Of(inv.RowFlagged), v.Facts.Of(inv.RowMasked), v.Facts.Of(inv.IndexDisagrees)
	switch {
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
	case len(visible) == 0:
		return none()
	}
	if f, ok := fateBehind(v, visible); ok {
		return f, true
	}
	if f, ok := fateOtherSchema(v, visible); ok {
		return f, true
	}
	if p := v.property("row-security"); len(p) > 0 && v.Options.AppRole == "" && len(policyOpen(v)) > 0 {
		return fate(inv.FateHidden, inv.Probable, append(p, visible...),
			"The row is in %s, which has row-level security: %s. Whether the application's role sees it was not tried.", visible[0].Attr("table"), p[0].Attr("policies"))
	}
	if f, ok := fateLeftOut(v, visible); ok {
		return f, true
	}
	if f, ok := fateAnotherLife(v, visible); ok {
		return f, true
	}
	if former := perhapsFormer(v); len(former) > 0 {
		return fate(inv.FateHidden, inv.Probable, append(slices.Clone(former), visible...),
			"The row is in %s, with %s = %s: an application that shows current rows alone does not show it. Whether this one does was not tried.", visible[0].Attr("table"), former[0].Attr("column"), former[0].Attr("value"))
	}
	standing, also := inv.Established, ""
	if !v.Focus.Known && v.Focus.Table != "" {
		standing, also = inv.Probable, " It is the only table that holds it; whether that table was meant is not told."
	}
	return fate(inv.FatePresent, standing, visible, "The row is in %s now, under the id that was asked for.%s", visible[0].Attr("table"), also)
}

// perhapsFormer are marks of the row by which it may be taken for a former one, when
// nobody was shown it since.
func perhapsFormer(v View) inv.Facts {
	if v.Facts.Of(inv.APIAnswer).Where(func(f inv.Fact) bool { return shows(f) && f.Probe == "logs.api" }).Any(inv.APIAnswer) {
		return nil
	}
	return v.property("perhaps-former")
}

// policyOpen is the fact that answers of the application deny the row although
// it is there, as a policy would make them.
func policyOpen(v View) inv.Facts {
	return v.Facts.Of(inv.APIAnswer).Where(func(f inv.Fact) bool {
		s := f.Number("status")
		return f.Attr("op") == "read" && (s == 404 || s == 403)
	})
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

// fateNear: no row under the asked id, and no trace of one, but a row whose key
// equals it once normalised, or differs in one digit of a random id.
func fateNear(v View) (inv.Fate, bool) {
	near := v.Facts.Of(inv.RowNear)
	if len(near) == 0 || !v.Story.Empty() {
		return none()
	}
	f := near[0]
	if same := near.With("difference", "normalised"); len(same) > 0 {
		f = same[0]
	}
	if f.Attr("difference") == "normalised" {
		return fate(inv.FatePresent, inv.Established, near, "The row is in %s under %q: the same id, written differently from %q.", f.Attr("table"), f.Attr("key"), v.Record.ID)
	}
	if len(near) > 1 || f.Attr("random") != "true" {
		return none()
	}
	return fate(inv.FatePresent, inv.Established, near, "The row is in %s under %q, which differs in one digit from the asked %q; two random ids are never that close by chance.", f.Attr("table"), f.Attr("key"), v.Record.ID)
}

// fateHistory: a table that the database writes about itself has the delete.
func fateHistory(v View) (inv.Fate, bool) {
	if !v.Facts.Any(inv.RowAbsent) {
		return none()
	}
	if list := v.Facts.Of(inv.RowInHistory).With("operation", "delete"); len(list) > 0 {
		f := list[0]
		standing := inv.Probable
		if f.Attr("written-by") == "trigger" && len(v.Story.Existed()) == 0 {
			standing = inv.Established // else it may tell of an earlier life of the key
		}
		return fate(inv.FateDeleted, standing, inv.Facts{f}, "%s", f.Says)
	}
	return none()
}

func undetermined(v View) inv.Fate {
	f := inv.Fate{Kind: inv.FateUndetermined, Standing: inv.Undetermined, Summary: whyOpen(v)}
	f.Settles = whatWouldSettle(v)
	if kept := keptCopies(v); len(kept) > 0 {
		f.Evidence = kept.Evidence()
		f.Summary += " A row with this id is in " + kept[0].Attr("table") + ", which looks as if it kept rows of other tables: it was moved or copied there, so the record existed; whether the application should see it there is not told."
		f.Settles = append(f.Settles, "what writes "+kept[0].Attr("table")+": an archive job, a trigger, the application")
	}
	if gone := goneUnseen(v); len(gone) > 0 && v.Story.Empty() {
		f.Summary += " A table that may have held it was dropped: " + gone[0].Says + "."
		f.Settles = append([]string{"a backup from before the drop of " + gone[0].Attr("table") + " at " + clock(gone[0].Time) + ", or WAL from before its rows were written (--wal)"}, f.Settles...)
		f.Evidence = appendNew(f.Evidence, gone.Evidence()...)
	}
	for _, kind := range []inv.FactKind{inv.RowAbsent, inv.IDIssued, inv.TupleInserted, inv.WALKeyAbsent, inv.RemovalSaid, inv.RowInHistory} {
		f.Evidence = appendNew(f.Evidence, v.Facts.Of(kind).Evidence()...)
	}
	return f
}

// keptCopies are rows with the id in tables that keep copies of others' rows.
func keptCopies(v View) inv.Facts {
	if !v.Facts.Any(inv.RowAbsent) || !globallyUnique(v.Record) {
		return nil // a number names another record there
	}
	home := homeServer(v.All)
	return v.All.Of(inv.RowVisible).Where(func(f inv.Fact) bool {
		kept := v.All.Of(inv.TableProperty).With("name", "candidate").With("table", f.Attr("table")).Where(func(c inv.Fact) bool { return c.Attr("history") != "" })
		return on(f, home) && f.Attr("as") == "" && !v.Focus.holds(f.Attr("table")) && len(kept) > 0
	})
}

// namedBy are rows of other tables that still name the id: history and audit, and
// references that nothing answers. A number names the record only in a column that
// is named for its table.
func namedBy(v View) inv.Facts {
	meant := func(of string) bool {
		return v.Focus.holds(of) || v.Focus.members == nil && globallyUnique(v.Record)
	}
	out := v.All.Of(inv.RowInHistory).Where(func(f inv.Fact) bool { return meant(f.Attr("of")) })
	for _, f := range v.All.Of(inv.RowVisible).Where(func(f inv.Fact) bool { return f.Attr("as") == "" && on(f, homeServer(v.All)) }) {
		for _, c := range v.All.Of(inv.TableProperty).With("name", "candidate").With("table", f.Attr("table")).With("by-name", "true") {
			if meant(c.Attr("refers")) {
				f.Says = "A row of " + f.Attr("table") + " still refers to it by " + c.Attr("columns")
				out = append(out, f)
			}
		}
	}
	return out
}

// takenOff is the former partition that the row was last known in, when nobody
// could read it.
func takenOff(v View) inv.Facts {
	last, ok := Last(v.Story.Existed())
	if !ok || len(v.Facts.Of(inv.RowAbsent).With("table", last.Table())) > 0 || v.Facts.Any(inv.RowVisible) || len(Ended(v.Story.Removals, Committed)) > 0 {
		return nil
	}
	return v.property("lookalike").With("table", last.Table())
}

// sameColumns are rows with the key in tables that keep rows of the same columns.
func sameColumns(v View) inv.Facts { return v.Facts.Of(inv.RowInHistory).With("copy", "true") }

// nowhere says where the id was looked for in vain.
func nowhere(v View) string {
	switch {
	case v.Record.Table != "":
		return "The id is not in " + orUnknown(v.Focus.Table, v.Record.Table)
	case len(keptCopies(v)) > 0, len(namedBy(v)) > 0:
		return "The id is in no table of its own that could be read"
	}
	if v.Record.Table == "" && v.All.Of(inv.TableProperty).With("name", "cut").With("table", "").Any(inv.TableProperty) {
		return "The id is in none of the tables that were asked; more tables fit it (name one with --table)"
	}
	return "The id is the key of no row that could be read"
}

// few names the first of a list, and how many more there are.
func few(list []string) string {
	const most = 6
	if len(list) <= most+1 {
		return strings.Join(list, ", ")
	}
	return strings.Join(list[:most], ", ") + fmt.Sprintf(" and %d more", len(list)-most)
}

func whyOpen(v View) string {
	switch {
	case len(takenOff(v)) > 0:
		f := takenOff(v)[0]
		return "The row was committed to " + f.Attr("table") + ", which is no part of " + f.Attr("value") + " now, and could not be read: whether the row is in it still is not known."
	case len(v.Story.Existed()) > 0 && v.Facts.Any(inv.RowAbsent):
		return "The row was committed and is not there now, but what took it was not seen: the evidence of that moment could not be read."
	case len(perhapsUnhardened(v)) > 0:
		return "The insert is in WAL without a COMMIT, and the server crashed after it; commits did not wait for the disk (" + perhapsUnhardened(v)[0].Says + "): whether the commit was never made, or made and lost in the crash, cannot be told."
	case len(keyTaken(v)) > 0:
		return "An insert was refused because a row with this key was there already; that row is gone, and what took it was not seen."
	case len(v.Story.Existed()) > 0:
		return "The row was committed; whether it is still there could not be read."
	case !v.Story.Empty():
		return "Traces of the row were read, but how its transaction ended could not be."
	case v.Facts.Any(inv.IDIssued) && v.noDatabase():
		return "The id was handed out; no database could be asked, and the logs do not tell what became of the record."
	case v.noDatabase() && len(loggedDeletes(v)) > 0:
		return "No database could be asked, and a log tells of a removal: " + loggedDeletes(v)[0].Says + "; whether a row was there and went with it is not shown."
	case v.noDatabase():
		return "No database could be asked, and no log tells what became of the record."
	case v.Facts.Any(inv.RowAbsent) && len(sameColumns(v)) > 0:
		return nowhere(v) + ", and " + sameColumns(v)[0].Says + ": it may have been moved there; what took it was not seen."
	case v.Facts.Any(inv.IDIssued, inv.RowAbsent) && len(keptCopies(v)) > 0:
		return nowhere(v) + "."
	case v.Facts.Any(inv.IDIssued):
		return "The id was handed out, but the database's own record of that moment could not be read without a hole."
	case v.Facts.Any(inv.RowAbsent) && len(insertStatements(v)) > 0:
		return nowhere(v) + ". A statement that inserts it was logged (" + insertStatements(v)[0].Says + "); whether the row was stored, and what took it, was not seen."
	case v.Facts.Any(inv.RowAbsent) && len(sequencesBehind(v)) > 0:
		return nowhere(v) + ", and nothing shows that it was ever handed out: " + sequencesBehind(v)[0].Says + ". Another table, another environment, or a sequence that was set back."
	case v.Facts.Any(inv.RowAbsent, inv.RowInHistory) && len(namedBy(v)) > 0:
		return nowhere(v) + ". " + namedBy(v)[0].Says + ": it seems to have existed, and what took it was not seen."
	case v.Facts.Any(inv.RowAbsent):
		return nowhere(v) + ", and nothing shows that it was ever handed out."
	default:
		return "No source could show whether the record ever existed."
	}
}
