package postgres

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
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

// logCopy is the part of a log file that was fetched: bytes from start to end.
type logCopy struct {
	path       string
	start, end int64
}

const (
	// logPiece is how many bytes one statement fetches, so that others get their turn between.
	logPiece = 16 << 20
	// logSample is how many bytes are looked at to find a time in a log file.
	logSample = 16 << 10
	// logSlack is how far beside a window a file is still read: lines are written
	// a little after the time they carry.
	logSlack = 2 * time.Minute
	// logFresh is how long a listing is good for: every read of the log is itself
	// logged on some servers.
	logFresh = 30 * time.Second
)

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

// fetch brings the files here and prepares the search over them. The newest
// come first when the budget does not suffice for all.
func (l *Log) fetch(ctx context.Context, files []LogFile, q sources.LogQuery) error {
	l.limits = nil
	log := &logscan.Log{Name: l.name, Options: logscan.Options{Location: location(l.log.Zone), Now: l.s.opt.Now}}
	if len(files) > 0 && !strings.HasSuffix(files[0].Name, ".json") && !strings.HasSuffix(files[0].Name, ".csv") && l.log.Prefix != "" {
		log.Format = "postgres:" + l.log.Prefix
	}
	var total, done int64
	for _, f := range files {
		total += f.Size
	}
	progress := func(n int64) {
		if done += n; q.Progress != nil {
			q.Progress(min(done, total), total)
		}
	}
	built := ""
	for i := len(files) - 1; i >= 0; i-- {
		f := files[i]
		c, err := l.copy(ctx, f, q.Window, log, progress)
		if err != nil {
			return err
		}
		if c == nil {
			l.limits = append(l.limits, fmt.Sprintf("%d older file(s) of the server's log were not fetched: more than the budget allows; name a narrower --from and --to, or --budget large", i+1))
			break
		}
		log.Files = append(log.Files, l.file(f, c))
		built += fmt.Sprintf("%s %d %d\n", f.Name, c.start, c.end)
		if c.start > 0 || c.end < f.Size {
			l.limits = append(l.limits, fmt.Sprintf("of %s only the bytes %d to %d of %d were fetched", f.Name, c.start, c.end, f.Size))
		}
	}
	if len(log.Files) == 0 {
		return &sources.Blind{
			Why:   fmt.Sprintf("the server's log is larger than the budget for it (%s)", logscan.ByteCount(l.s.opt.Budget.LogBytes)),
			Opens: "name the time with --from and --to, give --budget large, or run inquest beside the files with --logs",
		}
	}
	slices.Reverse(log.Files)
	if built != l.built {
		l.built, l.search = built, log
	}
	return nil
}

func (l *Log) file(f LogFile, c *logCopy) *logscan.File {
	out := &logscan.File{
		Path: l.log.dir + "/" + f.Name, Size: c.end - c.start, ModTime: f.Modified,
		At: func(context.Context) (string, error) { return c.path, nil },
	}
	if c.start > 0 {
		out.Label = fmt.Sprintf("%s from byte %d", f.Name, c.start)
	}
	return out
}

// copy returns a copy of what the window needs of a file, and nil when that is
// more than may be fetched. A copy that was made before is continued.
func (l *Log) copy(ctx context.Context, f LogFile, w sources.Window, log *logscan.Log, progress func(int64)) (*logCopy, error) {
	c := l.copies[f.Name]
	if c != nil && c.end > f.Size {
		c = nil // the name was used again
	}
	if c != nil && c.start == 0 && (c.end == f.Size || f.Size-c.end <= l.left) {
		progress(c.end)
		return c, l.extend(ctx, c, f, f.Size, progress)
	}
	start, end := int64(0), f.Size
	if f.Size > l.left || f.Size > l.s.opt.Budget.LogBytes/4 {
		var err error
		if start, end, err = l.seek(ctx, f, w, log); err != nil {
			return nil, err
		}
	}
	if c != nil && c.start <= start && end <= c.end {
		return c, nil
	}
	may := l.left
	if w.From.IsZero() { // half of it is kept for the window, which is often known later
		may -= l.s.opt.Budget.LogBytes / 2
	}
	if end-start > may {
		if !w.From.IsZero() || may < logSample {
			return nil, nil //nolint:nilnil // documented: nil means not within the budget
		}
		var err error // without a window the newest lines are the best guess
		if start, err = l.tail(ctx, f, end-may, log); err != nil {
			return nil, err
		}
	}
	path, err := l.create(f, start)
	if err != nil {
		return nil, err
	}
	c = &logCopy{path: path, start: start, end: start}
	l.copies[f.Name] = c
	return c, l.extend(ctx, c, f, end, progress)
}

