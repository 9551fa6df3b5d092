package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"inquest/investigations"
	"inquest/investigations/drills"
	"inquest/investigations/journal"
	"inquest/sources/pgserver"
	"inquest/ui/backend"
)

// defaultDrill is what inquest drill practises without a name.
const defaultDrill = "vanished-dtro"

func serverFound() bool { return len(pgserver.Find()) > 0 }

func (p *program) drillCommand() *cobra.Command {
	var headless, grade, blind bool
	var f runFlags
	var record string
	var l look
	cmd := &cobra.Command{
		Use:   "drill [NAME|list]",
		Short: "Practise on an incident that really happens on a throwaway server",
		Long: `Practise on an incident that really happens on a throwaway PostgreSQL server, which
is removed afterwards. Without a name it is ` + defaultDrill + `; drill list names the others.

Without a terminal, or with --headless, it investigates by itself, writes the
report and exits with 0 when fate and cause came out right.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage("drill takes one name at most, see inquest drill list")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			name := defaultDrill
			if len(args) == 1 {
				name = args[0]
			}
			switch {
			case name == "list":
				p.listDrills()
				return nil
			case grade:
				return p.gradeAll(cmd.Context(), args)
			case blind:
				return p.drillBlind(cmd.Context(), l)
			case headless || !p.terminal && !l.plain:
				return p.drillHeadless(cmd.Context(), name, f, record)
			default:
				return p.drillOnScreen(cmd.Context(), name, l)
			}
		},
	}
	fs := cmd.Flags()
	fs.BoolVar(&grade, "grade", false, "play all drills, or the named one, and print how the answers came out")
	fs.BoolVar(&blind, "blind", false, "practise on one picked at random, with inquest's own judgement hidden")
	fs.BoolVar(&headless, "headless", false, "investigate without a screen and grade the answer")
	fs.StringVar(&f.report, "report", "", "write the report to `FILE` (default: beside the case)")
	fs.BoolVar(&f.json, "json", false, "print the findings document and nothing else on standard output")
	fs.BoolVar(&f.quiet, "quiet", false, "no progress on standard error")
	fs.StringVar(&record, "record", "", "keep the case as a recording in `FILE`")
	l.register(fs)
	return cmd
}

func (p *program) listDrills() {
	for _, d := range drills.List() {
		fmt.Fprintf(p.out, "%-24s %s\n", d.ID, d.Title)
	}
}

// staged is an incident that has happened, with the case opened on it.
type staged struct {
	drill   drills.Drill
	session *session
}

// stage builds the drill on a throwaway server and opens a case on it. Closing
// the session removes the server and its logs.
func stage(ctx context.Context, p *program, d drills.Drill, tell func(string)) (*staged, error) {
	p.stages.building.Add(1)
	defer p.stages.building.Done()
	host, err := newDrillHost()
	if err != nil {
		return nil, err
	}
	tell("starting a throwaway PostgreSQL server and letting the incident happen")
	scene, err := d.Run(ctx, host)
	if err != nil {
		return nil, errors.Join(err, host.Close())
	}
	end := func() error {
		return errors.Join(scene.Close(context.WithoutCancel(ctx)), host.Close())
	}
	r, err := sceneRequest(scene)
	if err != nil {
		return nil, errors.Join(err, end())
	}
	recording := "A drill: it happened on a throwaway server made for practice. " + d.Story
	s, err := create(p, r, openSources(r, p), journal.NewPath(caseDir(p), r.Record, p.now()), recording)
	if err != nil {
		return nil, errors.Join(err, end())
	}
	s.closers = append(s.closers, end)
	p.stages.keep(s)
	tell("the incident has happened; opening the case")
	return &staged{drill: d, session: s}, nil
}

// stages are the drills of this run. The screens close a session without waiting
// for it when it is left; the program must not end before its servers are gone.
type stages struct {
	building sync.WaitGroup

	mu   sync.Mutex
	open []*session
}

func (st *stages) keep(s *session) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.open = append(st.open, s)
}

// strikeLimit is how long the last drills get to be taken down.
const strikeLimit = 20 * time.Second

// strike takes every drill down, also one that was being built, and waits for it.
func (st *stages) strike() error {
	done := make(chan error, 1)
	go func() {
		st.building.Wait()
		st.mu.Lock()
		defer st.mu.Unlock()
		var errs []error
		for _, s := range st.open {
			errs = append(errs, s.Close())
		}
		done <- errors.Join(errs...)
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(strikeLimit):
		return fmt.Errorf("a drill was not taken down within %s: the next one sweeps what is left of its server", strikeLimit)
	}
}

func sceneRequest(scene drills.Scene) (request, error) {
	r := request{NewCase: backend.NewCase{
		Record: scene.Record, Table: scene.Table, Hints: scene.Hints, Logs: scene.Logs, WAL: scene.WALDirs,
		AppRole: scene.AppRole, AppSettings: scene.AppSettings, Window: scene.Window,
		API: scene.API, Repo: scene.Repo,
	}, Formats: scene.LogFormats}
	for _, db := range scene.DBs {
		r.Databases = append(r.Databases, db.Name+"="+db.DSN)
	}
	for _, zone := range scene.LogZones {
		r.Zone = zone
	}
	return r, r.check()
}

func (p *program) drillHeadless(ctx context.Context, name string, f runFlags, record string) error {
	if err := checkLists(); err != nil {
		return err
	}
	d, ok := drills.Find(name)
	if !ok {
		return usage("there is no drill %q: inquest drill list names them", name)
	}
	if !serverFound() {
		return p.headlessRecording(d, f)
	}
	show := newProgress(p.err, f.quiet)
	start := p.now()
	st, err := stage(ctx, p, d, func(what string) { show.line("drill   %s", what) })
	if err != nil {
		return err
	}
	if f.report == "" {
		f.report = reportBeside(st.session.path)
	}
	err = p.investigate(ctx, st.session, f)
	a := st.session.Assessment()
	path := st.session.path
	err = errors.Join(err, st.session.Close())
	if ctx.Err() != nil {
		return &exit{status: exitInterrupted, cause: errors.New("interrupted")}
	}
	if onlyUndetermined(err) {
		err = nil
	}
	if err != nil {
		return err
	}
	if record != "" {
		if err := keepRecording(path, record); err != nil {
			return err
		}
	}
	return p.grade(d, a, f, p.now().Sub(start))
}

// onlyUndetermined reports whether the error is just the exit status of an
// undetermined fate, which can be a drill's right answer.
func onlyUndetermined(err error) bool {
	var e *exit
	return errors.As(err, &e) && e.status == exitUndetermined
}

func (p *program) grade(d drills.Drill, a investigations.Assessment, f runFlags, took time.Duration) error {
	g := d.Truth.Grade(a.Fate, a.Hypotheses)
	w := p.out
	if f.json {
		w = p.err
	}
	fmt.Fprintf(w, "truth:    %s\n", d.Truth.Why)
	fmt.Fprintf(w, "grade:    %s\n", g.Says)
	fmt.Fprintf(w, "report:   %s\n", f.report)
	fmt.Fprintf(w, "took:     %s in all\n", took.Round(10*time.Millisecond))
	if !g.Right() {
		return &exit{status: 1, cause: fmt.Errorf("the drill %s came out wrong", d.ID)}
	}
	return nil
}

func (p *program) drillOnScreen(ctx context.Context, name string, l look) error {
	if !slices.ContainsFunc(drills.List(), func(d drills.Drill) bool { return d.ID == name }) {
		return usage("there is no drill %q: inquest drill list names them", name)
	}
	l.drill = name
	return p.screens(ctx, newDesk(p), l)
}

func reportBeside(path string) string {
	return path[:len(path)-len(filepath.Ext(path))] + ".md"
}

// keepRecording packs a case file.
func keepRecording(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("keep recording: %w", err)
	}
	var packed bytes.Buffer
	if err := pack(&packed, b); err != nil {
		return fmt.Errorf("keep recording: %w", err)
	}
	if err := os.WriteFile(to, packed.Bytes(), 0o644); err != nil {
		return fmt.Errorf("keep recording: %w", err)
	}
	return nil
}
