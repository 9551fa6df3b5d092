// Package journald is the driver for the systemd journal, read by the user's
// own journalctl: of this host, or of a folder with journal files copied from
// another. What journald itself says it dropped becomes a gap of the coverage.
package journald

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"inquest/sources"
	"inquest/sources/logscan"
	"inquest/sources/process"
)

// Options tells how the journal is read; the zero value is good.
type Options struct {
	logscan.Options
	// Window bounds what is asked for where a query has no bounds of its own.
	Window sources.Window
	// Timeout of one run of journalctl; zero: two minutes.
	Timeout time.Duration
	// Whole is the size of the journal on disk, in bytes, up to which it is read whole for a query
	// without a window; above it journalctl --grep searches. Zero: 256 MiB.
	Whole int64
}

var (
	_ sources.Source      = (*Journal)(nil)
	_ sources.LogSearcher = (*Journal)(nil)
)

// Journal is a journal, or one unit's part of it.
type Journal struct {
	name  string
	args  []string // which journal and which unit
	opt   Options
	store process.Store

	closed atomic.Bool
	mu     sync.Mutex
	kept   []*reading
}

// Open returns the journal that what names: "" for all of this host's, a unit's
// name for its part, "dir:PATH" for a folder with journal files or for one such file. It
// runs nothing.
func Open(what string, opt Options) (*Journal, error) {
	opt.Timeout, opt.Whole = cmp.Or(opt.Timeout, 2*time.Minute), cmp.Or(opt.Whole, 256<<20)
	if opt.Now == nil {
		opt.Now = time.Now
	}
	j := &Journal{name: "journal", opt: opt}
	path, files := strings.CutPrefix(what, "dir:")
	switch {
	case files:
		st, err := os.Stat(path)
		if err != nil {
			return nil, &sources.Blind{Why: fmt.Sprintf("journal folder %s: %v", path, errors.Unwrap(err)), Opens: "check the path given with --journal dir:PATH"}
		}
		option := "--directory="
		if !st.IsDir() {
			option = "--file="
		}
		j.name, j.args = "journal:"+path, []string{option + path}
	case what != "":
		j.name, j.args = "journal:"+what, []string{"--unit=" + what}
	}
	return j, nil
}

// Name is "journal", with the unit or the folder where one was named.
func (j *Journal) Name() string { return j.name }

// Kind returns sources.KindJournal.
func (j *Journal) Kind() sources.Kind { return sources.KindJournal }

// Close removes what was kept of the journal.
func (j *Journal) Close() error {
	j.closed.Store(true)
	return j.store.Close()
}

// Check reads the newest entry.
func (j *Journal) Check(ctx context.Context) sources.Status {
	st := sources.Status{Source: j.name, Kind: j.Kind(), State: sources.StateReady}
	last, err := j.edge(ctx, true)
	switch {
	case err != nil:
		st.State, st.Summary, st.Problem = sources.StateFailed, "not readable", err.Error()
		return st
	case last == nil:
		st.State, st.Summary, st.Problem = sources.StateFailed, "no entries", j.empty().Error()
		return st
	}
	st.Summary = "systemd journal"
	if host := last.Fields["_HOSTNAME"]; host != "" {
		st.Summary += " of " + host
		st.Identity = map[string]string{"host": host}
	}
	st.Summary += ", newest entry " + last.Time.Format(time.RFC3339)
	return st
}

// SearchLogs reads the journal for the query's window, unless it is kept, and
// searches it. The events' positions are their places in the journal, their cursors are among
// the fields. It is a *sources.Blind when journalctl could not look.
func (j *Journal) SearchLogs(ctx context.Context, q sources.LogQuery) (*sources.LogResult, error) {
	if j.closed.Load() {
		return nil, &sources.Blind{Why: j.name + " was closed"}
	}
	w := j.window(q.Window)
	j.mu.Lock()
	defer j.mu.Unlock()
	r := j.find(w)
	if r == nil {
		large, err := j.large(ctx, w, q)
		if err != nil {
			return nil, err
		}
		if large {
			return j.grep(ctx, q, w)
		}
		tap := j.tap(q, w)
		if r, err = j.read(ctx, w, tap); err != nil {
			return nil, err
		}
		q = tap.Rest(q)
		if j.kept = append(j.kept, r); len(j.kept) > 6 {
			j.kept = slices.Delete(j.kept, 0, 1)
		}
	}
	q.Needles, q.Found = withBytes(q.Needles), placed(q.Found)
	res, err := r.log.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	r.finish(res)
	return res, nil
}

