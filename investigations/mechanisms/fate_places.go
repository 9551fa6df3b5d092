package mechanisms

import (
	"slices"
	"strconv"
	"strings"
	"time"

	inv "inquest/investigations"
)

// A row that stands in another place than the one that was asked is either the
// record, written there instead, or a copy: a clone, a restored backup, an archive.
// Two things tell: it was born there, or it never was where it is missed.

// bornIn shows that the row was inserted into the table by a statement of its own
// as the id was handed out.
func bornIn(story Story, table string, when []time.Time) inv.Facts {
	for _, ins := range Ended(story.Inserts, Committed) {
		single := ins.Fact.Attr("from") == "wal" && ins.Fact.Attr("op") != "multi-insert"
		if !single || table != "" && ins.Table() != table || ins.When().IsZero() {
			continue
		}
		if slices.ContainsFunc(when, func(t time.Time) bool { return ins.When().Sub(t).Abs() <= logSlack }) {
			return ins.Facts()
		}
	}
	return nil
}

// neverIn shows that WAL of the home server, from before the id was handed out
// until now, holds no row version of it in the table; "" is any table.
func neverIn(v View, table string, when []time.Time) inv.Facts {
	at := v
	if table != "" {
		at = newView(inv.Deliberation{Record: v.Record, Options: v.Options, Facts: v.All}, Focus{Table: table, members: map[string]bool{table: true}, unique: true})
	}
	if !at.Story.Empty() {
		return nil
	}
	for _, t := range when {
		if c := coveringAbsence(at, t); len(c) > 0 {
			return c
		}
	}
	return nil
}

// bornWhen are the moments at which the id is known to have been made: when it was
// handed out, and the time that the id itself holds.
func bornWhen(v View) []time.Time {
	var out []time.Time
	for _, f := range v.All.Of(inv.IDIssued) {
		if !f.Time.IsZero() {
			out = append(out, f.Time)
		}
	}
	if t, _, ok := inv.TimeInID(v.Record.ID); ok {
		out = append(out, t)
	}
	return out
}

// copyOrRecord is the undetermined fate of a row that is found in another place
// and may be a copy.
func copyOrRecord(facts inv.Facts, where string) inv.Fate {
	return inv.Fate{
		Kind: inv.FateUndetermined, Standing: inv.Undetermined, Evidence: facts.Evidence(),
		Summary: where + " Whether it was written there instead, or is a copy of a row that is gone from its own place, cannot be told.",
		Settles: []string{
			"WAL of the moment the id was handed out, of the place where it is missed: a role that may read it, or --wal with an archive",
			"when the row was written to the place where it is: WAL there, or track_commit_timestamp",
			"whether that place is filled from the other: a clone, a restored backup, an archive job",
		},
	}
}

// detachLogged are logged statements that detach this table from the partitioned
// one.
func detachLogged(v View, table string) inv.Facts {
	return v.All.Of(inv.LogStatement).Where(func(f inv.Fact) bool {
		_, bare, _ := strings.Cut(table, ".")
		part := f.Attr("part")
		return f.Attr("op") == "detach" && f.Attr("failed") != "true" && (strings.EqualFold(part, table) || strings.EqualFold(part, bare))
	})
}

// fateAnotherLife: the row that stands under a number is not the first that had it.
// A key that is used again is no loss, and is said. But when the number was handed
// out before the server lost its past, or before the first row was deleted, nothing
// shows that the row now is the record: sequences hand numbers out again.
func fateAnotherLife(v View, visible inv.Facts) (inv.Fate, bool) {
	if f, ok := handedOn(v, visible); ok {
		return f, true
	}
	if globallyUnique(v.Record) {
		return none()
	}
	var born Step
	for _, ins := range Ended(v.Story.Inserts, Committed) {
		if ins.Xid == visible[0].Attr("xmin") || slices.Contains(topsOf(ins), visible[0].Attr("xmin")) {
			born = ins
		}
	}
	if born.When().IsZero() {
		return none()
	}
	if d, ok := lifeBefore(v, born); ok && unlike(born.Fact.Attr("like-before")) {
		return fate(inv.FatePresent, inv.Established, append(slices.Clone(visible), append(d.Facts(), born.Facts()...)...),
			"A row is in %s now, under the id that was asked for, written %s (xid %s). It is not the first: a row with other content had the id before, and was deleted by xid %s, committed %s.",
			visible[0].Attr("table"), clock(born.When()), born.Xid, d.Xid, clock(d.When()))
	}
	for _, issued := range v.Facts.Of(inv.IDIssued) {
		if issued.Time.IsZero() || !latest(issued).Add(logSlack).Before(born.When()) {
			continue
		}
		again := slices.ContainsFunc(v.Facts.Of(inv.IDIssued), func(o inv.Fact) bool { return o.Time.Sub(born.When()).Abs() <= logSlack })
		between := v.Facts.Where(func(f inv.Fact) bool {
			lost := f.Kind == inv.CrashRecovery || f.Kind == inv.TimelineSwitch || f.Kind == inv.SystemEvent && (f.Attr("how") == "failover" || f.Attr("how") == "restore")
			return lost && !latest(f).Before(issued.Time) && !f.Time.After(born.When())
		})
		for _, d := range Ended(v.Story.Deletes, Committed) {
			if !d.When().Before(issued.Time) && d.When().Before(born.When()) {
				between = append(between, d.Facts()...)
			}
		}
		if len(between) == 0 {
			continue
		}
		summary := "A row stands in " + visible[0].Attr("table") + " under this number, but it was written " + clock(born.When()) + ", after the number had been handed out " + clock(issued.Time) + "; in between: " + between[0].Says + ". Numbers are handed out again after that: whether the row is the record cannot be told."
		if again {
			summary = "The number was handed out twice: " + clock(issued.Time) + ", and again as the row that stands in " + visible[0].Attr("table") + " was written " + clock(born.When()) + "; in between: " + between[0].Says + ". Which of the two is meant is not told."
		}
		return inv.Fate{
			Kind: inv.FateUndetermined, Standing: inv.Undetermined, Summary: summary, Evidence: append(slices.Clone(visible), between...).Evidence(),
			Settles: []string{"a natural key of the record (--hint): does the row under the number carry it?", "WAL of the old primary, or a backup from before (--wal)"},
		}, true
	}
	return none()
}

// lifeBefore is the committed delete that ended the life of the key before this
// insert.
func lifeBefore(v View, born Step) (Step, bool) {
	for _, d := range slices.Backward(Ended(v.Story.Deletes, Committed)) {
		if position(d) > 0 && position(d) < position(born) {
			return d, true
		}
	}
	return Step{}, false
}

// unlike reads how many of the comparable columns were as in the life before, such
// as 1/4: less than half of them make another row.
func unlike(like string) bool {
	same, of, ok := strings.Cut(like, "/")
	a, err1 := strconv.Atoi(same)
	b, err2 := strconv.Atoi(of)
	return ok && err1 == nil && err2 == nil && b > 0 && 2*a < b
}
