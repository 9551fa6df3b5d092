package main

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"inquest/investigations"
	"inquest/sources"
	"inquest/sources/httpapi"
	"inquest/sources/logformat"
	"inquest/sources/walfetch"
	"inquest/ui/backend"
	"inquest/ui/when"
)

// request is one investigation as it was asked for.
type request struct {
	backend.NewCase
	Formats  map[string]string // forced log formats by source name
	Location *time.Location    // zone of log times without one; nil: unknown
	WALFetch string            // restore command of the WAL archive
	outputs  outputs
	cases    int               // how many cases share the sources; zero: one
	named    map[string]string // the names under which a format can be forced, each to itself
}

// caseFlags are the flags by which run and open name sources.
type caseFlags struct {
	databases, logs, wal, formats, settings, hints []string
	table, role, zone, budget, walFetch            string
	from, to, at, around, since                    string
	profile, api, repo                             string
	outputs                                        outputs
}

func (f *caseFlags) register(fs *pflag.FlagSet) {
	fs.StringArrayVar(&f.databases, "db", nil, "`[NAME=]DSN` of a PostgreSQL database; repeatable, the first is the primary")
	fs.StringArrayVar(&f.logs, "logs", nil, "log `PATH`, glob, folder, tar or zip archive, or - for standard input; repeatable, the format is found by itself")
	f.outputs.register(fs)
	fs.StringVar(&f.api, "api", "", "`URL` of the application's API with {id} in it, asked once by GET; headers come from the configuration")
	fs.StringVar(&f.repo, "repo", "", "`DIR` of the application's git repository, for changes and lines of code that remove rows")
	fs.StringArrayVar(&f.wal, "wal", nil, "`DIR` with WAL segments (a copy of pg_wal or an archive); repeatable")
	fs.StringVar(&f.walFetch, "wal-fetch", "", "restore `COMMAND` of a WAL archive, such as 'pgbackrest --stanza=main archive-get %f %p'")
	fs.StringArrayVar(&f.formats, "format", nil, "`NAME=FORMAT` forces the format of a log")
	fs.StringVar(&f.zone, "tz", "", "`ZONE` of log times that are written without one, such as Europe/London")
	fs.StringVar(&f.table, "table", "", "`schema.table` the record belongs to; found by itself when not given")
	fs.StringVar(&f.from, "from", "", "start of the `TIME` that matters")
	fs.StringVar(&f.to, "to", "", "end of the `TIME` that matters")
	fs.StringVar(&f.at, "at", "", "the `TIME` that matters, with --around before and after it")
	fs.StringVar(&f.around, "around", defaultAroundText, "how long before and after --at, such as 90s, 30m, 2h")
	fs.StringVar(&f.since, "since", "", "the window is from this `TIME` until now")
	fs.StringVar(&f.role, "as", "", "the application's `ROLE`, to see what it sees")
	fs.StringArrayVar(&f.settings, "as-setting", nil, "`NAME=VALUE` of the application's session; repeatable")
	fs.StringArrayVar(&f.hints, "hint", nil, "a natural `KEY=VALUE` of the record, such as reference=R-118; repeatable")
	fs.StringVar(&f.profile, "profile", "", "connections of this `NAME` in the configuration file")
	fs.StringVar(&f.budget, "budget", "normal", "what may be read: small, normal or large")
}

// request checks the flags and returns what they ask for, with the connections
// of the profile they name.
func (f *caseFlags) request(p *program, id string) (request, error) {
	now := p.now()
	r := request{NewCase: backend.NewCase{
		Record: id, Table: f.table, Databases: f.databases, Logs: f.logs, WAL: f.wal,
		AppRole: f.role, Zone: f.zone, Budget: investigations.Budget(f.budget), API: f.api, Repo: f.repo,
	}, WALFetch: f.walFetch, outputs: f.outputs, named: map[string]string{}}
	err := f.outputs.check()
	if err != nil {
		return r, err
	}
	if r.Hints, err = pairs("--hint", f.hints); err != nil {
		return r, err
	}
	if r.AppSettings, err = pairs("--as-setting", f.settings); err != nil {
		return r, err
	}
	if r.Formats, err = pairs("--format", f.formats); err != nil {
		return r, err
	}
	if r.Window, err = f.window(now); err != nil {
		return r, err
	}
	if f.profile != "" {
		profile, err := p.config.profile(f.profile)
		if err != nil {
			return r, err
		}
		profile.apply(&r)
		r.Logs, r.WAL, r.Repo = p.untildes(r.Logs), p.untildes(r.WAL), p.untilde(r.Repo)
	}
	return r, r.check()
}