// tap tells of what q looks for in w while it is read.
func (j *Journal) tap(q sources.LogQuery, w sources.Window) *logscan.Tap {
	q.Needles, q.Found, q.Window = withBytes(q.Needles), placed(q.Found), w
	return logscan.NewTap(j.name, j.options(), q)
}

// withBytes adds the needles as they stand in a field that is no UTF-8:
// journalctl prints it as a list of its bytes. A hit is a token of its own there, or not
// looked for, because the bytes around it are not compared.
func withBytes(needles []sources.Needle) []sources.Needle {
	out := slices.Clone(needles)
	for _, n := range needles {
		if n.Whole || n.Weak || len(n.Text) < 8 || n.Field != "" {
			continue
		}
		n.Text = strings.Trim(strings.ReplaceAll(fmt.Sprint([]byte(n.Text)), " ", ","), "[]")
		n.Whole = true
		out = append(out, n)
	}
	return out
}

func (j *Journal) find(w sources.Window) *reading {
	for _, r := range j.kept {
		a := r.window
		if (a.From.IsZero() || !w.From.IsZero() && !w.From.Before(a.From)) && (a.To.IsZero() || !w.To.IsZero() && !w.To.After(a.To)) {
			return r
		}
	}
	return nil
}

// window is what a query needs in whole seconds, as journalctl takes it.
func (j *Journal) window(w sources.Window) sources.Window {
	if w.From.IsZero() {
		w.From = j.opt.Window.From
	}
	if w.To.IsZero() {
		w.To = j.opt.Window.To
	}
	if !w.From.IsZero() {
		w.From = w.From.UTC().Truncate(time.Second)
	}
	if !w.To.IsZero() {
		w.To = w.To.UTC().Add(time.Second - 1).Truncate(time.Second)
	}
	return w
}

// argv is a run of journalctl. --all keeps fields beyond 4 KiB.
func (j *Journal) argv(w sources.Window, more ...string) []string {
	argv := append([]string{"journalctl", "--output=json", "--all", "--no-pager"}, j.args...)
	if !w.From.IsZero() {
		argv = append(argv, fmt.Sprintf("--since=@%d", w.From.Unix()))
	}
	if !w.To.IsZero() {
		argv = append(argv, fmt.Sprintf("--until=@%d", w.To.Unix()))
	}
	return append(argv, more...)
}

func shown(argv []string) string {
	words := make([]string, len(argv))
	for i, a := range argv {
		words[i] = logscan.Quote(a)
	}
	return strings.Join(words, " ")
}

// empty is the reason when there is no entry at all.
func (j *Journal) empty() error {
	if len(j.args) > 0 && strings.HasPrefix(j.args[0], "--unit=") {
		return &sources.Blind{Why: "the journal has no entry of " + strings.TrimPrefix(j.name, "journal:"), Opens: "check the unit's name (systemctl list-units), or read all of it with --journal"}
	}
	return &sources.Blind{Why: j.name + " has no entry that may be read", Opens: "run it on the host itself as a member of the group systemd-journal, or copy /var/log/journal and use --journal=dir:PATH"}
}

// failure turns a bad end of journalctl into what a person can do about it.
func failure(end process.End) error {
	none := strings.Contains(end.Stderr, "No journal files were")
	if end.Why == "" && !none {
		return nil
	}
	b := &sources.Blind{Why: "journalctl " + end.Why}
	switch {
	case none && (strings.Contains(end.Stderr, "permission") || strings.Contains(end.Stderr, "not seeing messages")):
		b.Why, b.Opens = "no journal file may be read", "run as a member of the group systemd-journal or adm"
	case none:
		b.Why, b.Opens = "there are no journal files here", "run it on the host itself, or copy /var/log/journal and use --journal dir:PATH"
	case strings.Contains(end.Stderr, "ermission denied"):
		b.Opens = "run as a member of the group systemd-journal or adm"
	case strings.Contains(end.Stderr, "pattern matching"):
		b.Opens = "give a window (--from, --to), so that the journal can be read whole"
	case end.Status < 0:
		b.Opens = "give a shorter window (--from, --to) or a unit"
	}
	return b
}
