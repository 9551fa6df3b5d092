package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"inquest/investigations"
	"inquest/investigations/asked"
	"inquest/investigations/drills"
	"inquest/investigations/journal"
	"inquest/investigations/report"
	"inquest/sources"
	"inquest/ui/backend"
)

// desk implements backend.Backend: it is where the screens meet the disk and
// the sources.
type desk struct {
	p   *program
	dir string // case folder
	// connect names the sources of the case that is opened first; nil: none.
	connect *request
}

func newDesk(p *program) *desk { return &desk{p: p, dir: caseDir(p)} }

// caseDir is where cases are saved: INQUEST_CASES, else the configured folder,
// else the user's data folder.
func caseDir(p *program) string {
	if dir := p.getenv("INQUEST_CASES"); dir != "" {
		return dir
	}
	if p.config.Cases != "" {
		return p.config.Cases
	}
	return journal.DefaultDir()
}

// List returns the saved cases.
func (d *desk) List(context.Context) ([]backend.CaseSummary, error) {
	list, err := journal.List(d.dir)
	if err != nil {
		return nil, err
	}
	out := make([]backend.CaseSummary, 0, len(list))
	for _, s := range list {
		out = append(out, backend.CaseSummary{
			Path: s.Path, Record: s.Record, Table: s.Table, Fate: s.Fate, Standing: s.Standing, Leading: s.Leading,
			Done: s.Done, Steps: len(investigations.Steps()), Updated: s.Updated, Locked: s.Locked, Broken: s.Broken, Recording: s.Recording,
		})
	}
	return out, nil
}

// Open opens a saved case. It has no connections, but for those that the command
// line named for it.
func (d *desk) Open(_ context.Context, path string) (backend.Session, error) {
	connect := d.connect
	d.connect = nil
	if connect != nil && slices.Contains(connect.Logs, "-") {
		return nil, errStdin
	}
	s, err := reopen(d.p, path, connect)
	if err != nil {
		return nil, err
	}
	s.asked = &backend.NewCase{}
	if connect != nil {
		s.asked = &connect.NewCase
	}
	return s, nil
}

// Connect opens a saved case again with other sources.
func (d *desk) Connect(_ context.Context, path string, n backend.NewCase) (backend.Session, error) {
	r, err := d.request(n)
	if err != nil {
		return nil, err
	}
	s, err := reopen(d.p, path, &r)
	if err != nil {
		return nil, err
	}
	s.asked = &n
	return s, nil
}

// Defaults fills the New form from the environment.
func (d *desk) Defaults(context.Context) (backend.Defaults, error) {
	def := backend.Defaults{Case: backend.NewCase{Budget: investigations.BudgetNormal}}
	if d.p.getenv("PGHOST") != "" || d.p.getenv("PGSERVICE") != "" || d.p.getenv("PGDATABASE") != "" {
		def.Case.Databases = []string{"dbname=" + d.p.getenv("PGDATABASE")}
	}
	for _, name := range slices.Sorted(maps.Keys(d.p.config.Profiles)) {
		def.Profiles = append(def.Profiles, backend.Profile{Name: name, Summary: d.p.config.Profiles[name].summary()})
	}
	def.Places = places()
	return def, nil
}

// Create makes a case in the case folder.
func (d *desk) Create(_ context.Context, n backend.NewCase) (backend.Session, error) {
	r, err := d.request(n)
	if err != nil {
		return nil, err
	}
	s, err := create(d.p, r, openSources(r, d.p), journal.NewPath(d.dir, r.Record, d.p.now()), "")
	if err != nil {
		return nil, err
	}
	s.asked = &n
	return s, nil
}