// check reports what nothing could be done with, and fills Location.
func (r *request) check() error {
	if err := (investigations.Record{ID: r.Record}).Validate(); err != nil {
		return usage("%w", err)
	}
	budgets := []investigations.Budget{investigations.BudgetSmall, investigations.BudgetNormal, investigations.BudgetLarge}
	if r.Budget == "" {
		r.Budget = investigations.BudgetNormal
	}
	if !slices.Contains(budgets, r.Budget) {
		return usage("--budget %q is none of small, normal, large", r.Budget)
	}
	for _, name := range r.Formats {
		if _, err := logformat.Named(name); err != nil {
			return usage("--format: %w", err)
		}
	}
	if r.WALFetch != "" {
		if _, err := walfetch.Open(r.WALFetch, walfetch.Options{}); err != nil {
			return usage("--wal-fetch: %w", err)
		}
	}
	if r.API != "" {
		if _, err := httpapi.Open(r.API, httpapi.Options{}); err != nil {
			return usage("--api: %w", err)
		}
	}
	for _, arg := range r.Databases {
		if err := checkDSN(arg); err != nil {
			return err
		}
	}
	if w := r.Window; !w.From.IsZero() && !w.To.IsZero() && !w.From.Before(w.To) {
		return usage("the window ends (%s) before it starts (%s): swap --from and --to", w.To.Format(time.RFC3339), w.From.Format(time.RFC3339))
	}
	if r.Zone == "" {
		return nil
	}
	loc, err := time.LoadLocation(r.Zone)
	if err != nil {
		return usage("--tz %q is no known time zone: use a name such as Europe/London or UTC%s", r.Zone, nearZones(r.Zone))
	}
	r.Location = loc
	return nil
}

func (f *caseFlags) window(now time.Time) (sources.Window, error) {
	var w sources.Window
	given := 0
	for _, s := range []string{f.from + f.to, f.at, f.since} {
		if s != "" {
			given++
		}
	}
	if given > 1 {
		return w, usage("give the window by --from and --to, or by --at and --around, or by --since, not by several of them")
	}
	if f.at == "" && f.around != "" && f.around != defaultAroundText {
		return w, usage("--around %s says how long before and after a moment: name the moment with --at", f.around)
	}
	var err error
	switch {
	case f.at != "":
		at, err := moment("--at", f.at, now)
		if err != nil {
			return w, err
		}
		d, err := time.ParseDuration(f.around)
		if err != nil || d <= 0 {
			return w, usage("--around %q is no length of time: write one such as 90s, 30m or 2h", f.around)
		}
		return sources.Around(at, d), nil
	case f.since != "":
		w.From, err = moment("--since", f.since, now)
		w.To = now.UTC()
		if err == nil && w.From.After(w.To) {
			return w, usage("--since %s lies in the future (%s): the window is from then until now", f.since, w.From.Format(time.RFC3339))
		}
		return w, err
	}
	if f.from != "" {
		if w.From, err = moment("--from", f.from, now); err != nil {
			return w, err
		}
	}
	if f.to != "" {
		w.To, err = moment("--to", f.to, now)
	}
	return w, err
}

// moment parses a time as a person types it. A time that could be read in two
// ways is refused with both.
func moment(flag, text string, now time.Time) (time.Time, error) {
	res, err := when.Parse(text, now, time.Local)
	if err != nil {
		return time.Time{}, usage("%s: %w", flag, err)
	}
	if len(res.Ambiguous) > 0 {
		both := make([]string, 0, len(res.Ambiguous))
		for _, t := range res.Ambiguous {
			both = append(both, t.Format("2 January 2006 15:04 MST"))
		}
		return time.Time{}, usage("%s %q could mean %s: write it as 2006-01-02T15:04:05Z", flag, text, strings.Join(both, " or "))
	}
	return res.Time.UTC(), nil
}

func pairs(flag string, list []string) (map[string]string, error) {
	out := map[string]string{}
	for _, s := range list {
		k, v, ok := strings.Cut(s, "=")
		if !ok || k == "" {
			return nil, usage("%s %q is not of the form name=value", flag, s)
		}
		out[k] = v
	}
	return maps.Clone(out), nil
}

var keywordDSN = regexp.MustCompile(`^\s*[a-z_]+\s*=`)

// libpqKeywords are the connection keywords that a DSN can begin with.
var libpqKeywords = []string{
	"host", "hostaddr", "port", "dbname", "user", "password", "passfile", "service", "servicefile", "sslmode", "sslcert", "sslkey",
	"sslrootcert", "sslcrl", "connect_timeout", "application_name", "target_session_attrs", "options", "client_encoding",
	"keepalives", "gssencmode", "channel_binding", "krbsrvname", "require_auth", "sslcompression", "requiressl",
}

// splitName parts "NAME=DSN": a name only when a URL or a keyword of libpq
// follows; "host=… dbname=…" is a DSN without a name.
func splitName(arg string) (name, dsn string) {
	first, rest, ok := strings.Cut(arg, "=")
	if !ok || strings.ContainsAny(first, ":/ ") {
		return "", arg
	}
	if strings.HasPrefix(rest, "postgres://") || strings.HasPrefix(rest, "postgresql://") {
		return first, rest
	}
	if keywordDSN.MatchString(rest) {
		keyword, _, _ := strings.Cut(strings.TrimSpace(rest), "=")
		if slices.Contains(libpqKeywords, strings.TrimSpace(keyword)) {
			return first, rest
		}
	}
	return "", arg
}

// databaseName names a database that was given no name: by the DSN's database
// and host where it is a URL, else by its place on the command line.
func databaseName(dsn string, place int) string {
	if u, err := url.Parse(dsn); err == nil && u.Host != "" {
		return fmt.Sprintf("%s@%s", strings.Trim(u.Path, "/"), u.Hostname())
	}
	if place == 0 {
		return "primary"
	}
	return fmt.Sprintf("db%d", place+1)
}
