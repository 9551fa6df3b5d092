package gitrepo_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"inquest/sources"
	"inquest/sources/gitrepo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var t0 = time.Date(2025, 11, 27, 14, 58, 0, 0, time.UTC)

// repo is a repository that a test makes commits in.
type repo struct {
	t   *testing.T
	dir string
}

func newRepo(t *testing.T) repo {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("*** SKIPPED, NOT PASSED: git is not installed ***")
	}
	r := repo{t, t.TempDir()}
	r.git(t0, "init", "-q", "-b", "main")
	return r
}

func (r repo) git(at time.Time, args ...string) {
	r.t.Helper()
	cmd := exec.Command("git", append([]string{"-C", r.dir, "-c", "user.name=Ada Lovelace", "-c", "user.email=ada@example.org", "-c", "core.hooksPath=/dev/null"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_DATE="+at.Format(time.RFC3339), "GIT_COMMITTER_DATE="+at.Format(time.RFC3339))
	if out, err := cmd.CombinedOutput(); err != nil {
		r.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func (r repo) write(file, text string) {
	r.t.Helper()
	path := filepath.Join(r.dir, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r repo) commit(at time.Time, subject, file, text string) {
	r.t.Helper()
	r.write(file, text)
	r.git(at, "add", "-A")
	r.git(at, "commit", "-q", "-m", subject)
}

func (r repo) open(opt gitrepo.Options) *gitrepo.Repo {
	r.t.Helper()
	opt.Environ = append(opt.Environ, os.Environ()...)
	s, err := gitrepo.Open(r.dir, opt)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

func near() []sources.Window { return []sources.Window{sources.Around(t0, 24*time.Hour)} }

func TestChangesNearTheWindow(t *testing.T) {
	r := newRepo(t)
	r.commit(t0.Add(-90*24*time.Hour), "first", "dal.cs", "class DtroDal {}\n")
	r.git(t0.Add(-60*24*time.Hour), "tag", "-a", "v3.3.0", "-m", "x")
	r.commit(t0.Add(-48*time.Hour), "too early: delete dtros", "early.sql", "DELETE FROM dtros;\n")
	r.commit(t0.Add(-2*time.Hour), "Purge drafts \x1b[31m", "jobs/purge.sql", "-- purge\nBEGIN;\nDELETE FROM \"Dtros\" WHERE draft;\nCOMMIT;\n")
	r.git(t0.Add(-time.Hour), "tag", "v3.4.0")
	r.commit(t0.Add(-time.Hour), "Unrelated", "orders.sql", "DELETE FROM orders;\nSELECT * FROM dtros;\n")
	r.git(t0, "checkout", "-q", "-b", "fix")
	r.commit(t0.Add(time.Hour), "Take the purge out", "jobs/purge.sql", "-- purge\n")
	r.git(t0, "checkout", "-q", "main")
	r.commit(t0.Add(72*time.Hour), "too late: truncate dtros", "late.sql", "TRUNCATE dtros;\n")

	got, err := r.open(gitrepo.Options{}).Changes(t.Context(), []string{"public.Dtros"}, near())
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Commits) != 2 || got.Near != 3 || got.Left != "" {
		t.Fatalf("%+v", got)
	}
	first, second := got.Commits[0], got.Commits[1]
	if want := (sources.CodeLine{File: "jobs/purge.sql", Line: 3, Table: "public.Dtros", Op: "delete", Text: `DELETE FROM "Dtros" WHERE draft;`, Change: "+"}); len(first.Lines) != 1 || first.Lines[0] != want {
		t.Errorf("%+v", first.Lines)
	}
	if !first.Time.Equal(t0.Add(-2*time.Hour)) || strings.Contains(first.Subject, "\x1b") || !strings.HasPrefix(first.Subject, "Purge drafts") || len(first.Hash) < 40 {
		t.Errorf("%+v", first)
	}
	if second.Subject != "Take the purge out" || len(second.Lines) != 1 || second.Lines[0].Change != "-" {
		t.Errorf("%+v", second)
	}
	if len(got.Releases) != 2 || got.Releases[0].Name != "v3.3.0" || !got.Releases[0].Before || got.Releases[1].Name != "v3.4.0" || got.Releases[1].Before {
		t.Errorf("%+v", got.Releases)
	}
	if all := fmt.Sprintf("%+v", got); strings.Contains(all, "Ada") || strings.Contains(all, "ada@") {
		t.Error("an author is named")
	}
}

func TestRemovalLines(t *testing.T) {
	r := newRepo(t)
	r.write("src/Dal.cs", "// delete dtro\npublic void Remove(Dtro d) {\n  _context.Dtros.Remove(d);\n  _log.Info(\"kept\");\n  dtro.Deleted = true;\n}\n")
	r.write("src/order.py", "q = Dtro.query.order_by(x).delete()\nreorder()\nfor d in undtrosed: remove(d)\n")
	r.write("db/schema.rb", "drop_table :dtros\nexecute 'TRUNCATE TABLE dtros'\nALTER TABLE dtros DETACH PARTITION p1\n")
	r.write("tests/DalTests.cs", "await dal.DeleteDtroAsync(id);\n")
	r.write("vendor/x.go", "DELETE FROM dtros\n")
	r.commit(t0, "all", "Repo.java", "repository.deleteAllByDtroId(id);\nString s = \"reDtroDelete\";\n")
	r.write("src/Dal.cs", "not committed: DELETE FROM dtros\n")
	got, err := r.open(gitrepo.Options{}).RemovalLines(t.Context(), []string{"Dtros"})
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, l := range got.Lines {
		said = append(said, fmt.Sprintf("%s:%d %s %v", l.File, l.Line, l.Op, l.Test))
	}
	want := []string{
		"Repo.java:1 delete false", "Repo.java:2 delete false", "db/schema.rb:1 drop false", "db/schema.rb:2 truncate false", "db/schema.rb:3 detach false",
		"src/Dal.cs:2 delete false", "src/Dal.cs:3 delete false", "src/Dal.cs:5 mark false", "src/order.py:1 delete false", "tests/DalTests.cs:1 delete true",
	}
	if strings.Join(said, "\n") != strings.Join(want, "\n") || got.Skipped != 1 || !got.Time.Equal(t0) {
		t.Fatalf("%s\nskipped %d", strings.Join(said, "\n"), got.Skipped)
	}
}

// TestHostileRepository makes everything run a program that git could be made to run by a repository.
func TestHostileRepository(t *testing.T) {
	r := newRepo(t)
	mark := filepath.Join(t.TempDir(), "ran")
	trap := filepath.Join(t.TempDir(), "trap")
	if err := os.WriteFile(trap, []byte("#!/bin/sh\necho \"$0 $*\" >> "+mark+"\ncat\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.write(".gitattributes", "* diff=evil filter=evil merge=evil\n")
	r.commit(t0, "+++ b/owned\n@@ -1 +1,99 @@", "a.sql", "DELETE FROM dtros;\n+++ b/other\n\x1eaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 1 delete dtros\n")
	r.commit(t0.Add(time.Minute), "second", "a.sql", "TRUNCATE dtros;\n")
	for _, key := range []string{
		"core.fsmonitor", "core.pager", "pager.log", "pager.grep", "core.sshCommand", "core.askPass", "diff.external", "diff.evil.command", "diff.evil.textconv",
		"filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "merge.evil.driver", "gpg.program", "alias.log", "alias.grep", "alias.rev-parse",
		"credential.helper", "core.gitProxy", "uploadpack.packObjectsHook", "core.alternateRefsCommand", "core.editor", "sequence.editor",
	} {
		r.git(t0, "config", key, trap)
	}
	for key, value := range map[string]string{
		"core.hooksPath": filepath.Dir(trap), "log.showSignature": "true", "log.diffMerges": "remerge", "diff.ignoreSubmodules": "none", "log.follow": "true",
		"grep.fallbackToNoIndex": "true", "color.ui": "always", "log.date": "human", "diff.noprefix": "true", "diff.renames": "copies", "core.quotePath": "true",
		"grep.lineNumber": "false", "grep.column": "true", "grep.patternType": "fixed", "diff.mnemonicPrefix": "true", "diff.context": "20", "log.decorate": "full", "diff.wsErrorHighlight": "all", "diff.colorMoved": "zebra",
	} {
		r.git(t0, "config", key, value)
	}
	s := r.open(gitrepo.Options{Environ: []string{"GIT_DIR=/nowhere", "GIT_EXTERNAL_DIFF=" + trap, "GIT_PAGER=" + trap}})
	if st := s.Check(t.Context()); st.State != sources.StateReady {
		t.Fatalf("%+v", st)
	}
	got, err := s.Changes(t.Context(), []string{"dtros"}, near())
	if err != nil || len(got.Commits) != 2 {
		t.Fatalf("%+v %v", got, err)
	}
	for _, c := range got.Commits {
		for _, l := range c.Lines {
			if l.File != "a.sql" || strings.ContainsAny(l.Text, "\x1e\x1b") {
				t.Errorf("%+v", l)
			}
		}
	}
	if lines, err := s.RemovalLines(t.Context(), []string{"dtros"}); err != nil || len(lines.Lines) != 1 || lines.Lines[0].Line != 1 {
		t.Fatalf("%+v %v", lines, err)
	}
	if said, err := os.ReadFile(mark); err == nil {
		t.Fatalf("the repository ran a program:\n%s", said)
	}
}

func TestNothingIsWritten(t *testing.T) {
	r := newRepo(t)
	r.commit(t0, "one", "a.sql", "DELETE FROM dtros;\n")
	if err := os.Chtimes(filepath.Join(r.dir, "a.sql"), t0, t0); err != nil {
		t.Fatal(err)
	}
	// a stale index is what git would like to refresh
	before := listing(t, r.dir)
	s := r.open(gitrepo.Options{})
	s.Check(t.Context())
	if _, err := s.Changes(t.Context(), []string{"dtros"}, near()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.RemovalLines(t.Context(), []string{"dtros"}); err != nil {
		t.Fatal(err)
	}
	if after := listing(t, r.dir); after != before {
		t.Errorf("the repository changed:\n%s\n%s", before, after)
	}
}

func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			fmt.Fprintln(&b, path, info.Size(), info.ModTime().UnixNano())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestBlind(t *testing.T) {
	r := newRepo(t)
	blind := func(name string, err error, want string) {
		t.Helper()
		var b *sources.Blind
		if !errors.As(err, &b) || !strings.Contains(b.Why, want) {
			t.Errorf("%s: %v, want blind with %q", name, err, want)
		}
	}
	_, err := repo{t, filepath.Join(r.dir, "nowhere")}.open(gitrepo.Options{}).RemovalLines(t.Context(), []string{"dtros"})
	blind("missing folder", err, "no folder")
	_, err = r.open(gitrepo.Options{}).RemovalLines(t.Context(), []string{"dtros"})
	blind("no commit", err, "no commit")
	_, err = repo{t, t.TempDir()}.open(gitrepo.Options{}).RemovalLines(t.Context(), []string{"dtros"})
	blind("no repository", err, "no git repository")
	_, err = r.open(gitrepo.Options{Git: filepath.Join(r.dir, "no-git")}).RemovalLines(t.Context(), []string{"dtros"})
	blind("no git", err, "git")

	r.commit(t0, "one", "a.sql", "DELETE FROM dtros;\n")
	r.commit(t0, "two", "b.sql", "TRUNCATE dtros;\n")
	_, err = r.open(gitrepo.Options{}).RemovalLines(t.Context(), []string{"  "})
	blind("no table", err, "no table")
	shallow := filepath.Join(t.TempDir(), "shallow")
	r.git(t0, "clone", "-q", "--depth", "1", "file://"+r.dir, shallow)
	s := repo{t, shallow}.open(gitrepo.Options{})
	if st := s.Check(t.Context()); st.State != sources.StatePartial || !strings.Contains(st.Problem, "--unshallow") {
		t.Errorf("%+v", st)
	}
	got, err := s.Changes(t.Context(), []string{"dtros"}, near())
	if err != nil || !strings.Contains(got.Left, "shallow") {
		t.Errorf("%+v %v", got, err)
	}
	if st := (repo{t, t.TempDir()}).open(gitrepo.Options{}).Check(t.Context()); st.State != sources.StateFailed {
		t.Errorf("%+v", st)
	}
}

func TestCancelKillsGit(t *testing.T) {
	dir := t.TempDir()
	slow := filepath.Join(dir, "git")
	if err := os.WriteFile(slow, []byte("#!/bin/sh\nsleep 60 &\nwait\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	start := time.Now()
	_, err := repo{t, dir}.open(gitrepo.Options{Git: slow}).RemovalLines(ctx, []string{"dtros"})
	if !errors.Is(err, context.Canceled) || time.Since(start) > 2*time.Second {
		t.Fatal(err, time.Since(start))
	}
	_, err = repo{t, dir}.open(gitrepo.Options{Git: slow, Timeout: 100 * time.Millisecond}).RemovalLines(t.Context(), []string{"dtros"})
	if err == nil || time.Since(start) > 5*time.Second {
		t.Fatal(err, time.Since(start))
	}
}
