package mechanisms

import (
	"slices"
	"strings"
	"time"

	inv "inquest/investigations"
)

// refusals are the errors after which no row version was ever written.
var refusals = []string{"23502", "23514", "22P02", "25006", "42501", "53100", "53300", "42P01", "42703", "42804", "22001", "22003", "22007", "22008", "22023", "23P01"}

// refused are the refusals of an insert of this record into the table in focus.
func refused(v View) inv.Facts {
	return v.Facts.Of(inv.LogError).Where(func(f inv.Fact) bool {
		refusal := slices.Contains(refusals, f.Attr("sqlstate")) && f.Attr("op") == "create" && f.Attr("joins") == "id"
		return refusal && (f.Attr("by") != "application" || len(answeredBy(v, f)) > 0)
	})
}

// answeredBy are the answers that handed the id out in the request of a line, or,
// where a log names no requests, at its moment.
func answeredBy(v View, line inv.Fact) inv.Facts {
	return v.Facts.Of(inv.IDIssued).Where(func(f inv.Fact) bool {
		if f.Attr("request") != "" && line.Attr("request") != "" {
			return f.Attr("request") == line.Attr("request")
		}
		return !f.Time.IsZero() && !line.Time.IsZero() && f.Time.Sub(line.Time).Abs() <= logSlack
	})
}

// fateRefused: the server refused the insert. Refusing leaves no trace in WAL,
// so this rests on the log.
func fateRefused(v View) (inv.Fate, bool) {
	list := refused(v)
	if len(list) == 0 || !v.Story.Empty() || !v.Discarded.Empty() || !v.gone() && !v.Facts.Any(inv.WALKeyAbsent) {
		return none()
	}
	f := list[len(list)-1]
	if len(writtenAfter(v, f)) > 0 {
		return none() // a later try may have been stored
	}
	standing, facts := inv.Probable, list
	if c := coveringAbsence(v, f.Time); len(c) > 0 && len(storedUnder(v)) == 0 {
		standing, facts = inv.Established, append(facts, c...)
	}
	return fate(inv.FateNeverWritten, standing, facts, "The insert was refused by the server at %s: %s", clock(f.Time), f.Attr("message"))
}

// writtenAfter are signs that the record was written after a refusal: it was
// shown, or a create that failed was followed by one that did not.
func writtenAfter(v View, refusal inv.Fact) inv.Facts {
	later := func(f inv.Fact) bool { return f.Time.IsZero() || refusal.Time.IsZero() || !f.Time.Before(refusal.Time) }
	out := v.Facts.Of(inv.APIAnswer).Where(func(f inv.Fact) bool { return shows(f) && later(f) })
	failed := v.Facts.Of(inv.APIAnswer).Where(func(f inv.Fact) bool { return f.Attr("op") == "create" && f.Number("status") >= 400 })
	if len(failed) > 0 {
		out = append(out, v.Facts.Of(inv.IDIssued).Where(func(f inv.Fact) bool { return later(f) && !f.Time.Before(failed[0].Time) })...)
	}
	// Another request handed the same id out afterwards.
	out = append(out, v.Facts.Of(inv.IDIssued).Where(func(f inv.Fact) bool {
		r, asked := f.Attr("request"), refusal.Attr("request")
		return r != "" && asked != "" && r != asked && f.Time.After(latest(refusal))
	})...)
	return append(out, insertStatements(v).Where(func(f inv.Fact) bool {
		return f.Time.After(refusal.Time.Add(clockSlack)) && f.Attr("failed") != "true"
	})...)
}

// shown are answers that showed the record.
func shown(v View) inv.Facts { return v.Facts.Of(inv.APIAnswer).Where(shows) }

// fateNotInserted: the statement that inserts the record reached the server and
// left no row version, while something in the table can swallow an insert.
func fateNotInserted(v View) (inv.Fate, bool) {
	if !v.Story.Empty() || !v.Discarded.Empty() || !v.Facts.Any(inv.RowAbsent) || len(storedUnder(v)) > 0 {
		return none()
	}
	for _, f := range insertStatements(v) {
		c := coveringAbsence(v, f.Time)
		if len(c) == 0 || len(swallowers(v)) == 0 {
			continue
		}
		return fate(inv.FateNeverWritten, inv.Established, append(inv.Facts{f}, c...), "The insert reached the server at %s and left no row version: %s", clock(f.Time), swallowers(v)[0].Says)
	}
	return none()
}

