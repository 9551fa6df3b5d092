package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"inquest/investigations"
	"inquest/investigations/journal"
	"inquest/sources"
)

const (
	defaultAround     = 30 * time.Minute
	defaultAroundText = "30m"
)

var errNoneNamed = errors.New("no source was named: give at least one of --db, --logs, --wal, --api, --repo, --profile")

// runFlags are the flags of run beside those that name sources.
type runFlags struct {
	caseFlags
	casePath, report   string
	ids                string // file with one id a line
	json, quiet, plain bool
	timeout            time.Duration
}

func (p *program) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run RECORD_ID...",
		Short: "Walk the whole checklist for one record, without a screen",
		Long: `Walk the whole checklist for one record, or for several in turn, without a
screen. Several make one case each, read the same sources, and end with what
they share.

Exit status: 0 the fate is settled, 3 finished and undetermined, 2 usage or
configuration, 1 no source could be read, 130 interrupted. Of several the worst
counts: 1 before 3 before 0.`,
		Example: `  inquest run e7a4bff2-adc7-4847-a9d8-25734601b405 --db postgres://me@db1/app --logs /var/log/app
  inquest run 48213 --table orders --db service=prod --wal /archive --since yesterday --report case.md
  inquest run --ids missing.txt --table orders --db service=prod --report reports/`,
		RunE: func(cmd *cobra.Command, args []string) error { return p.run(cmd.Context(), args, f) },
	}
	fs := cmd.Flags()
	f.register(fs)
	fs.StringVar(&f.casePath, "case", "", "save the case in `FILE` (default: a new file in the data folder)")
	fs.StringVar(&f.report, "report", "", "also write the report to `FILE` (.md, .html or .json), or into a folder")
	fs.StringVar(&f.ids, "ids", "", "`FILE` with one record id a line, # begins a remark; - for standard input")
	fs.BoolVar(&f.json, "json", false, "print the findings document and nothing else on standard output; of several ids a list of them")
	fs.BoolVar(&f.quiet, "quiet", false, "no progress on standard error")
	fs.BoolVar(&f.plain, "plain", false, "labelled lines of text, for screen readers and pipes")
	fs.DurationVar(&f.timeout, "timeout", 0, "stop after this `DURATION` and judge what was collected")
	return cmd
}

func (p *program) run(ctx context.Context, args []string, f runFlags) error {
	if err := checkLists(); err != nil {
		return err
	}
	ids, err := p.recordIDs(args, f)
	if err != nil {
		return err
	}
	if len(ids) > 1 {
		return p.runSeveral(ctx, ids, f)
	}
	r, err := f.request(p, ids[0])
	if err != nil {
		return err
	}
	if err := checkReportPath(f.report); err != nil {
		return err
	}
	p.remark(r.remarks())
	srcs := openSources(r, p)
	p.remark(r.formatRemarks())
	if len(srcs) == 0 {
		return &exit{status: exitNoSource, cause: errNoneNamed}
	}
	path := f.casePath
	if path == "" {
		path = journal.NewPath(caseDir(p), ids[0], p.now())
	}
	f.report = reportIn(f.report, path)
	s, err := create(p, r, srcs, path, "")
	if err != nil {
		return saveError(err)
	}
	err = saveError(p.investigate(ctx, s, f))
	return errors.Join(err, s.Close())
}

// checkReportPath reports, before anything is run, a report that could not be
// written afterwards.
func checkReportPath(path string) error {
	if path == "" {
		return nil
	}
	if isFolder(path) {
		if err := os.MkdirAll(path, 0o700); err != nil {
			return usage("--report: %w", err)
		}
		return nil
	}
	if !slices.Contains([]string{".md", ".markdown", ".html", ".htm", ".json"}, strings.ToLower(filepath.Ext(path))) {
		return usage("--report %s: the ending names the format, use .md, .html or .json", path)
	}
	if st, err := os.Stat(filepath.Dir(path)); err != nil || !st.IsDir() {
		return usage("--report %s: there is no folder %s", path, filepath.Dir(path))
	}
	return nil
}

// printer prints the answer of one case.
type printer func(path string, s investigations.State, a investigations.Assessment) error

// printOne prints the one case that was asked for.
func (p *program) printOne(f runFlags) printer {
	return func(path string, s investigations.State, a investigations.Assessment) error {
		if !f.json {
			printAnswer(p.out, s, a, path)
			return nil
		}
		doc, err := investigations.NewFindings(s, a).JSON()
		if err != nil {
			return fmt.Errorf("encode findings: %w", err)
		}
		if _, err := p.out.Write(doc); err != nil {
			return fmt.Errorf("write findings: %w", err)
		}
		return nil
	}
}

// investigate runs everything, prints the answer and returns its exit status.
func (p *program) investigate(ctx context.Context, s *session, f runFlags) error {
	return p.investigateAs(ctx, s, f, p.printOne(f))
}

// investigateAs is investigate with another way of printing.
func (p *program) investigateAs(ctx context.Context, s *session, f runFlags, show printer) error {
	run := ctx
	if f.timeout > 0 {
		var cancel context.CancelFunc
		run, cancel = context.WithTimeout(ctx, f.timeout)
		defer cancel()
	}
	signs := newProgress(p.err, f.quiet || f.json && !p.terminal)
	statuses, err := s.runner.CheckSources(run, checkLimit)
	if err != nil {
		return err
	}
	s.checked = true
	for _, st := range statuses {
		signs.source(st)
	}
	if !slices.ContainsFunc(statuses, func(st sources.Status) bool { return st.State != sources.StateFailed }) {
		return &exit{status: exitNoSource, cause: noneReadable(statuses)}
	}
	state := s.State()
	remarks, err := p.checkAsked(run, s.sources, state.Record.Table, state.Options.AppRole)
	if err != nil {
		return err
	}
	p.remark(remarks)
	s.remarks = remarks
	if err := s.Run(run, nil, signs.update); err != nil && run.Err() == nil {
		return err
	}
	return p.conclude(ctx, s, f, show)
}

func noneReadable(statuses []sources.Status) error {
	lines := make([]string, 0, len(statuses))
	for _, st := range statuses {
		lines = append(lines, st.Source+": "+st.Problem)
	}
	return fmt.Errorf("no source could be read\n  %s", strings.Join(lines, "\n  "))
}

// conclude prints and writes the answer. Interrupted, it still says what is
// known so far.
func (p *program) conclude(ctx context.Context, s *session, f runFlags, show printer) error {
	a := s.Assessment()
	state := s.State()
	if f.report != "" {
		if err := writeReport(f.report, state, a); err != nil {
			return err
		}
		if err := s.Record(investigations.EntryExported, investigations.Exported{Path: f.report, Format: strings.TrimPrefix(filepath.Ext(f.report), ".")}); err != nil {
			return err
		}
	}
	if err := show(s.path, state, a); err != nil {
		return err
	}
	switch {
	case ctx.Err() != nil:
		return &exit{status: exitInterrupted, cause: errors.New("interrupted: what was collected until then is saved")}
	case a.Fate.Kind == investigations.FateUndetermined:
		for _, say := range s.remarks { // it may be why; the beginning is far above by now
			p.say("check " + say)
		}
		return &exit{status: exitUndetermined}
	}
	return nil
}
