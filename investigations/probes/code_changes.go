package probes

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
)

// How far around the window and around a removal commits are looked at, and how
// many tables are looked for at most.
const (
	codeReach  = 24 * time.Hour
	codeTables = 6
)

func codeChanges() inv.Probe {
	return inv.Probe{
		ID: "code.changes", Step: inv.StepCode, Phase: inv.PhaseRows, Title: "Code that removes rows of the table",
		Asks:     "Which lines of the application's code remove rows of this table, and which commits and releases near the time changed them?",
		Why:      "A new delete path, a wrong condition or a migration near the moment is the first suspect; without any delete path the application cannot have done it by itself.",
		Negative: "Code of other repositories; statements built from pieces or spread over lines; a build that was deployed later or from another commit.",
		Needs:    "the application's git repository with its history (--repo) and git",
		Timeout:  3 * time.Minute,
		Collect:  collectCode,
		Read:     readCode,
	}
}

// Kinds of evidence of this probe.
const (
	evidenceChanges = "changes"
	evidenceCode    = "code"
)

func collectCode(ctx context.Context, c *inv.Collector) error {
	repos := inv.With[sources.CodeHistory](c)
	if len(repos) == 0 {
		return &sources.Blind{Why: "no repository was named", Opens: "name the application's repository with --repo"}
	}
	tables := codeTablesOf(c)
	if len(tables) == 0 {
		return &sources.Blind{Why: "no table is known whose deletion could be looked for", Opens: "name the table with --table"}
	}
	windows := codeWindows(c.Window, c.Facts)
	if len(windows) == 0 {
		c.Blind("when it happened is not known, so commits near it cannot be told", "give the time with --at or --from and --to")
	}
	for _, r := range repos {
		name := r.Source.Name()
		if lines, err := r.Ability.RemovalLines(ctx, tables); err != nil {
			blindTo(c, name, err)
		} else if err := c.Keep(evidenceCode, name, lines.Query, "", lines); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if len(windows) == 0 {
			continue
		}
		changes, err := r.Ability.Changes(ctx, tables, windows)
		if err != nil {
			blindTo(c, name, err)
			continue
		}
		if err := keepChanges(c, name, changes); err != nil {
			return err
		}
		if changes.Left != "" {
			c.Blind(name+": "+changes.Left, "")
		}
	}
	return ctx.Err()
}

// keepChanges leaves out the end of a history that is too long for one item.
func keepChanges(c *inv.Collector, source string, changes *sources.CodeChanges) error {
	for {
		err := c.Keep(evidenceChanges, source, changes.Query, "", changes)
		if err == nil || len(changes.Commits) == 0 {
			return err
		}
		half := len(changes.Commits) / 2
		changes.Left = joinLine(changes.Left, fmt.Sprintf("%d commits more", len(changes.Commits)-half))
		changes.Commits = changes.Commits[:half]
	}
}

