package postgres

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"inquest/sources"
	"inquest/sources/logscan"
	"inquest/sources/scratch"
)

// Log is a server's own log as a log source: its files are fetched over SQL,
// once, and searched here. It is opened by Server.Companion and closed with its
// server.
type Log struct {
	s    *Server
	log  *ServerLog
	name string

	mu     sync.Mutex // held while the log is read
	dir    *scratch.Folder
	copies map[string]*logCopy
	listed time.Time
	files  []LogFile
	left   int64 // bytes that may still be fetched
	built  string
	search *logscan.Log
	limits []string
}

var (
	_ sources.Source      = (*Log)(nil)
	_ sources.LogSearcher = (*Log)(nil)
)

// logFresh is how long a listing is good for: every read of the log is itself
// logged on some servers.
const logFresh = 30 * time.Second

// Companion returns the server's own log as a further source where this role
// may read it over SQL, and nil where it may not (the server's status then has
// the reason under AbilityServerLog). Servers of one address share the name.
func (s *Server) Companion(ctx context.Context) sources.Source {
	log, err := s.ServerLog(ctx)
	if err != nil {
		return nil
	}
	s.companion.Do(func() {
		at := net.JoinHostPort(s.cfg.Host, strconv.Itoa(int(s.cfg.Port)))
		if strings.HasPrefix(s.cfg.Host, "/") {
			at = s.cfg.Host + ":" + strconv.Itoa(int(s.cfg.Port))
		}
		s.ownLog = &Log{s: s, log: log, name: "serverlog:" + at, copies: map[string]*logCopy{}, left: s.opt.Budget.LogBytes}
	})
	if s.ownLog == nil {
		return nil // closed meanwhile
	}
	return s.ownLog
}

// Name is "serverlog:" with the server's address.
func (l *Log) Name() string { return l.name }

// Kind returns sources.KindLog.
func (l *Log) Kind() sources.Kind { return sources.KindLog }

// Check lists the files.
func (l *Log) Check(ctx context.Context) sources.Status {
	st := sources.Status{Source: l.name, Kind: l.Kind(), State: sources.StateReady}
	files, err := l.list(ctx)
	if err == nil && len(files) == 0 {
		err = &sources.Blind{Why: "the server's log folder holds no log", Opens: "--logs with the folder where older ones are kept"}
	}
	if err != nil {
		st.State, st.Summary, st.Problem = sources.StateFailed, "not readable", err.Error()
		return st
	}
	var bytes int64
	for _, f := range files {
		bytes += f.Size
	}
	st.Summary = fmt.Sprintf("the server's own log over SQL: %d file(s), %s", len(files), logscan.ByteCount(bytes))
	return st
}

// Close removes what was fetched.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.copies, l.search, l.built = map[string]*logCopy{}, nil, ""
	if l.dir == nil {
		return nil
	}
	dir := l.dir
	l.dir = nil
	return dir.Close()
}

// SearchLogs fetches the files that the query's window needs, unless they were
// fetched before, and searches them. What the budget left out is a limit of the
// coverage, never silence. It returns a *sources.Blind when nothing could be
// read.
func (l *Log) SearchLogs(ctx context.Context, q sources.LogQuery) (*sources.LogResult, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	files, err := l.list(ctx)
	if err != nil {
		return nil, err
	}
	if err := l.fetch(ctx, within(files, q.Window), q); err != nil {
		return nil, err
	}
	res, err := l.search.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	res.Coverage.Limits = append(res.Coverage.Limits, l.limits...)
	return res, nil
}

// list returns the files of the log in its most telling format, the oldest first.
func (l *Log) list(ctx context.Context) ([]LogFile, error) {
	now := l.s.opt.Now()
	if l.files != nil && now.Sub(l.listed) < logFresh {
		return l.files, nil
	}
	all, err := l.log.Files(ctx)
	if err != nil {
		return nil, err
	}
	l.files, l.listed = l.log.telling(all), now
	return l.files, nil
}

// telling drops what repeats other files in a poorer format: with several
// log_destinations every line is written once for each of them.
func (l *ServerLog) telling(files []LogFile) []LogFile {
	for _, kind := range []struct{ destination, suffix string }{{"jsonlog", ".json"}, {"csvlog", ".csv"}} {
		if !strings.Contains(l.Destination, kind.destination) {
			continue
		}
		if of := slices.DeleteFunc(slices.Clone(files), func(f LogFile) bool { return !strings.HasSuffix(f.Name, kind.suffix) }); len(of) > 0 {
			return of
		}
	}
	return slices.DeleteFunc(slices.Clone(files), func(f LogFile) bool {
		return strings.HasSuffix(f.Name, ".json") || strings.HasSuffix(f.Name, ".csv")
	})
}

// within leaves out the files that were last written before the window begins,
// and those that follow a file which was still written to after its end.
func within(files []LogFile, w sources.Window) []LogFile {
	out := files[:0:0]
	for i, f := range files {
		before := !w.From.IsZero() && f.Modified.Before(w.From.Add(-logSlack))
		after := !w.To.IsZero() && i > 0 && files[i-1].Modified.After(w.To.Add(logSlack))
		if !before && !after {
			out = append(out, f)
		}
	}
	if len(out) == 0 && len(files) > 0 {
		out = files[len(files)-1:] // its lines say how far the log reaches
	}
	return out
}
