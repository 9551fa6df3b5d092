package mechanisms

import (
	"maps"
	"slices"
	"strings"

	inv "inquest/investigations"
)

// interactive names clients that people type into. A program name alone proves
// no person: scripts call psql too.
var interactive = []string{"psql", "pgadmin", "dbeaver", "datagrip", "tableplus", "postico", "beekeeper", "navicat", "heidisql", "azure data studio", "pgcli", "sqlworkbench", "squirrel"}

// retentionWords are what names of jobs hold that remove what is old.
var retentionWords = []string{"retention", "purge", "cleanup", "clean-up", "housekeep", "janitor", "reaper", "sweep", "expir", "archiv", "ttl", "partman", "vacuumdb"}

// scheduleWords are what names of scheduled work hold. They say when it runs, and
// not what it is for: a nightly import is an import.
var scheduleWords = []string{"cron", "scheduler", "nightly"}

// scriptWords are what names of migrations, imports and one-off programs hold.
var scriptWords = []string{"migrat", "script", "flyway", "liquibase", "alembic", "pg_restore", "pgloader", "etl", "import", "backfill", "fixup", "one-off", "oneoff"}

// act is the step that took the row: the delete, the key change, or the removal
// of its table.
func act(v View) (Step, bool) {
	if d, ok := v.Story.removal(); ok {
		return d, true
	}
	if keys := v.Story.keys(); len(keys) > 0 {
		if r, ok := emptied(v, keys[len(keys)-1]); ok {
			return r, true
		}
		return keys[0], true
	}
	if r, ok := takenWith(v); ok {
		return r, true
	}
	return Last(Ended(v.Story.Removals, Committed))
}

// actors are the sessions that can have committed the act. Where statements show
// them, the sessions that were merely connected no longer count.
func actors(v View) inv.Facts {
	a, ok := act(v)
	if !ok {
		return nil
	}
	return sessionsOf(v, append([]string{a.Xid}, topsOf(a)...)...)
}

func sessionsOf(v View, xids ...string) inv.Facts {
	all := v.Facts.Of(inv.SessionAtCommit).Where(func(f inv.Fact) bool {
		return f.Attr("of") != "" && slices.Contains(xids, f.Attr("of"))
	})
	if seen := all.With("joins", "statement"); len(seen) > 0 {
		return connected(seen, all)
	}
	return all
}

// connected adds to a session known by its statements what its connection told.
func connected(seen, all inv.Facts) inv.Facts {
	var out inv.Facts
	for _, s := range seen {
		for _, c := range all {
			if c.Attr("joins") == "" && c.Attr("pid") == s.Attr("pid") && s.Attr("pid") != "" {
				s.Attrs = merged(c.Attrs, s.Attrs)
				s.Evidence = appendNew(slices.Clone(s.Evidence), c.Evidence...)
			}
		}
		out = append(out, s)
	}
	return out
}

// merged is under with what over knows better; an unknown word does not count.
func merged(under, over map[string]string) map[string]string {
	out := maps.Clone(under)
	for k, v := range over {
		if v != "" && v != "unknown" && v != "false" {
			out[k] = v
		}
	}
	return out
}

// sole is the one session that can have committed the transaction, or none.
func sole(v View, xid string) inv.Facts {
	if all := sessionsOf(v, xid); len(all) == 1 && onlyOne(all[0]) {
		return all
	}
	return nil
}

// soleActor is the one session that can have committed the act, or none.
func soleActor(v View) inv.Facts {
	if all := actors(v); len(all) == 1 && onlyOne(all[0]) {
		return all
	}
	return nil
}

func onlyOne(f inv.Fact) bool {
	return f.Attr("complete") == "true" && f.Number("count") == 1
}

func named(f inv.Fact, words []string) bool {
	for _, field := range []string{"application", "user", "backend"} {
		s := strings.ToLower(f.Attr(field))
		if s != "" && slices.ContainsFunc(words, func(w string) bool { return strings.Contains(s, w) }) {
			return true
		}
	}
	return false
}

func isInteractive(f inv.Fact) bool {
	app := strings.ToLower(f.Attr("application"))
	return app != "" && slices.ContainsFunc(interactive, func(s string) bool { return strings.Contains(app, s) })
}

// isTerminal reports a client for terminals, which scripts call as well.
func isTerminal(f inv.Fact) bool {
	app := strings.ToLower(f.Attr("application"))
	return strings.Contains(app, "psql") || strings.Contains(app, "pgcli")
}

// isPerson reports a session that an interactive client held open at human pace,
// or with pauses under a role of its own, and that no job or script named as its
// own. A script that calls psql leaves as soon as it is done; nobody scripts a
// desktop client, so that a role of its own is enough there.
func isPerson(f inv.Fact) bool {
	paced := f.Attr("pace") == "human" || isPersonal(f) && (f.Attr("pace") == "pauses" || !isTerminal(f))
	return isInteractive(f) && paced && !isScheduled(f) && !isScript(f)
}

// serviceWords are what names of roles hold that programs use.
var serviceWords = []string{"app", "svc", "service", "api", "bot", "job", "worker", "etl", "batch", "backup", "deploy", "ci", "replic", "monitor", "postgres", "root", "admin", "owner", "system", "prod", "web", "server", "daemon"}