// codeTablesOf are the tables whose deletion matters: the one that was named, or
// that held the row, else those that could hold it.
func codeTablesOf(c *inv.Collector) []string {
	if c.Record.Table != "" {
		return []string{c.Record.Table}
	}
	var out []string
	add := func(t string) {
		if t != "" && !slices.Contains(out, t) && len(out) < codeTables {
			out = append(out, t)
		}
	}
	for _, kind := range []inv.FactKind{inv.TupleInserted, inv.TupleDeleted, inv.TupleUpdated, inv.RowVisible} {
		for _, f := range c.Facts.Of(kind) {
			add(f.Attr("table"))
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, s := range c.Sources {
		for _, t := range ownTables(c, s.Name()) {
			add(t.DisplayName())
		}
	}
	return out
}

// codeWindows are the stretches in which a commit could matter: around the
// window, and around each commit that removed the row.
func codeWindows(w sources.Window, facts inv.Facts) []sources.Window {
	var out []sources.Window
	if !w.From.IsZero() {
		out = append(out, w.Widen(codeReach))
	}
	for _, f := range suspects(facts) {
		near := sources.Around(f.Time, codeReach)
		if !slices.ContainsFunc(out, func(o sources.Window) bool { return o.Contains(near.From) && o.Contains(near.To) }) {
			out = append(out, near)
		}
	}
	return out
}

func readCode(in inv.Input) inv.Reading {
	r := inv.Reading{Outcome: inv.Absent}
	looked := 0
	var said []string
	for _, e := range in.Evidence {
		switch e.Kind {
		case evidenceCode:
			var lines sources.CodeLines
			if e.Decode(&lines) == nil {
				looked++
				r.Facts = append(r.Facts, removalFacts(e, lines)...)
				said = append(said, codeSaid(lines))
			}
		case evidenceChanges:
			var changes sources.CodeChanges
			if e.Decode(&changes) == nil {
				looked++
				r.Facts = append(r.Facts, changeFacts(e, changes)...)
				r.Moments = append(r.Moments, changeMoments(e, changes)...)
				said = append(said, changesSaid(changes))
			}
		}
	}
	if looked == 0 {
		return inv.BlindReading(in.Blind)
	}
	if inv.Facts(r.Facts).Any(inv.CodeChanged, inv.CodeRemoves) {
		r.Outcome = inv.Found
	}
	r.Summary = strings.Join(said, "; ")
	return r
}

func codeSaid(l sources.CodeLines) string {
	code := filter(l.Lines, func(x sources.CodeLine) bool { return !x.Test })
	if len(code) == 0 {
		return fmt.Sprintf("no line of %s removes rows of the table by name", l.Hash[:min(len(l.Hash), 10)])
	}
	s := fmt.Sprintf("%s of code could remove rows, first %s:%d (%s)", plural(len(code)+l.Left, "line"), code[0].File, code[0].Line, code[0].Op)
	if tests := len(l.Lines) - len(code); tests > 0 {
		s += fmt.Sprintf(", and %d in tests", tests)
	}
	return s
}

func changesSaid(c sources.CodeChanges) string {
	s := fmt.Sprintf("%s near the time, none of them about removing these rows", plural(c.Near, "commit"))
	if n := len(c.Commits); n > 0 {
		first := c.Commits[0]
		s = fmt.Sprintf("%d of %s near the time changed such lines, first %s %q", n, plural(max(n, c.Near), "commit"), first.Hash[:min(len(first.Hash), 10)], short(first.Subject, 60))
	}
	for _, rel := range c.Releases {
		if !rel.Before {
			return s + fmt.Sprintf("; release %s at %s", rel.Name, clock(rel.Time))
		}
	}
	return s
}

func removalFacts(e inv.Evidence, lines sources.CodeLines) []inv.Fact {
	out := make([]inv.Fact, 0, len(lines.Lines))
	for _, l := range lines.Lines {
		f := inv.Fact{
			Kind: inv.CodeRemoves, Ground: inv.GroundLog, Evidence: []string{e.ID},
			Attrs: map[string]string{"source": e.Source, "commit": lines.Hash, "table": l.Table, "op": l.Op, "file": l.File, "line": itoa(l.Line), "text": l.Text},
			Says:  fmt.Sprintf("%s:%d: %s", l.File, l.Line, short(l.Text, 120)),
		}
		if l.Test {
			f.Attrs["test"] = "true"
		}
		out = append(out, f)
	}
	return out
}

func changeFacts(e inv.Evidence, c sources.CodeChanges) []inv.Fact {
	var out []inv.Fact
	for _, commit := range c.Commits {
		if len(commit.Lines) == 0 {
			continue
		}
		l := commit.Lines[0]
		for _, other := range commit.Lines { // a line that came is more telling than one that went
			if other.Change == "+" && !other.Test {
				l = other
				break
			}
		}
		out = append(out, inv.Fact{
			Kind: inv.CodeChanged, Ground: inv.GroundLog, Time: commit.Time, Evidence: []string{e.ID},
			Attrs: map[string]string{
				"source": e.Source, "commit": commit.Hash, "table": l.Table, "op": l.Op, "file": l.File, "line": itoa(l.Line),
				"text": l.Change + " " + l.Text, "lines": itoa(len(commit.Lines) + commit.Left),
			},
			Says: fmt.Sprintf("commit %s %q changes code that removes rows of %s: %s:%d %s %s", commit.Hash[:min(len(commit.Hash), 10)], short(commit.Subject, 80), l.Table, l.File, l.Line, l.Change, short(l.Text, 120)),
		})
	}
	for _, rel := range c.Releases {
		f := inv.Fact{
			Kind: inv.Released, Ground: inv.GroundLog, Time: rel.Time, Evidence: []string{e.ID},
			Attrs: map[string]string{"source": e.Source, "name": rel.Name, "commit": rel.Hash},
			Says:  fmt.Sprintf("release %s was tagged at %s", rel.Name, clock(rel.Time)),
		}
		if rel.Before {
			f.Attrs["before"] = "true"
		}
		out = append(out, f)
	}
	return out
}

// changeMoments are on the clocks of those who committed: they stand beside the
// order of events.
func changeMoments(e inv.Evidence, c sources.CodeChanges) []inv.Moment {
	var out []inv.Moment
	for _, commit := range c.Commits {
		out = append(out, inv.Moment{
			Time: commit.Time, Source: e.Source, Evidence: e.ID, Unordered: true,
			Summary: fmt.Sprintf("commit %s: %s (%s that remove rows)", commit.Hash[:min(len(commit.Hash), 10)], short(commit.Subject, 120), plural(len(commit.Lines)+commit.Left, "line")),
		})
	}
	for _, rel := range c.Releases {
		if !rel.Before {
			out = append(out, inv.Moment{Time: rel.Time, Source: e.Source, Evidence: e.ID, Unordered: true, Summary: "release " + rel.Name})
		}
	}
	return out
}
