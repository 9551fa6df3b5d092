package mechanisms

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	inv "inquest/investigations"
)

func retentionDelete() Mechanism {
	return Mechanism{
		ID: "retention-delete", Fate: inv.FateDeleted, Title: "removed by a retention job",
		About: "A scheduled retention job deleted the row, correctly or by a wrong predicate.",
		Cause: Always(inv.CauseRetention),
		Rules: []Rule{
			deletedOrLogged(Needs),
			proof(Rule{
				Says: "a job's own line says that it removed the record",
				Find: removedByJob,
			}),
			proof(Rule{
				Says:   "a job's run stands around the commit and tells of as many rows as the transaction deleted",
				Find:   func(v View) inv.Facts { return runsAround(v, true) },
				Looked: func(v View) bool { return len(runsAround(v, false)) > 0 },
			}),
			proof(actorIs(Supports, "exactly one session can have done it, and it is a job's", job)),
			proof(Rule{
				Says: "the same deletes come again at the same interval",
				Find: func(v View) inv.Facts { return repeated(Supports).Find(v) },
			}),
			{
				Role: Supports, Says: "a job ran at that moment",
				Find: func(v View) inv.Facts { return runsAround(v, false) },
			},
			{
				Role: Supports, Says: "a job's rule for removal takes the record, as its content was",
				Find: func(v View) inv.Facts {
					return removalChecks(v).With("holds", "true").Where(func(f inv.Fact) bool { return f.Attr("from") != "statement" })
				},
			},
			{
				Role: Contradicts, Says: "the rules of the job that ran do not take the record, as its content was",
				Find:   unfittingJob,
				Looked: func(v View) bool { return len(removalChecks(v)) > 0 },
			},
			actorIs(Contradicts, "the one session that can have done it was a person's", person),
			actorNot("every session that can have done it is known, and none is a job's", func(v View, f inv.Fact) bool {
				return isJob(f) || !isInteractive(f) // a job may run inside the application
			}),
			replicated(Contradicts),
			removedByTable(Contradicts),
		},
		Says: func(v View) string {
			for _, f := range removedByJob(v) {
				return fmt.Sprintf("The job %s says%s that it removed the record: %s", f.Attr("job"), at(f.Time), f.Says)
			}
			for _, f := range runsAround(v, false) {
				return fmt.Sprintf("The delete was committed while the job %s ran: %s", orUnknown(f.Attr("job"), "of an unknown name"), f.Says)
			}
			if a := soleActor(v).Where(isJob); len(a) > 0 {
				return "The delete was committed while one session could have done it, a job's: " + sessionName(a[0]) + "."
			}
			if p := repeated(Supports).Find(v); len(p) > 0 {
				return fmt.Sprintf("The same kind of delete comes again at the same interval (%d times in the WAL that was read).", len(p)+1)
			}
			return "No job is known to have run at the moment of the delete."
		},
		Settles: []string{
			"the job's own log of that moment",
			"cron.job_run_details, with a role that may read it",
			"the job's predicate against the recovered row",
		},
	}
}

// removalChecks are rules for removal that were held against the record's content.
func removalChecks(v View) inv.Facts {
	return v.Facts.Of(inv.PredicateChecked).Where(func(f inv.Fact) bool { return f.Attr("kind") != "swallow" })
}

// unfittingJob are the checked rules of the jobs that ran at the removal, when none
// of them takes the record and none is left open.
func unfittingJob(v View) inv.Facts {
	var out inv.Facts
	for _, run := range runsAround(v, false) {
		of := removalChecks(v).With("job", run.Attr("job"))
		no := of.With("holds", "false")
		if run.Attr("job") == "" || len(no) == 0 || len(no) != len(of) {
			return nil // this one may have done it
		}
		out = append(out, no...)
	}
	return out
}

// removedByJob are lines of jobs that say that they removed the record, where no
// other time of its removal is known, or at that time.
func removedByJob(v View) inv.Facts {
	a, known := act(v)
	return loggedDeletes(v).Of(inv.RemovalSaid).Where(func(f inv.Fact) bool {
		near := !known || a.When().IsZero() || f.Time.IsZero() || f.Time.Sub(a.When()).Abs() <= requestAfter
		return f.Attr("job") != "" && near
	})
}

// runsAround are runs of jobs that stand around the commit of the act. Counted
// ones tell of exactly as many removed rows as the transaction deleted.
func runsAround(v View, counted bool) inv.Facts {
	a, ok := act(v)
	if !ok {
		return nil
	}
	return v.Facts.Of(inv.JobRun).Where(func(f inv.Fact) bool {
		if f.Attr("of") != a.Xid && !slices.Contains(topsOf(a), f.Attr("of")) {
			return false
		}
		if !counted {
			return true
		}
		return slices.ContainsFunc(contents(v), func(c inv.Fact) bool {
			n := f.Attr("removed")
			return n != "" && n != "0" && (n == c.Attr("deletes") || slices.Contains(strings.Split(c.Attr("counts"), ","), n))
		})
	})
}

// repeated is the rule that transactions of the same shape delete from the table
// at equal intervals: a schedule. Three intervals must agree within a fifth.
func repeated(role Role) Rule {
	return Rule{
		Role: role, Says: "transactions of the same shape deleted from the table at equal intervals",
		Find: func(v View) inv.Facts {
			a, ok := act(v)
			if !ok || a.When().IsZero() {
				return nil
			}
			peers := v.Facts.Of(inv.XactPeer).With("same", "true").Where(func(f inv.Fact) bool { return !f.Time.IsZero() && f.Attr("xid") != a.Xid })
			times := []time.Time{a.When()}
			for _, f := range peers {
				times = append(times, f.Time)
			}
			if !periodic(times) {
				return nil
			}
			return peers
		},
	}
}

func periodic(times []time.Time) bool {
	if len(times) < 4 {
		return false
	}
	slices.SortFunc(times, time.Time.Compare)
	var gaps []time.Duration
	for i := 1; i < len(times); i++ {
		gaps = append(gaps, times[i].Sub(times[i-1]))
	}
	slices.SortFunc(gaps, func(a, b time.Duration) int { return cmp.Compare(a, b) })
	short, long := gaps[0], gaps[len(gaps)-1]
	return short >= 10*time.Second && long-short <= short/5
}
