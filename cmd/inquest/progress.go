package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/charmbracelet/x/term"

	"inquest/investigations"
	"inquest/sources"
	"inquest/ui/text"
)

// progress prints signs of life as plain lines.
type progress struct {
	w     io.Writer
	quiet bool
	width func() int // of the terminal; zero: there is none, and hits are not shown before the end

	mu   sync.Mutex
	last map[string]time.Duration
	hits map[string]int // shown so far, by probe
}

func newProgress(w io.Writer, quiet bool) *progress {
	return &progress{w: w, quiet: quiet, width: widthOf(w), last: map[string]time.Duration{}, hits: map[string]int{}}
}

func widthOf(w io.Writer) func() int {
	return func() int {
		f, ok := w.(*os.File)
		if !ok {
			return 0
		}
		cells, _, err := term.GetSize(f.Fd())
		if err != nil {
			return 0
		}
		return cells
	}
}

func (g *progress) line(format string, args ...any) {
	if g.quiet {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	fmt.Fprintln(g.w, text.Clean(fmt.Sprintf(format, args...)))
}

func (g *progress) source(st sources.Status) {
	mark := map[sources.State]string{sources.StateReady: "ready", sources.StatePartial: "in part", sources.StateFailed: "failed"}[st.State]
	g.line("source  %-8s %s: %s", mark, st.Source, st.Summary)
	if st.Problem != "" {
		g.line("                 %s", st.Problem)
	}
}

// update prints the end of every probe, and every two seconds of a long one.
func (g *progress) update(u investigations.Update) {
	const every = 2 * time.Second
	switch u.State {
	case investigations.RunEnded:
		g.line("probe   ended    %s (%s)", u.Probe, u.Elapsed.Round(time.Millisecond))
	case investigations.RunProgress:
		g.mu.Lock()
		due := u.Elapsed-g.last[u.Probe] >= every
		if due {
			g.last[u.Probe] = u.Elapsed
		}
		found := u.Hits.Count > 0 && (g.hits[u.Probe] == 0 || due && u.Hits.Count > g.hits[u.Probe])
		if found {
			g.hits[u.Probe] = u.Hits.Count
		}
		g.mu.Unlock()
		if found {
			g.found(u)
		}
		if !due {
			return
		}
		if u.Total > 0 {
			g.line("probe   %3d%%     %s %s", u.Done*100/u.Total, u.Probe, u.Note)
			return
		}
		g.line("probe   running  %s %s", u.Probe, u.Note)
	}
}

// found prints what a search came upon before it has ended, as one row of the
// terminal.
func (g *progress) found(u investigations.Update) {
	width := g.width()
	if width <= 0 {
		return
	}
	first, lines := u.Hits.First[0], "1 line"
	if u.Hits.Count > 1 {
		lines = fmt.Sprintf("%d lines", u.Hits.Count)
	}
	at := ""
	if !first.Unclear {
		at = first.Time.Format(time.RFC3339Nano) + " "
	}
	g.line("%s", text.Fit(text.Clean(fmt.Sprintf("probe   hits     %s: %s so far, the first %s %s%s", u.Probe, lines, first.Position, at, first.Text)), width-1))
}
