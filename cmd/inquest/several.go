package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"inquest/investigations"
	"inquest/investigations/journal"
	"inquest/sources"
	"inquest/ui/text"
)

// mostIDs is how many records one run takes.
const mostIDs = 1000

// recordIDs are the ids of the command line and of --ids, each once.
func (p *program) recordIDs(args []string, f runFlags) ([]string, error) {
	ids := slices.Clone(args)
	if f.ids != "" {
		more, err := p.readIDs(f)
		if err != nil {
			return nil, err
		}
		ids = append(ids, more...)
	}
	if len(ids) == 0 {
		if f.ids != "" {
			return nil, usage("--ids %s: there is no id in it", f.ids)
		}
		return nil, usage("run takes a record id, such as inquest run 42 --db service=prod, or --ids FILE")
	}
	var out []string
	for _, id := range ids {
		if err := (investigations.Record{ID: id}).Validate(); err != nil {
			return nil, usage("%w", err)
		}
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	if len(out) > mostIDs {
		return nil, usage("%d ids were given: a run takes %d at most", len(out), mostIDs)
	}
	return out, nil
}

// readIDs reads one id a line; blank lines and lines that begin with # are none.
func (p *program) readIDs(f runFlags) ([]string, error) {
	const longest = 4 << 20
	in := p.in
	if f.ids == "-" {
		if slices.Contains(f.logs, "-") {
			return nil, usage("--ids - and --logs - cannot both read standard input")
		}
	} else {
		file, err := os.Open(f.ids)
		if err != nil {
			return nil, usage("--ids: %w", err)
		}
		defer file.Close()
		in = file
	}
	body, err := io.ReadAll(io.LimitReader(in, longest+1))
	if err != nil {
		return nil, usage("--ids %s: %w", f.ids, err)
	}
	if len(body) > longest {
		return nil, usage("--ids %s: more than %d MiB", f.ids, longest>>20)
	}
	var ids []string
	lines := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	lines.Buffer(nil, longest)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" && !strings.HasPrefix(line, "#") {
			ids = append(ids, line)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, usage("--ids %s: %w", f.ids, err)
	}
	return ids, nil
}

// several is a run over several records: one case each, with the same sources.
type several struct {
	p    *program
	f    runFlags
	told []investigations.Told
	docs []investigations.Findings
}

// runSeveral investigates one record after the other. The exit status is the
// worst of theirs: no source before undetermined before settled.
func (p *program) runSeveral(ctx context.Context, ids []string, f runFlags) error {
	if f.casePath != "" {
		return usage("--case names one file, and %d ids were given: leave it out, each case is saved in the data folder", len(ids))
	}
	if f.report != "" && !isFolder(f.report) {
		return usage("--report %s names one file, and %d ids were given: name a folder", f.report, len(ids))
	}
	if err := checkReportPath(f.report); err != nil {
		return err
	}
	r, err := f.request(p, ids[0])
	if err != nil {
		return err
	}
	r.cases = len(ids)
	p.remark(r.remarks())
	srcs := openSources(r, p)
	p.remark(r.formatRemarks())
	if len(srcs) == 0 {
		return &exit{status: exitNoSource, cause: errNoneNamed}
	}
	run := &several{p: p, f: f}
	err = run.all(ctx, r, srcs, ids)
	for _, s := range srcs {
		err = errors.Join(err, s.Close())
	}
	return err
}

func (v *several) all(ctx context.Context, r request, srcs []sources.Source, ids []string) error {
	var worst *exit
	for i, id := range ids {
		newProgress(v.p.err, v.f.quiet || v.f.json && !v.p.terminal).line("record  %d of %d: %s", i+1, len(ids), id)
		r.Record = id
		err := v.one(ctx, r, srcs)
		var e *exit
		if err != nil && !errors.As(err, &e) {
			return err
		}
		if e != nil && e.status == exitNoSource && len(v.told) == 0 {
			return err // and so it will be for the others
		}
		worst = worse(worst, e)
		if e != nil && (e.status == exitInterrupted || e.status == exitUsage) {
			break
		}
	}
	if err := v.print(len(ids)); err != nil {
		return err
	}
	if worst == nil {
		return nil
	}
	return worst
}

// worse returns the status that counts of two: interrupted, then no source, then
// undetermined.
func worse(a, b *exit) *exit {
	rank := func(e *exit) int {
		if e == nil {
			return -1
		}
		return slices.Index([]int{exitSettled, exitUndetermined, exitNoSource, exitUsage, exitInterrupted}, e.status)
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}

func (v *several) one(ctx context.Context, r request, srcs []sources.Source) error {
	path := journal.NewPath(caseDir(v.p), r.Record, v.p.now())
	s, err := create(v.p, r, srcs, path, "")
	if err != nil {
		return err
	}
	s.runner.SkipSent()
	f := v.f
	f.report = reportIn(f.report, path)
	err = v.p.investigateAs(ctx, s, f, v.keep)
	s.sources = nil // shared: they are closed when the last case is done
	return errors.Join(err, s.Close())
}

// keep prints a case in words at once, and keeps what is printed at the end.
func (v *several) keep(path string, s investigations.State, a investigations.Assessment) error {
	v.told = append(v.told, investigations.Told{Record: s.Record.ID, Assessment: a})
	if v.f.json {
		v.docs = append(v.docs, investigations.NewFindings(s, a))
		return nil
	}
	printAnswer(v.p.out, s, a, path)
	fmt.Fprintln(v.p.out)
	return nil
}

func (v *several) print(asked int) error {
	if v.f.json {
		doc, err := json.MarshalIndent(v.docs, "", "  ")
		if err != nil {
			return fmt.Errorf("encode findings: %w", err)
		}
		if len(v.docs) == 0 {
			doc = []byte("[]")
		}
		if _, err := v.p.out.Write(append(doc, '\n')); err != nil {
			return fmt.Errorf("write findings: %w", err)
		}
		return nil
	}
	printShared(v.p.out, v.told, asked)
	return nil
}

// printShared says what became of each record, and what they have in common.
func printShared(w io.Writer, told []investigations.Told, asked int) {
	p := func(format string, args ...any) { fmt.Fprintln(w, text.Clean(fmt.Sprintf(format, args...))) }
	p("records:  %d of %d", len(told), asked)
	for _, t := range told {
		cause := "cause undetermined"
		if lead, ok := t.Assessment.Leading(); ok {
			cause = lead.Mechanism
		}
		p("          %s: %s (%s), %s", t.Record, strings.ToUpper(string(t.Assessment.Fate.Kind)), t.Assessment.Fate.Standing, cause)
	}
	shared := investigations.Shared(told)
	if len(shared) == 0 {
		p("shared:   nothing that was found")
	}
	for _, c := range shared {
		who := "all"
		if len(c.Records) < len(told) {
			who = fmt.Sprintf("%d of %d (%s)", len(c.Records), len(told), clip(strings.Join(c.Records, ", "), 160))
		}
		p("shared:   %s: %s", who, c.What)
	}
}

func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// isFolder reports whether a path names a folder: one that is there, or one that
// is written as such.
func isFolder(path string) bool {
	if strings.HasSuffix(path, "/") || strings.HasSuffix(path, string(filepath.Separator)) {
		return true
	}
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// reportIn names the report of a case in a folder; a file stays as it is.
func reportIn(report, casePath string) string {
	if report == "" || !isFolder(report) {
		return report
	}
	return filepath.Join(report, strings.TrimSuffix(filepath.Base(casePath), journal.Extension)+".md")
}
