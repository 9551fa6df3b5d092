package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"inquest/sources"
	"inquest/sources/logscan"
	"inquest/sources/process"
)

// Options tells how a program is run and its output read; the zero value is good.
type Options struct {
	logscan.Options
	ID string // the record's id, for {id}
	// Window bounds what is asked for where a query has no bounds of its own.
	Window sources.Window
	// Timeout of one run; zero: two minutes.
	Timeout time.Duration
	// Most bytes that one run may print; zero: 4 GiB.
	Most int64
}

const (
	defaultTimeout = 2 * time.Minute
	defaultMost    = 4 << 30
	mostKept       = 6 // outputs of different windows
)

var (
	_ sources.Source      = (*Source)(nil)
	_ sources.LogSearcher = (*Source)(nil)
)

// Source is the log that a program prints.
type Source struct {
	name  string
	opt   Options
	how   manner
	store process.Store

	closed atomic.Bool

	mu   sync.Mutex
	kept []*kept
}

// manner is what differs between the programs.
type manner interface {
	// check is a first contact that costs little.
	check(ctx context.Context, s *Source) (summary string, err error)
	// bounded reports whether the window changes what is run.
	bounded() bool
	// fetch runs the program for a window and keeps what it prints.
	// It shows tap what comes.
	fetch(ctx context.Context, s *Source, w sources.Window, tap *logscan.Tap) (*kept, error)
}

// pusher is a manner that can let the far side do the searching.
type pusher interface {
	search(ctx context.Context, s *Source, q sources.LogQuery) (*sources.LogResult, error)
}

// kept is the output of one run.
type kept struct {
	window  sources.Window // what was asked for; a zero bound: without end
	log     *logscan.Log
	shown   string   // the commands, as a person would type them
	bytes   int64    // printed
	broken  string   // why the output may be incomplete; empty: it is not
	opens   string   // what would mend that
	limits  []string // what this way of reading leaves out
	partial func(q sources.LogQuery) string
}

func newSource(name string, opt Options, how manner) *Source {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	opt.Timeout, opt.Most = cmp.Or(opt.Timeout, defaultTimeout), cmp.Or(opt.Most, defaultMost)
	return &Source{name: name, opt: opt, how: how}
}

// Name is the name that the source was opened with.
func (s *Source) Name() string { return s.name }

// Kind returns sources.KindLog.
func (s *Source) Kind() sources.Kind { return sources.KindLog }

// Close removes what was kept of the outputs.
func (s *Source) Close() error {
	s.closed.Store(true)
	return s.store.Close()
}

// Check asks whether the program is there and, where it costs little, whether
// it reaches what it is to read.
func (s *Source) Check(ctx context.Context) sources.Status {
	st := sources.Status{Source: s.name, Kind: sources.KindLog, State: sources.StateReady}
	summary, err := s.how.check(ctx, s)
	st.Summary = summary
	if err != nil {
		st.State, st.Problem = sources.StateFailed, err.Error()
		st.Summary = cmp.Or(summary, "not readable")
	}
	return st
}

// SearchLogs runs the program, unless its output for the window is kept, and
// searches what it printed. It is a *sources.Blind when the program failed and
// nothing was found in what it had printed until then.
func (s *Source) SearchLogs(ctx context.Context, q sources.LogQuery) (*sources.LogResult, error) {
	if s.closed.Load() {
		return nil, &sources.Blind{Why: s.name + " was closed"}
	}
	if d, ok := s.how.(pusher); ok && len(q.Needles) > 0 {
		return d.search(ctx, s, q)
	}
	k, tap, err := s.fetch(ctx, q)
	if err != nil {
		return nil, err
	}
	if k.bytes == 0 {
		return k.nothing(s.name)
	}
	res, err := k.log.Search(ctx, tap.Rest(q))
	if err != nil {
		return nil, err
	}
	return k.judge(res, q)
}

