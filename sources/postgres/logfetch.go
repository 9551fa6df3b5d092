package postgres

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"inquest/sources"
	"inquest/sources/logscan"
	"inquest/sources/scratch"
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
)

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
