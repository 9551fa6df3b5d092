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
func unhardened(v View) inv.Facts {
	lax := laxSettings(v)
	if len(lax) == 0 || v.property("persistence").With("value", "unlogged") != nil {
		return nil
	}
	for _, f := range v.Facts.Of(inv.IDIssued) {
		for _, c := range v.Facts.Of(inv.CrashRecovery) {
			if f.Time.IsZero() || c.Time.IsZero() || f.Time.After(c.Time) {
				continue
			}
			if t, ok := lastAlive(v, c); ok && f.Time.Before(t.Add(-clockSlack)) || !ok && c.Time.Sub(f.Time) > hardenReach {
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

// laxSettings are settings by which a commit is acknowledged before it is
// durable. One that is set for a role counts when that role is the application's
// or wrote near the record.
func laxSettings(v View) inv.Facts {
	return v.Facts.Of(inv.Setting).Where(func(f inv.Fact) bool {
		switch f.Attr("name") {
		case "synchronous_commit", "fsync":
			return f.Attr("value") == "off" && concerns(v, f.Attr("scope"))
		}
		return false
	})
}

// concerns reports whether a setting's scope, such as "set for role shop_app",
// holds for the sessions that wrote the record.
func concerns(v View, scope string) bool {
	_, rest, ok := strings.Cut(scope, "role ")
	if !ok {
		return true
	}
	role, _, _ := strings.Cut(rest, " database ")
	if v.Options.AppRole != "" {
		return role == v.Options.AppRole
	}
	return len(v.Facts.Where(func(f inv.Fact) bool {
		return (f.Kind == inv.LogStatement || f.Kind == inv.SessionAtCommit) && f.Attr("user") == role
	})) > 0
}