func (l *Log) create(f LogFile, start int64) (string, error) {
	if l.dir == nil {
		dir, err := scratch.New()
		if err != nil {
			return "", &sources.Blind{Why: fmt.Sprintf("no folder for the server's log could be made: %v", err), Opens: "set TMPDIR to a folder with room"}
		}
		l.dir = dir
	}
	path := l.dir.File(fmt.Sprintf("%d-%d", len(l.copies), start))
	return path, os.WriteFile(path, nil, 0o600)
}

// extend fetches a copy's further bytes up to end. What was fetched when it
// fails stays.
func (l *Log) extend(ctx context.Context, c *logCopy, f LogFile, end int64, progress func(int64)) error {
	if c.end >= end {
		return nil
	}
	out, err := os.OpenFile(c.path, os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("keep the server's log: %w", err)
	}
	defer out.Close()
	for c.end < end {
		data, err := l.log.ReadAt(ctx, f.Name, c.end, int(min(logPiece, end-c.end)))
		if err != nil {
			return err
		}
		if len(data) == 0 {
			return nil // it was cut since it was listed
		}
		if _, err := out.Write(data); err != nil {
			return fmt.Errorf("keep the server's log: %w", err)
		}
		c.end += int64(len(data))
		l.left -= int64(len(data))
		progress(int64(len(data)))
	}
	return nil
}

// seek returns the stretch of a file that holds the window, found by looking at
// times in it: one process writes a server's log, in the order of time but for
// moments.
func (l *Log) seek(ctx context.Context, f LogFile, w sources.Window, log *logscan.Log) (start, end int64, err error) {
	x, err := l.times(ctx, f, log)
	if err != nil {
		return 0, 0, err
	}
	// before returns an offset at or before which all lines are older than t.
	before := func(t time.Time) (int64, error) {
		lo, hi := int64(0), f.Size
		for hi-lo > 4*logSample {
			mid := lo + (hi-lo)/2
			_, at, err := l.lineAt(ctx, f, mid, x)
			if err != nil {
				return 0, err
			}
			if !at.IsZero() && at.Before(t) {
				lo = mid
			} else {
				hi = mid
			}
		}
		return lo, nil
	}
	start, end = 0, f.Size
	if !w.From.IsZero() {
		if start, err = before(w.From.Add(-logSlack)); err != nil {
			return 0, 0, err
		}
		if start, _, err = l.lineAt(ctx, f, start, x); err != nil {
			return 0, 0, err
		}
	}
	if !w.To.IsZero() {
		if end, err = before(w.To.Add(logSlack)); err != nil {
			return 0, 0, err
		}
		if end, _, err = l.lineAt(ctx, f, min(f.Size, end+8*logSample), x); err != nil {
			return 0, 0, err
		}
	}
	return start, max(start, end), nil
}

// tail returns where the first record at or after an offset begins.
func (l *Log) tail(ctx context.Context, f LogFile, off int64, log *logscan.Log) (int64, error) {
	x, err := l.times(ctx, f, log)
	if err != nil {
		return 0, err
	}
	start, _, err := l.lineAt(ctx, f, off, x)
	return start, err
}

// times returns what reads the times of a file's lines, learned from its head.
func (l *Log) times(ctx context.Context, f LogFile, log *logscan.Log) (*logscan.Excerpts, error) {
	head, err := l.log.ReadAt(ctx, f.Name, 0, int(min(4*logSample, f.Size)))
	if err != nil {
		return nil, err
	}
	x := (&logscan.Log{Name: log.Name, Options: log.Options}).Excerpts(sources.LogQuery{})
	x.File(f.Name, f.Modified, strings.Split(string(head), "\n"))
	return x, nil
}

// lineAt returns where the first record at or after an offset begins, with its
// time; the file's end when there is none near it.
func (l *Log) lineAt(ctx context.Context, f LogFile, off int64, x *logscan.Excerpts) (int64, time.Time, error) {
	for from := off; from < f.Size && from < off+64*logSample; from += logSample {
		data, err := l.log.ReadAt(ctx, f.Name, from, int(min(2*logSample, f.Size-from)))
		if err != nil {
			return 0, time.Time{}, err
		}
		at := 0
		for i, line := range bytes.SplitAfter(data, []byte("\n")) {
			if i > 0 || from == 0 {
				if t, ok := x.Time(strings.TrimRight(string(line), "\r\n")); ok {
					return from + int64(at), t, nil
				}
			}
			at += len(line)
		}
	}
	return f.Size, time.Time{}, nil
}

// location is the zone of that name, nil when this machine does not know it.
func location(name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil || name == "" {
		return nil
	}
	return loc
}
