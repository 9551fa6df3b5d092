package plain

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"inquest/investigations"
	"inquest/ui/backend"
	"inquest/ui/parts"
)

// room is one open case.
type room struct {
	*walker
	s backend.Session
}

// enter walks through an open case and closes it.
func (w *walker) enter(ctx context.Context, s backend.Session, err error) error {
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w.label("error", err.Error())
		return nil
	}
	r := &room{w, s}
	err = r.walk(ctx)
	if closing := r.s.Close(); closing != nil && err == nil {
		w.label("error", closing.Error())
	}
	return err
}

// errStop says that the person ends the walk through the steps.
var errStop = errors.New("stop")

// errBack says that the person goes back to the list of cases.
var errBack = errors.New("back")

func (r *room) walk(ctx context.Context) error {
	if c, ok := r.s.(backend.Checker); ok {
		if err := c.Check(ctx); err != nil {
			r.label("error", err.Error())
		}
	}
	r.summary()
	for {
		line, err := r.ask(ctx, "case: run, walk, answer, timeline, causes, report, export, help, back")
		if err != nil {
			return err
		}
		switch err := r.command(ctx, line); {
		case errors.Is(err, errBack):
			return nil
		case errors.Is(err, errEnd) || ctx.Err() != nil:
			return err
		case err != nil:
			r.label("error", err.Error())
		}
	}
}

// command is one thing that can be typed in a case.
type command struct {
	names string // separated by blanks; the first one is shown
	args  string
	does  string
	run   func(r *room, ctx context.Context, args string) error
}

func commands() []command {
	show := func(f func(*room)) func(*room, context.Context, string) error {
		return func(r *room, _ context.Context, _ string) error { f(r); return nil }
	}
	return []command{
		{"run r", "[STEP]", "run the whole checklist, or one step by its number", (*room).run},
		{"walk w", "", "go through the ten steps, one after the other, and be asked", (*room).walkSteps},
		{"step s", "NUMBER", "read one step: its question, its probes, what they saw", (*room).step},
		{"answer a", "", "the answer so far", show((*room).summary)},
		{"sql", "STEP", "what the probes of a step send", (*room).sql},
		{"verdict v", "STEP WORD", "finding, clean, cannot-tell or skipped", (*room).verdict},
		{"note n", "[ITEM] TEXT", "write a note, on an evidence item such as E7 or on the case", (*room).note},
		{"mark m", "ITEM", "mark an evidence item", (*room).mark},
		{"undo u", "", "take back the newest answer, verdict or note", (*room).undo},
		{"timeline t", "[WORDS]", "the events in order of time, those that hold the words", (*room).timeline},
		{"causes h", "", "what it could be, with what speaks for and against", show((*room).causes)},
		{"record o", "", "the versions of the record and what changed", show((*room).versions)},
		{"restore", "", "the SQL that would bring it back; it is never run", show((*room).restore)},
		{"evidence e", "[E7]", "all evidence, or one item in full", (*room).evidence},
		{"coverage c", "", "what was read, what was not, and when evidence is gone", show((*room).coverage)},
		{"statements", "", "every statement that was sent", show((*room).statements)},
		{"report", "", "read the report", (*room).report},
		{"export x", "[FILE]", "write the report: .md, .html or .json", (*room).export},
		{"sources", "", "name other sources: databases, logs, further places", (*room).sources},
		{"help ?", "", "this list", show((*room).help)},
		{"back q quit", "", "close the case; everything is saved already", func(*room, context.Context, string) error { return errBack }},
	}
}

func (r *room) command(ctx context.Context, line string) error {
	word, args, _ := strings.Cut(line, " ")
	if word == "" {
		return nil
	}
	for _, c := range commands() {
		for _, name := range strings.Fields(c.names) {
			if name == word {
				return c.run(r, ctx, strings.TrimSpace(args))
			}
		}
	}
	return fmt.Errorf("there is no command %q: help lists them", word)
}

// sources asks for other sources and opens the case again with them.
func (r *room) sources(ctx context.Context, _ string) error {
	asked, ok := r.s.(backend.Asked)
	if !ok {
		return errors.New("this case takes no other sources")
	}
	c, why := asked.Asked()
	if why != "" {
		return errors.New(why)
	}
	def, err := r.o.Backend.Defaults(ctx)
	if err != nil {
		r.label("error", err.Error())
	}
	s := r.s.State()
	c.Record, c.Table, c.Hints, c.Window = s.Record.ID, s.Record.Table, s.Record.Hints, s.Window
	if err := r.askSources(ctx, &c, def); err != nil {
		return err
	}
	if err := r.s.Close(); err != nil {
		r.label("error", err.Error())
	}
	next, err := r.o.Backend.Connect(ctx, r.s.Path(), c)
	if err != nil {
		r.label("error", err.Error()+": the case is closed, open it again")
		return errBack
	}
	r.s = next
	if c, ok := r.s.(backend.Checker); ok {
		err = c.Check(ctx)
	}
	for _, st := range r.s.State().Sources {
		r.source(st)
	}
	return err
}

func (r *room) help() {
	for _, c := range commands() {
		names := strings.Fields(c.names)
		also := ""
		if len(names) > 1 {
			also = " (or " + strings.Join(names[1:], ", ") + ")"
		}
		r.say("%s: %s%s", strings.TrimSpace(names[0]+" "+c.args), c.does, also)
	}
}

