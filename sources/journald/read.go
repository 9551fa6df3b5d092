package journald

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"inquest/sources"
	"inquest/sources/logformat"
	"inquest/sources/logscan"
	"inquest/sources/process"
)

// reading is a part of the journal that was read.
type reading struct {
	window sources.Window
	log    *logscan.Log
	shown  string
	watch  *watcher
	limits []string
}

// most bounds what journalctl may print in one run.
const most = 4 << 30

// read runs journalctl for a window, keeps what it prints and shows it to tap.
func (j *Journal) read(ctx context.Context, w sources.Window, tap *logscan.Tap, more ...string) (*reading, error) {
	f, err := j.store.File()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := &reading{window: w, watch: newWatcher(), shown: shown(j.argv(w, more...))}
	buf := make([]byte, 0, 256<<10)
	flush := func() error {
		_, err := f.Write(buf)
		buf = buf[:0]
		return err
	}
	lines := &process.Lines{Each: func(line []byte, first bool) error {
		if first && line[0] != '{' {
			return nil // "-- No entries --"
		}
		if first {
			r.watch.see(line)
		}
		tap.Line(j.name, line)
		if buf = append(buf, line...); len(buf) < 128<<10 {
			return nil
		}
		return flush()
	}}
	end, err := process.Run(ctx, process.Call{Argv: j.argv(w, more...), Out: lines, Timeout: j.opt.Timeout, Most: most})
	if err == nil {
		err = errors.Join(lines.Flush(), flush())
	}
	if err == nil && !(end.Status == 1 && end.Stderr == "" && len(more) > 0) { // --grep without a hit
		err = failure(end)
	}
	if err != nil {
		return nil, err
	}
	st, err := os.Stat(f.Name())
	if err != nil {
		return nil, fmt.Errorf("look at the kept journal: %w", err)
	}
	file := logscan.NewFile(f.Name(), st)
	file.Label = j.name
	r.log = &logscan.Log{Name: j.name, Files: []*logscan.File{file}, Options: j.options(), Lines: r.watch.server}
	if st.Size() == 0 && len(more) == 0 {
		if last, err := j.edge(ctx, true); err != nil || last == nil {
			return nil, cmp.Or(err, j.empty())
		}
	}
	if strings.Contains(end.Stderr, "not seeing messages") {
		r.limits = append(r.limits, "journalctl showed only this user's entries: run as a member of the group systemd-journal or adm to see the system's")
	}
	return r, nil
}

func (j *Journal) options() logscan.Options {
	opt := j.opt.Options
	opt.Format = cmp.Or(opt.Format, "journald")
	return opt
}

// finish gives a result the journal's positions, gaps and limits.
func (r *reading) finish(res *sources.LogResult) {
	for i := range res.Events {
		place(&res.Events[i])
	}
	res.Query = r.shown
	v := &res.Coverage
	v.Gaps = append(v.Gaps, r.watch.gaps...)
	v.Limits = append(append(v.Limits, r.limits...), r.watch.limits...)
	if v.Lines == 0 {
		v.Limits = append(v.Limits, "the journal has no entry in that stretch: it may have been vacuumed, kept in memory only, or never written")
	}
}

// place gives an event its place in the journal.
func place(e *sources.Event) {
	if p := position(e.Fields["__CURSOR"]); p != "" {
		e.Position = p
	}
}

// placed tells found of events with their place in the journal; nil stays nil.
func placed(found func(sources.Event)) func(sources.Event) {
	if found == nil {
		return nil
	}
	return func(e sources.Event) {
		place(&e)
		found(e)
	}
}

// position shortens a cursor to the entry's number and the first digits of its
// boot, which name it on one host.
func position(cursor string) string {
	var i, b string
	for part := range strings.SplitSeq(cursor, ";") {
		k, v, _ := strings.Cut(part, "=")
		switch k {
		case "i":
			i = v
		case "b":
			b = v[:min(len(v), 8)]
		}
	}
	if i == "" {
		return ""
	}
	return strings.TrimSuffix("journal entry "+i+" boot "+b, " boot ")
}

// errEnough ends journalctl after its first entry.
var errEnough = errors.New("enough")

// edge returns the newest or the oldest entry; nil when there is none.
func (j *Journal) edge(ctx context.Context, newest bool) (*sources.Event, error) {
	argv := j.argv(sources.Window{})
	if newest {
		argv = append(argv, "--lines=1")
	}
	var entry []byte
	lines := &process.Lines{Each: func(line []byte, first bool) error {
		if entry == nil && first && line[0] == '{' && line[len(line)-1] == '\n' {
			entry = bytes.Clone(line)
			return errEnough
		}
		return nil
	}}
	end, err := process.Run(ctx, process.Call{Argv: argv, Out: lines, Timeout: j.opt.Timeout})
	if err != nil {
		return nil, err
	}
	if entry == nil {
		return nil, failure(end)
	}
	r, err := logformat.Forced("journald", []string{string(entry)}, logformat.Context{})
	if err != nil {
		return nil, err
	}
	e := &sources.Event{}
	if !r.Parse(bytes.TrimSpace(entry), e) || e.Time.IsZero() {
		return nil, &sources.Blind{Why: "journalctl printed an entry that is not understood"}
	}
	return e, nil
}