// insertStatements are the logged inserts of this record.
func insertStatements(v View) inv.Facts {
	return v.Facts.Of(inv.LogStatement).Where(func(f inv.Fact) bool { return f.Attr("op") == "create" && f.Attr("joins") == "id" })
}

// fateIssuedOnly: the id was handed out, WAL of that moment was read without a
// hole, and no version of the key is in it.
func fateIssuedOnly(v View) (inv.Fate, bool) {
	if !v.Story.Empty() || !v.Discarded.Empty() || !v.Facts.Any(inv.RowAbsent) || len(shown(v))+len(storedUnder(v)) > 0 {
		return none()
	}
	for _, f := range v.Facts.Of(inv.IDIssued) {
		if c := coveringAbsence(v, f.Time); len(c) > 0 {
			return fate(inv.FateNeverWritten, inv.Probable, append(inv.Facts{f}, c...), "The id was handed out %s, and the WAL from before that moment until now holds no row version of it: it seems never to have been written to this database.", clock(f.Time))
		}
	}
	return none()
}

// storedUnder are rows of the id in a table that keeps copies of this one's, or that
// is gone: the table in focus may be a new one that took the other's name, as when
// tables are swapped by renaming, and then it is no wonder that its WAL has no such row.
func storedUnder(v View) inv.Facts {
	out := append(keptCopies(v), v.All.Of(inv.RowInHistory).With("copy", "true").Where(func(f inv.Fact) bool { return v.Focus.members == nil || v.Focus.holds(f.Attr("of")) })...)
	if !globallyUnique(v.Record) {
		return out // a number names another record in another table
	}
	own := map[string]bool{}
	for _, c := range v.All.Of(inv.TableProperty).With("name", "candidate") {
		own[c.Attr("table")] = c.Attr("history") == ""
	}
	home := homeServer(v.All)
	return append(out, v.All.Where(func(f inv.Fact) bool {
		switch f.Kind {
		case inv.TupleInserted, inv.TupleUpdated, inv.TupleDeleted:
			return on(f, home) && f.Attr("branch") == "" && !v.Focus.holds(f.Attr("table")) && !own[f.Attr("table")]
		}
		return false
	})...)
}

// coveringAbsence returns the facts by which WAL around t, up to now, was read
// without a hole and holds no tuple of the key. It returns none for an unlogged
// table, whose rows leave no WAL; after a crash, fork or restore, which take
// WAL; and when files were dropped or emptied since that could have held the row.
func coveringAbsence(v View, t time.Time) inv.Facts {
	if t.IsZero() || len(after(v.Facts.Of(inv.CrashRecovery), t))+len(after(v.Facts.Of(inv.TimelineSwitch), t)) > 0 {
		return nil
	}
	if len(leavesNoWAL(v)) > 0 || len(after(v.Facts.Of(inv.TableTruncated), t))+len(after(v.Facts.Of(inv.TableDropped), t)) > 0 {
		return nil
	}
	if len(after(removalStatements(v), t))+len(v.property("unread-files"))+len(after(goneUnseen(v), t)) > 0 {
		return nil
	}
	for _, f := range v.Facts.Of(inv.WALKeyAbsent) {
		if beginsBefore(f, t.Add(-logSlack)) && !f.Until.IsZero() && f.Until.After(t) {
			return inv.Facts{f}
		}
	}
	return nil
}

// leavesNoWAL are properties by which rows of the table, or of a part of it, leave no
// trace in WAL.
func leavesNoWAL(v View) inv.Facts {
	return v.property("persistence").Where(func(f inv.Fact) bool { return strings.Contains(f.Attr("value"), "unlogged") })
}

// beginsBefore reports whether WAL that was read begins before t: by its first
// time, or because it begins with the cluster itself, in which nothing is older.
func beginsBefore(f inv.Fact, t time.Time) bool {
	if made, err := time.Parse(time.RFC3339, f.Attr("since")); err == nil && !t.Add(logSlack).Before(made) {
		return true
	}
	return !f.Time.IsZero() && !f.Time.After(t)
}

// after returns the facts that come after t, and those whose time is not known.
func after(facts inv.Facts, t time.Time) inv.Facts {
	return facts.Where(func(f inv.Fact) bool { return f.Time.IsZero() || !latest(f).Before(t) })
}

// goneUnseen are drops of tables that the record may have been in: they had a key
// that the id fits, or WAL does not describe them, and no row of theirs was seen.
func goneUnseen(v View) inv.Facts {
	home := homeServer(v.All)
	return v.All.Of(inv.TableDropped).With("unseen", "true").Where(func(f inv.Fact) bool { return on(f, home) })
}