// CheckSources opens the sources, asks each what it can answer, and closes them.
func (d *desk) CheckSources(ctx context.Context, n backend.NewCase, each func(sources.Status)) error {
	if strings.TrimSpace(n.Record) == "" {
		n.Record = "unknown" // sources can be checked before the id is typed
	}
	r, err := d.request(n)
	if err != nil {
		return err
	}
	list := openSources(r, d.p)
	var wg sync.WaitGroup
	for _, s := range list {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, checkLimit)
			defer cancel()
			st := s.Check(ctx)
			if near := r.nearPath(st); near != "" {
				st.Problem = near
			}
			each(st)
		})
	}
	wg.Wait()
	for _, remark := range asked.Check(ctx, list, n.Table, n.AppRole) {
		name := map[string]string{asked.Table: backend.SourceTable, asked.Role: backend.SourceRole}[remark.About]
		each(sources.Status{Source: name, Kind: sources.KindPostgres, State: sources.StateFailed, Summary: "not found", Problem: remark.String()})
	}
	var errs []error
	for _, s := range list {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// errStdin is returned for a log that the keys would be read as.
var errStdin = usage("standard input (-) is what the keys come from here: name a file, or print the log by a command")

// request is what the form asks for. Its further places are read as the flags
// of the command line are, by the same rules.
func (d *desk) request(n backend.NewCase) (request, error) {
	f, err := placeFlags(n.Places)
	if err != nil {
		return request{}, err
	}
	if slices.Contains(n.Logs, "-") {
		return request{}, errStdin
	}
	r, err := f.request(d.p, n.Record)
	if err != nil {
		return r, err
	}
	r.Table, r.Hints, r.At, r.Window = n.Table, n.Hints, n.At, n.Window
	r.Databases, r.Logs, r.WAL, r.API, r.Repo = n.Databases, n.Logs, n.WAL, n.API, n.Repo
	r.AppRole, r.AppSettings, r.Budget, r.Zone = n.AppRole, n.AppSettings, n.Budget, n.Zone
	if n.Profile != "" {
		profile, err := d.p.config.profile(n.Profile)
		if err != nil {
			return r, err
		}
		profile.apply(&r)
	}
	r.Logs, r.WAL, r.Repo = d.p.untildes(r.Logs), d.p.untildes(r.WAL), d.p.untilde(r.Repo)
	if !n.At.IsZero() && n.Window.IsZero() {
		r.Window = sources.Window{From: n.At.Add(-defaultAround), To: n.At.Add(defaultAround)}
	}
	return r, r.check()
}

// Export writes the report; an empty path means beside the case file.
func (d *desk) Export(_ context.Context, s backend.Session, path string) (string, error) {
	if path == "" {
		base := strings.TrimSuffix(s.Path(), journal.Extension)
		if base == "" {
			base = filepath.Join(d.dir, "recording")
		}
		path = base + ".md"
	}
	path, err := filepath.Abs(d.p.untilde(path))
	if err != nil {
		return "", fmt.Errorf("write report: %w", err)
	}
	if err := writeReport(path, s.State(), s.Assessment()); err != nil {
		return "", err
	}
	if s.ReadOnly() == "" {
		err := s.Record(investigations.EntryExported, investigations.Exported{Path: path, Format: strings.TrimPrefix(filepath.Ext(path), ".")})
		if err != nil {
			return path, err
		}
	}
	return path, nil
}

// Drills lists the practice incidents.
func (d *desk) Drills() []backend.Drill {
	var out []backend.Drill
	server := serverFound()
	for _, x := range drills.List() {
		b := backend.Drill{ID: x.ID, Title: x.Title, Story: x.Story}
		switch {
		case server:
		case x.ID == defaultDrill:
			b.Recorded = true
		default:
			b.Unavailable = "no PostgreSQL server binary was found: install postgresql to practise on this one"
		}
		out = append(out, b)
	}
	return out
}

// StartDrill builds an incident and opens its case; without a server binary the
// default drill opens as a recording.
func (d *desk) StartDrill(ctx context.Context, id string, progress func(backend.Progress)) (backend.Session, error) {
	if !serverFound() && id == defaultDrill {
		return openRecording(d.p)
	}
	x, ok := drills.Find(id)
	if !ok {
		return nil, fmt.Errorf("there is no drill %q: inquest drill list names them", id)
	}
	st, err := stage(ctx, d.p, x, func(what string) { progress(backend.Progress{What: what}) })
	if err != nil {
		return nil, err
	}
	return st.session, nil
}

// writeReport writes the report in the format that the path's ending names.
func writeReport(path string, s investigations.State, a investigations.Assessment) error {
	var body []byte
	var err error
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".md", ".markdown":
		body = report.Markdown(s, a)
	case ".html", ".htm":
		body, err = report.HTML(s, a)
	case ".json":
		body, err = investigations.NewFindings(s, a).JSON()
	default:
		return usage("the report %s has no ending that names a format: use .md, .html or .json", path)
	}
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if err := writeWhole(path, body); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// writeWhole writes a file as a whole or not at all: what was there stays until the
// new one is complete. What is no regular file is written to as it is.
func writeWhole(path string, body []byte) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(path, body, 0o600)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".inquest-report-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
