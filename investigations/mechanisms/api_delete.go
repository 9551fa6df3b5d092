package mechanisms

import (
	"fmt"
	"slices"
	"strings"
	"time"

	inv "inquest/investigations"
)

func apiDelete() Mechanism {
	return Mechanism{
		ID: "api-delete", Fate: inv.FateDeleted, Title: "deleted by the application",
		About: "The application's own delete path removed the row, without an audit entry.",
		Cause: Always(inv.CauseApplication),
		Rules: []Rule{
			deletedOrLogged(Needs),
			proof(Rule{
				Says: "logs tell one story: it was there, a request to delete it succeeded, and it is denied since",
				Find: toldDelete,
			}),
			proof(Rule{
				Says:   "a request to delete it was in flight when the delete was committed",
				Find:   requestInFlight,
				Looked: func(v View) bool { return len(deleteRequests(v)) > 0 },
			}),
			proof(Rule{
				Says: "exactly one session can have done it: the application's, with a delete of this id as its statement, or with one that has parameters, as the program that stored the row sends",
				Find: func(v View) inv.Facts {
					a := soleActor(v).Where(func(f inv.Fact) bool { return isService(v, f) && f.Attr("joins") == "statement" })
					if len(a) == 0 {
						return nil
					}
					prepared := strings.Contains(a[0].Attr("statement"), "$1") && storedIt(v, a[0])
					if len(ownStatement(v, a[0])) == 0 && !namesRecord(v, a[0].Attr("statement")) && !prepared {
						return nil // what it sent may have been meant for others as well: a script's, a job's
					}
					return append(a, ownStatement(v, a[0])...)
				},
			}),
			{
				Role: Supports, Says: "the session that did it is the application's",
				Find: func(v View) inv.Facts { return soleActor(v).Where(func(f inv.Fact) bool { return isService(v, f) }) },
			},
			actorIs(Contradicts, "the one session that can have done it was a person's", person),
			actorIs(Contradicts, "the one session that can have done it was a job's", job),
			actorNot("every session that can have done it is known, and all are interactive clients", func(_ View, f inv.Fact) bool { return !isInteractive(f) }),
			replicated(Contradicts),
			removedByTable(Contradicts),
		},
		Says: func(v View) string {
			for _, f := range toldDelete(v) {
				if f.Attr("op") != "delete" || f.Kind != inv.APIAnswer {
					continue
				}
				by := ""
				if actor := actorOf(v, f); actor != "" {
					by = " by " + actor
				}
				request := ""
				if r := f.Attr("request"); r != "" {
					request = " (request " + r + ")"
				}
				return fmt.Sprintf("A request to delete it was answered%s%s%s: %s", at(f.Time), by, request, f.Says)
			}
			for _, f := range requestInFlight(v) {
				return fmt.Sprintf("A request to delete it was answered%s, as the delete was committed: %s", at(f.Time), f.Says)
			}
			if a := soleActor(v).Where(func(f inv.Fact) bool { return isService(v, f) }); len(a) > 0 {
				return "The delete was committed by a session of the application: " + sessionName(a[0]) + "."
			}
			if list := deleteRequests(v); len(list) > 0 {
				return "A request to delete it was answered with success" + at(list[len(list)-1].Time) + "; whether it is what removed the row was not shown: " + list[len(list)-1].Says
			}
			return "No delete request for it is in the logs that were read."
		},
		Settles: []string{"the gateway's or the application's log around the commit, for DELETE requests", "the server log's statement lines around the commit"},
	}
}

// toldDelete is the story of a delete as logs alone tell it, where no row version
// was read: the record was shown before, or the application says in a line of its
// own that it removed it; the request succeeded; and it was denied afterwards.
func toldDelete(v View) inv.Facts {
	if !v.Story.Empty() {
		return nil
	}
	for _, d := range deleteRequests(v) {
		denied := deniedSince(v, d)
		if len(denied) == 0 || len(shownSince(v, d)) > 0 {
			continue
		}
		before := existedBefore(v, d)
		said := v.Facts.Of(inv.RemovalSaid).Where(func(f inv.Fact) bool {
			return f.Attr("job") == "" && (f.Attr("request") != "" && f.Attr("request") == d.Attr("request") || !f.Time.IsZero() && f.Time.Sub(d.Time).Abs() <= requestAfter)
		})
		shown := before.Where(shows)
		if len(before) == 0 || len(shown)+len(said) == 0 {
			continue // a delete of what is not there can succeed as well
		}
		return slices.Concat(inv.Facts{d}, said, before, denied)
	}
	return nil
}

func deleteRequests(v View) inv.Facts {
	return v.Facts.Of(inv.APIAnswer).Where(func(f inv.Fact) bool {
		return f.Attr("op") == "delete" && f.Number("status") >= 200 && f.Number("status") < 300
	})
}

// How far before and after the commit a request's line may stand: a line is
// written when the request ends, and clocks differ a little.
const (
	requestBefore = time.Second
	requestAfter  = 30 * time.Second
)

// requestInFlight are successful delete requests whose line stands at the commit,
// by the server's clock where the two were compared.
func requestInFlight(v View) inv.Facts {
	a, ok := act(v)
	if !ok || a.When().IsZero() {
		return nil
	}
	return deleteRequests(v).Where(func(f inv.Fact) bool {
		if f.Time.IsZero() {
			return false
		}
		from, to := v.onClockOf(a, f)
		return to.Sub(from)-latest(f).Sub(f.Time) <= 2*requestBefore && to.Sub(a.When()) >= -requestBefore && from.Sub(a.When()) <= requestAfter
	})
}

// statementReach is how far from the commit a statement of the same process id is
// taken for the session's: ids of processes are handed out again.
const statementReach = 10 * time.Minute

// ownStatement are the session's logged deletes of this id.
func ownStatement(v View, session inv.Fact) inv.Facts {
	a, _ := act(v)
	return v.Facts.Of(inv.LogStatement).Where(func(f inv.Fact) bool {
		near := f.Time.IsZero() || a.When().IsZero() || a.When().Sub(f.Time).Abs() < statementReach
		return f.Attr("op") == "delete" && f.Attr("joins") == "id" && f.Attr("pid") == session.Attr("pid") && near
	})
}

// namesRecord reports whether a statement holds a value of the record's key.
func namesRecord(v View, statement string) bool {
	return statement != "" && slices.ContainsFunc(v.Record.Values(), func(val string) bool {
		return val != "" && strings.Contains(strings.ToLower(statement), strings.ToLower(val))
	})
}