// nothing is the answer of a program that printed nothing.
func (k *kept) nothing(name string) (*sources.LogResult, error) {
	if k.broken != "" {
		return nil, &sources.Blind{Why: k.broken, Opens: k.opens}
	}
	limits := append([]string{"the command printed nothing"}, k.limits...)
	return &sources.LogResult{Query: k.shown, Coverage: sources.Coverage{Source: name, Limits: limits}}, nil
}

// judge says with a result what its program left out. A program that failed
// half-way proves what it printed and not what it did not.
func (k *kept) judge(res *sources.LogResult, q sources.LogQuery) (*sources.LogResult, error) {
	v := &res.Coverage
	res.Query = k.shown
	v.Limits = append(v.Limits, k.limits...)
	if k.broken != "" {
		if len(res.Events) == 0 {
			return nil, &sources.Blind{Why: k.broken, Opens: k.opens}
		}
		v.Limits = append(v.Limits, k.broken+": its output may be incomplete")
		v.Gaps = []sources.Gap{{From: v.From, To: v.To, Reason: "the output may be incomplete: " + k.broken}}
	}
	if k.partial == nil {
		return res, nil
	}
	if why := k.partial(q); why != "" {
		v.Limits = append(v.Limits, why)
		v.From, v.To = time.Time{}, time.Time{}
	}
	return res, nil
}

// fetch returns output that covers the query's window, running the program
// when there is none; tap is what told of its hits meanwhile, nil when it did not run.
func (s *Source) fetch(ctx context.Context, q sources.LogQuery) (k *kept, tap *logscan.Tap, err error) {
	w := s.window(q.Window)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.kept {
		if !s.how.bounded() || contains(k.window, w) {
			return k, nil, nil
		}
	}
	q.Window = w
	tap = logscan.NewTap(s.name, s.opt.Options, q)
	if k, err = s.how.fetch(ctx, s, w, tap); err != nil {
		return nil, nil, s.explain(err)
	}
	k.window = w
	if k.log != nil {
		k.log.Name, k.log.Options = s.name, s.logOptions(k.log.Options)
	}
	if s.kept = append(s.kept, k); len(s.kept) > mostKept {
		s.kept = slices.Delete(s.kept, 0, 1)
	}
	return k, tap, nil
}

func (s *Source) logOptions(own logscan.Options) logscan.Options {
	opt := s.opt.Options
	opt.Format = cmp.Or(opt.Format, own.Format)
	return opt
}

func (s *Source) explain(err error) error {
	var b *sources.Blind
	if errors.As(err, &b) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &sources.Blind{Why: fmt.Sprintf("%s: %v", s.name, err)}
}

// window is what a query needs, in whole seconds; bounds that it leaves open
// are those of the case.
func (s *Source) window(w sources.Window) sources.Window {
	if w.From.IsZero() {
		w.From = s.opt.Window.From
	}
	if w.To.IsZero() {
		w.To = s.opt.Window.To
	}
	if !w.From.IsZero() {
		w.From = w.From.UTC().Truncate(time.Second)
	}
	if !w.To.IsZero() {
		w.To = w.To.UTC().Add(time.Second - 1).Truncate(time.Second)
	}
	return w
}

func contains(a, b sources.Window) bool {
	return (a.From.IsZero() || !b.From.IsZero() && !b.From.Before(a.From)) && (a.To.IsZero() || !b.To.IsZero() && !b.To.After(a.To))
}

// spelled reports whether some needle is a spelling of the record's id.
func (s *Source) spelled(q sources.LogQuery) bool {
	for _, n := range q.Needles {
		for _, id := range sources.Spellings(s.opt.ID) {
			if n.Text == id.Text && !id.Weak {
				return true
			}
		}
	}
	return false
}

func joined(argv []string) string {
	words := make([]string, len(argv))
	for i, a := range argv {
		words[i] = logscan.Quote(a)
	}
	return strings.Join(words, " ")
}