// isPersonal reports a role that only interactive clients use, and that is not
// named as a program's.
func isPersonal(f inv.Fact) bool {
	user := strings.ToLower(f.Attr("user"))
	if user == "" || f.Attr("role-programs") == "" || slices.ContainsFunc(serviceWords, func(w string) bool { return strings.Contains(user, w) }) {
		return false
	}
	for p := range strings.SplitSeq(f.Attr("role-programs"), ",") {
		if !isInteractive(inv.Fact{Attrs: map[string]string{"application": p}}) {
			return false
		}
	}
	return true
}

// isScheduled reports a session that is named for a job, whatever it is for.
func isScheduled(f inv.Fact) bool {
	return named(f, retentionWords) || named(f, scheduleWords) || f.Attr("backend") == "pg_cron"
}

// isJob reports a session of a job that can be one of retention: named for that,
// or for a schedule and for nothing else.
func isJob(f inv.Fact) bool {
	return isScheduled(f) && (named(f, retentionWords) || !named(f, scriptWords))
}

// isScript reports a session of a script or a migration by its names. What an
// interactive client says of itself beside its name is the title of a tab or a
// file: <Script-3.sql> in a desktop client is no script's run.
func isScript(f inv.Fact) bool {
	if isInteractive(f) {
		user := strings.ToLower(f.Attr("user"))
		return !isJob(f) && user != "" && slices.ContainsFunc(scriptWords, func(w string) bool { return strings.Contains(user, w) })
	}
	return !isJob(f) && named(f, scriptWords)
}

// isService reports a session of the application: its role is the application's,
// or the same program and role was connected when the row was stored.
func isService(v View, f inv.Fact) bool {
	if isInteractive(f) || isJob(f) || isScript(f) {
		return false
	}
	if v.Options.AppRole != "" {
		return f.Attr("user") == v.Options.AppRole
	}
	return storedIt(v, f)
}

// storedIt reports a session of the program and the role that stored the row.
func storedIt(v View, f inv.Fact) bool {
	ins, ok := Last(Ended(v.Story.Inserts, Committed))
	if !ok || f.Attr("user") == "" {
		return false
	}
	return slices.ContainsFunc(sessionsOf(v, append([]string{ins.Xid}, topsOf(ins)...)...), func(s inv.Fact) bool {
		return s.Attr("user") == f.Attr("user") && s.Attr("application") == f.Attr("application") && !isInteractive(s)
	})
}

// actorIs is the rule that the one session that can have done it is of a kind.
func actorIs(role Role, says string, is func(View, inv.Fact) bool) Rule {
	return Rule{
		Role: role, Says: says,
		Find: func(v View) inv.Facts {
			return soleActor(v).Where(func(f inv.Fact) bool { return is(v, f) })
		},
		Looked: func(v View) bool { return len(soleActor(v)) > 0 },
	}
}

// actorNot is the rule that every session that can have done it is known and
// none of them is of a kind.
func actorNot(says string, is func(View, inv.Fact) bool) Rule {
	return Rule{
		Role: Contradicts, Says: says,
		Find: func(v View) inv.Facts {
			all := actors(v)
			for _, f := range all {
				if f.Attr("complete") != "true" || f.Attr("application-known") != "true" || is(v, f) {
					return nil
				}
			}
			return all
		},
		Looked: func(v View) bool { return len(actors(v)) > 0 },
	}
}

func person(_ View, f inv.Fact) bool { return isPerson(f) }
func typed(_ View, f inv.Fact) bool  { return isInteractive(f) }
func job(_ View, f inv.Fact) bool    { return isJob(f) }

// byActor names the family of a removal by who did it, when that is known.
func byActor(v View) inv.Cause { return familyOf(v, actors(v), inv.CauseUndetermined) }

// unlessJob is the cause of the removal of a whole table: a job's, or somebody's
// mistake.
func unlessJob(v View) inv.Cause {
	if familyOf(v, actors(v), inv.CauseAccidental) == inv.CauseRetention {
		return inv.CauseRetention
	}
	return inv.CauseAccidental
}

// familyOf is the family of the sessions that can have done something, when none
// is missing and all are of one family.
func familyOf(v View, sessions inv.Facts, other inv.Cause) inv.Cause {
	family := other
	for i, f := range sessions {
		of := other
		switch {
		case f.Attr("complete") != "true" && !(f.Attr("joins") == "statement" && f.Number("count") == 1):
		case isPerson(f), isScript(f), isInteractive(f):
			of = inv.CauseAccidental
		case isJob(f):
			of = inv.CauseRetention
		case isService(v, f):
			of = inv.CauseApplication
		}
		if i > 0 && of != family {
			return other
		}
		family = of
	}
	return family
}

// contents is what the transaction that took the row did in all.
func contents(v View) inv.Facts {
	a, ok := act(v)
	if !ok {
		return nil
	}
	return v.Facts.Of(inv.XactContents).With("xid", a.Xid)
}

// tablesIn lists the tables that a transaction did something to, in order.
func tablesIn(f inv.Fact, did string) []string {
	s := f.Attr(did)
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}
