package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"inquest/investigations"
	"inquest/sources"
	"inquest/sources/logfile"
	"inquest/sources/logscan"
	"inquest/sources/postgres"
	"inquest/sources/walfetch"
	"inquest/sources/walfiles"
)

// driver opens the sources of one kind that a request names. It does no network
// I/O: the first contact is the source's own check.
type driver struct {
	name string
	open func(request, *program) []sources.Source
}

// drivers is the list of places evidence can come from. Adding one is a package
// and a line here.
var drivers = []driver{
	{"postgres", openDatabases},
	{"wal", openWAL},
	{"wal-fetch", openWALFetch},
	{"logs", openLogs},
	{"outputs", openOutputs},
	{"stores", openStores},
	{"api", openAPI},
	{"repo", openRepo},
}

// openSources opens everything a request names. What cannot be opened is in the
// list as a missing source, so that the case says so.
func openSources(r request, p *program) []sources.Source {
	var out []sources.Source
	for _, d := range drivers {
		out = append(out, d.open(r, p)...)
	}
	followPrimary(out)
	return unique(out)
}

// unique drops sources whose name was seen before: the same log named twice is
// one source.
func unique(list []sources.Source) []sources.Source {
	seen := map[string]bool{}
	out := list[:0:0]
	for _, s := range list {
		if seen[s.Name()] {
			continue
		}
		seen[s.Name()] = true
		out = append(out, s)
	}
	return out
}

func openDatabases(r request, p *program) []sources.Source {
	limits := r.Budget.Limits()
	opt := postgres.Options{
		Budget:  postgres.Budget{ScanBytes: limits.ScanBytes, HeapBytes: limits.HeapBytes, WALBytes: limits.WALBytes, LogBytes: limits.LogBytes},
		AppRole: r.AppRole, AppSettings: r.AppSettings, Now: p.now,
	}
	if r.cases > 1 {
		opt.Total = time.Duration(r.cases) * time.Minute
	}
	if r.Budget == investigations.BudgetLarge {
		opt.Total = -1
	}
	var out []sources.Source
	for i, arg := range r.Databases {
		name, dsn := splitName(arg)
		if name == "" {
			name = databaseName(dsn, i)
		}
		name = "db:" + name
		s, err := postgres.Open(name, dsn, opt)
		if err != nil {
			out = append(out, missing(name, sources.KindPostgres, err))
			continue
		}
		out = append(out, s)
	}
	return out
}

func openWAL(r request, _ *program) []sources.Source {
	var out []sources.Source
	for _, dir := range r.WAL {
		s, err := walfiles.Open(dir)
		if err != nil {
			out = append(out, missing("wal:"+filepath.Base(dir), sources.KindWAL, err))
			continue
		}
		out = append(out, s)
	}
	return out
}

func openWALFetch(r request, _ *program) []sources.Source {
	if r.WALFetch == "" {
		return nil
	}
	s, err := walfetch.Open(r.WALFetch, walfetch.Options{MaxBytes: r.Budget.Limits().WALBytes, From: r.Window.From})
	if err != nil {
		return []sources.Source{missing("wal-fetch", sources.KindWAL, err)}
	}
	return []sources.Source{s}
}

// followPrimary lets archives ask the first database where its WAL stands.
func followPrimary(list []sources.Source) {
	var primary *postgres.Server
	for _, s := range list {
		if db, ok := s.(*postgres.Server); ok {
			primary = db
			break
		}
	}
	if primary == nil {
		return
	}
	for _, s := range list {
		if archive, ok := s.(*walfetch.Source); ok {
			archive.Follow(func(ctx context.Context) (walfetch.Position, error) {
				at, err := primary.WALPosition(ctx)
				return walfetch.Position(at), err
			})
		}
	}
}

func openLogs(r request, p *program) []sources.Source {
	return logfile.OpenAll(r.Logs, func(path string) logfile.Options {
		return logfile.Options{Options: logOptions(r, p, path, filepath.Base(path), "log:"+filepath.Base(path)), Stdin: p.in}
	})
}

// logOptions is how a log is to be read that goes by any of the names.
func logOptions(r request, p *program, names ...string) logscan.Options {
	opt := logscan.Options{Location: r.Location, Now: p.now}
	for _, n := range names {
		if r.named != nil {
			r.named[n] = n
		}
		if f := r.Formats[n]; f != "" {
			opt.Format = f
		}
	}
	return opt
}

func missing(name string, kind sources.Kind, err error) sources.Source {
	var b *sources.Blind
	if !errors.As(err, &b) {
		b = &sources.Blind{Why: err.Error()}
	}
	return sources.NewMissing(name, kind, b)
}
