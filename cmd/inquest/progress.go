package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"inquest/investigations"
	"inquest/sources"
	"inquest/ui/text"
)

// progress prints signs of life as plain lines.
type progress struct {
	w     io.Writer
	quiet bool

	mu   sync.Mutex
	last map[string]time.Duration
}

func newProgress(w io.Writer, quiet bool) *progress {
	return &progress{w: w, quiet: quiet, last: map[string]time.Duration{}}
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
		g.mu.Unlock()
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
