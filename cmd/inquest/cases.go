package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"inquest/investigations"
	"inquest/investigations/journal"
	"inquest/investigations/report"
	"inquest/ui/text"
)

// openCommand opens a saved case; with --db and --logs its probes can run again.
func (p *program) openCommand() *cobra.Command {
	var f caseFlags
	var l look
	cmd := &cobra.Command{
		Use:   "open CASE",
		Short: "Open a saved case",
		Long:  "Open a saved case in the terminal UI, or print it when there is no terminal. It needs no connection; with --db and --logs its probes can run again.",
		Args:  oneCase("open"),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := p.casePath(args[0])
			if err != nil {
				return err
			}
			var r *request
			if len(f.databases)+len(f.logs)+len(f.wal)+f.outputs.named() > 0 || f.profile+f.api+f.repo != "" {
				req, err := f.request(p, "reopened")
				if err != nil {
					return err
				}
				r = &req
			}
			if !p.terminal {
				return p.printCase(path, r)
			}
			d := newDesk(p)
			d.connect, l.start = r, path
			return p.screens(cmd.Context(), d, l)
		},
	}
	f.register(cmd.Flags())
	l.register(cmd.Flags())
	return cmd
}

// printCase prints a saved case as text.
func (p *program) printCase(path string, r *request) error {
	s, err := reopen(p, path, r)
	if err != nil {
		return caseError(path, err)
	}
	p.say(s.note)
	printAnswer(p.out, s.State(), s.Assessment(), path)
	return s.Close()
}

func (p *program) listCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the saved cases, the newest first",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			list, err := journal.List(caseDir(p))
			if err != nil {
				return err
			}
			if len(list) == 0 {
				fmt.Fprintf(p.err, "no case is saved in %s yet: inquest run RECORD_ID makes one, inquest drill practises\n", caseDir(p))
			}
			for _, s := range list {
				fate := "not judged"
				if s.Fate != "" {
					fate = fmt.Sprintf("%s, %s", s.Fate, s.Standing)
				}
				if s.Broken != "" {
					fate = "broken: " + s.Broken
				}
				fmt.Fprintln(p.out, text.Clean(fmt.Sprintf("%s\t%s\t%s\t%s\t%s", s.Updated.UTC().Format("2006-01-02 15:04"), s.Record, s.Table, fate, s.Path)))
			}
			return nil
		},
	}
}

func (p *program) reportCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "report CASE",
		Short: "Write the report of a saved case, judged anew",
		Args:  oneCase("report"),
		RunE: func(_ *cobra.Command, args []string) error {
			path, err := p.casePath(args[0])
			if err != nil {
				return err
			}
			r, entries, note, err := journal.OpenReadOnly(path)
			if err != nil {
				return caseError(path, err)
			}
			defer r.Close()
			p.say(note.String())
			s, err := investigations.Fold(entries)
			if err != nil {
				return caseError(path, err)
			}
			a := engine().Assess(s)
			if out == "" {
				_, err = p.out.Write(report.Markdown(s, a))
				return err
			}
			return writeReport(out, s, a)
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "write to `FILE` (.md, .html or .json) instead of Markdown on standard output")
	return cmd
}

func (p *program) verifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify CASE",
		Short: "Check that a case file is as it was written",
		Long:  "Check the hash chain of a case file. Exit status: 0 intact, 1 broken, 2 unreadable.",
		Args:  oneCase("verify"),
		RunE: func(_ *cobra.Command, args []string) error {
			path, err := p.casePath(args[0])
			if err != nil {
				return err
			}
			rep, err := journal.Verify(path)
			if err != nil {
				return &exit{status: 2, cause: err}
			}
			fmt.Fprintln(p.out, text.Clean(rep.String()))
			switch rep.Result {
			case journal.Intact:
				return nil
			case journal.Broken:
				return &exit{status: 1}
			default:
				return &exit{status: 2}
			}
		},
	}
}

// say prints a remark for people beside the result; an empty one is none.
func (p *program) say(remark string) {
	if remark != "" {
		fmt.Fprintln(p.err, text.Clean("inquest: "+remark))
	}
}

func oneCase(command string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usage("%s takes one case: a file, or the beginning of a record id that inquest list shows", command)
		}
		return nil
	}
}

// casePath finds a case by file, or by the record id of a saved one.
func (p *program) casePath(arg string) (string, error) {
	if _, err := os.Stat(arg); err == nil || strings.ContainsAny(arg, `/\`) || strings.HasSuffix(arg, journal.Extension) {
		return arg, nil
	}
	list, err := journal.List(caseDir(p))
	if err != nil {
		return "", err
	}
	for _, s := range list {
		if strings.HasPrefix(s.Record, arg) {
			return s.Path, nil
		}
	}
	return "", usage("no case %q: it is neither a file nor the beginning of a saved record id, see inquest list", arg)
}

func caseError(path string, err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return usage("there is no case file %s: see inquest list", path)
	}
	if !strings.HasPrefix(err.Error(), "open case") { // the journal says it by itself
		err = fmt.Errorf("open case %s: %w", path, err)
	}
	return &exit{status: exitUsage, cause: err}
}

// saveError adds to an error of writing a case what can be done about it.
func saveError(err error) error {
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return usage("%w: name a place that may be written with --case FILE, or a folder with INQUEST_CASES", err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return &exit{status: exitUsage, cause: fmt.Errorf("%w: free some, or name another place with --case FILE; inquest open shows what is saved", err)}
	}
	return err
}

// home opens the terminal UI.
func (p *program) home(ctx context.Context, l look) error {
	if err := checkLists(); err != nil {
		return err
	}
	if !p.terminal && !l.plain {
		return usage("the terminal UI needs a terminal: use inquest run RECORD_ID, inquest --plain, or see inquest --help")
	}
	return p.screens(ctx, newDesk(p), l)
}
