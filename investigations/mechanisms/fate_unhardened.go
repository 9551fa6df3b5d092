package mechanisms

import (
	"strings"
	"time"

	inv "inquest/investigations"
)

// fateUnhardened: the commit was acknowledged while commits were not waited for,
// and a crash came right after.
func fateUnhardened(v View) (inv.Fate, bool) {
	facts := unhardened(v)
	if len(facts) == 0 || len(v.Story.Existed()) > 0 || !v.Facts.Any(inv.RowAbsent) {
		return none()
	}
	return fate(inv.FateLost, inv.Probable, facts, "The record was acknowledged %s while commits did not wait for the disk (%s), and the server crashed right after: %s", clock(facts[0].Time), facts[1].Says, facts[2].Says)
}

// hardenReach is how long an asynchronous commit can stay unwritten: three times
// wal_writer_delay at its default, with room for the log's clock.
const hardenReach = 2 * time.Second

// unhardened returns the acknowledgement, the setting by which it did not wait,
// and the crash that followed: the three signs of a lost asynchronous commit.
//
// An ABORT record shows that there was no commit; a failure that the application
// logged of the same write, statements without the insert, and a server that was
// put back to an earlier state explain the loss in other ways: then they tell
// nothing.
func unhardened(v View) inv.Facts {
	lax := laxSettings(v)
	if len(lax) == 0 || len(leavesNoWAL(v)) > 0 {
		return nil
	}
	if explicitAbort(v) || len(failedAfterAnswer(v))+len(noStatement(v)) > 0 || v.Facts.Any(inv.TimelineSwitch) || len(signs(v, "restore")) > 0 {
		return nil
	}
	for _, f := range v.Facts.Of(inv.IDIssued) {
		for _, c := range v.Facts.Of(inv.CrashRecovery) {
			if f.Time.IsZero() || c.Time.IsZero() || f.Time.After(c.Time) {
				continue
			}
			if t, ok := lastAlive(v, c); ok && latest(f).Before(t.Add(-clockSlack)) || !ok && c.Time.Sub(f.Time) > hardenReach {
				continue // it was on disk before the crash, or long before
			}
			return inv.Facts{f, lax[0], c}
		}
	}
	return nil
}

// clockSlack is how much an answer's clock may differ from the commit's.
const clockSlack = 100 * time.Millisecond

// lastAlive is the time of the last commit that recovery found, when the log
// tells it: what was committed after it did not survive.
func lastAlive(v View, crash inv.Fact) (time.Time, bool) {
	const recovery = time.Hour
	for _, f := range v.Facts.Of(inv.SystemEvent).With("how", "last-commit") {
		t, err := time.Parse(time.RFC3339Nano, f.Attr("last-commit"))
		if d := f.Time.Sub(crash.Time); err == nil && d >= 0 && d < recovery {
			return t, true
		}
	}
	return time.Time{}, false
}

// perhapsUnhardened are settings by which the commit of an insert that has no end
// in WAL may have been made, acknowledged, and lost in the crash that followed. WAL
// looks the same when the transaction was still running.
func perhapsUnhardened(v View) inv.Facts {
	if explicitAbort(v) || len(crashesAfterInsert(v)) == 0 {
		return nil
	}
	return v.Facts.Of(inv.Setting).Where(func(f inv.Fact) bool { return notWaiting(f) && mayConcern(v, f.Attr("scope")) })
}

func notWaiting(f inv.Fact) bool {
	switch f.Attr("name") {
	case "synchronous_commit", "fsync":
		return f.Attr("value") == "off"
	}
	return false
}

// laxSettings are settings by which a commit is acknowledged before it is
// durable. One that is set for a role counts when that role is the application's
// or wrote near the record.
func laxSettings(v View) inv.Facts {
	return v.Facts.Of(inv.Setting).Where(func(f inv.Fact) bool { return notWaiting(f) && concerns(v, f.Attr("scope")) })
}

// scopeOf reads the role and the database of a scope such as "set for role
// shop_app database shop"; both are empty for a setting of the whole server. own is
// true for a setting of inquest's own role.
func scopeOf(scope string) (role, database string, own bool) {
	if scope == "user" || scope == "database user" {
		return "", "", true
	}
	rest, ok := strings.CutPrefix(scope, "set for ")
	if !ok {
		return "", "", false
	}
	rest, database, _ = strings.Cut(rest, " database ")
	role, _ = strings.CutPrefix(rest, "role ")
	return strings.TrimSpace(role), database, false
}

// mayConcern reports whether a setting's scope may hold for the sessions that
// wrote the record, as far as is known of them.
func mayConcern(v View, scope string) bool {
	role, database, own := scopeOf(scope)
	here := v.setting("server.database")
	return !own && (database == "" || here == "" || database == here) && (role == "" || v.Options.AppRole == "" || role == v.Options.AppRole)
}

// concerns reports whether a setting's scope holds for the sessions that wrote
// the record.
func concerns(v View, scope string) bool {
	role, _, _ := scopeOf(scope)
	if !mayConcern(v, scope) || role == "" || v.Options.AppRole != "" {
		return mayConcern(v, scope)
	}
	return len(v.Facts.Where(func(f inv.Fact) bool {
		return (f.Kind == inv.LogStatement || f.Kind == inv.SessionAtCommit) && f.Attr("user") == role
	})) > 0
}