func (r *room) run(ctx context.Context, args string) error {
	var choose func(investigations.Probe) bool
	if args != "" {
		st, err := r.stepResult(args)
		if err != nil {
			return err
		}
		choose = func(p investigations.Probe) bool { return p.Step == st.Step.ID }
	}
	titles := map[string]string{}
	for _, st := range r.s.Assessment().Steps {
		for _, p := range st.Probes {
			titles[p.Probe.ID] = p.Probe.Title
		}
	}
	var mu sync.Mutex
	told := map[string]bool{} // of which probe the first line it came upon was told
	err := r.s.Run(ctx, choose, func(u investigations.Update) {
		switch u.State {
		case investigations.RunProgress:
			mu.Lock()
			first := u.Hits.Count > 0 && !told[u.Probe]
			told[u.Probe] = told[u.Probe] || first
			mu.Unlock()
			if first {
				h := u.Hits.First[0]
				r.label("found", titles[u.Probe]+", so far: "+h.Position+" "+h.Text)
			}
		case investigations.RunStarted:
			r.label("looking", titles[u.Probe])
		case investigations.RunEnded:
			r.label("looked", titles[u.Probe]+", "+parts.Span(u.Elapsed))
		}
	})
	if err != nil {
		return err
	}
	r.summary()
	return nil
}

func (r *room) stepResult(number string) (investigations.StepResult, error) {
	steps := r.s.Assessment().Steps
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > len(steps) {
		return investigations.StepResult{}, fmt.Errorf("say which step, from 1 to %d", len(steps))
	}
	return steps[n-1], nil
}

// walkSteps asks the questions of every step and for its verdict.
func (r *room) walkSteps(ctx context.Context, _ string) error {
	for i, st := range r.s.Assessment().Steps {
		r.showStep(i, st)
		for _, q := range st.Step.Questions {
			if err := r.question(ctx, q); errors.Is(err, errStop) {
				return nil
			} else if err != nil {
				return err
			}
		}
		line, err := r.ask(ctx, "verdict: finding, clean, cannot-tell, skipped; nothing keeps "+string(st.Verdict)+"; stop ends the walk")
		switch {
		case err != nil:
			return err
		case line == "stop":
			return nil
		case line != "":
			if err := r.verdict(ctx, fmt.Sprintf("%d %s", i+1, line)); err != nil {
				r.label("error", err.Error())
			}
		}
	}
	return nil
}

func (r *room) question(ctx context.Context, q investigations.Question) error {
	r.label("question", q.Ask)
	r.label("why", q.Why)
	if old, ok := r.s.State().Answers[q.ID]; ok {
		r.label("answered", strings.TrimSpace(old.Answer+" "+old.Note))
	}
	for {
		line, err := r.ask(ctx, "answer: yes, no or unknown, and a note behind it; nothing leaves it open; stop ends the walk")
		switch {
		case err != nil || line == "":
			return err
		case line == "stop":
			return errStop
		}
		word, note, _ := strings.Cut(line, " ")
		answer := map[string]string{"y": "yes", "yes": "yes", "n": "no", "no": "no", "u": "unknown", "unknown": "unknown"}[strings.ToLower(word)]
		if answer == "" {
			r.label("error", "begin with yes, no or unknown")
			continue
		}
		return r.saved(investigations.EntryAnswered, investigations.Answered{Question: q.ID, Answer: answer, Note: strings.TrimSpace(note)}, answer)
	}
}

func (r *room) verdict(_ context.Context, args string) error {
	number, word, _ := strings.Cut(args, " ")
	st, err := r.stepResult(number)
	if err != nil {
		return err
	}
	word, note, _ := strings.Cut(strings.TrimSpace(word), " ")
	switch v := investigations.Verdict(word); v {
	case investigations.VerdictFinding, investigations.VerdictClean, investigations.VerdictCannotTell, investigations.VerdictSkipped:
		return r.saved(investigations.EntrySigned, investigations.Signed{Step: st.Step.ID, Verdict: v, Note: strings.TrimSpace(note)}, st.Step.Title+" "+word)
	}
	return errors.New("a verdict is finding, clean, cannot-tell or skipped")
}

func (r *room) note(_ context.Context, args string) error {
	on, body := "", args
	if first, rest, ok := strings.Cut(args, " "); ok {
		if _, known := r.s.State().EvidenceByID(first); known {
			on, body = first, strings.TrimSpace(rest)
		}
	}
	if body == "" {
		return errors.New("write the note behind the word note")
	}
	return r.saved(investigations.EntryNoted, investigations.Noted{On: on, Text: body}, "note")
}

func (r *room) mark(_ context.Context, args string) error {
	if _, ok := r.s.State().EvidenceByID(args); !ok {
		return errors.New("say which evidence item, such as mark E7")
	}
	set := !parts.Marked(r.s.State().Notes, args)
	said := "marked " + args
	if !set {
		said = "mark taken from " + args
	}
	return r.saved(investigations.EntryNoted, investigations.Noted{On: args, Mark: set}, said)
}

func (r *room) saved(kind investigations.EntryKind, body any, said string) error {
	if err := r.s.Record(kind, body); err != nil {
		return fmt.Errorf("not saved: %w", err)
	}
	r.label("saved", said)
	return nil
}

func (r *room) undo(context.Context, string) error {
	done, err := r.s.Undo()
	if err == nil && !done {
		return errors.New("there is nothing to undo")
	}
	if err == nil {
		r.label("undone", "the entry stays in the case file")
	}
	return err
}

func (r *room) report(ctx context.Context, _ string) error {
	out, err := r.s.Report(ctx)
	if err == nil {
		r.say("%s", out)
	}
	return err
}

func (r *room) export(ctx context.Context, path string) error {
	to, err := r.o.Backend.Export(ctx, r.s, path)
	if err == nil {
		r.label("report", "written to "+to)
	}
	return err
}
