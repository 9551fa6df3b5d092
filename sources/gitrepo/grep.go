package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode"

	"inquest/sources"
)

// The most that is kept of one answer.
const (
	maxCommits  = 100
	maxLines    = 20 // of one commit
	maxHits     = 200
	maxReleases = 20
	maxText     = 240
)

// RemovalLines searches the code of the newest commit, not the files on disk.
func (r *Repo) RemovalLines(ctx context.Context, tables []string) (*sources.CodeLines, error) {
	h, err := r.open(ctx)
	if err != nil {
		return nil, err
	}
	f := newFinder(tables)
	if len(f) == 0 {
		return nil, noTable()
	}
	out := &sources.CodeLines{Hash: h.hash, Time: h.time, Lines: []sources.CodeLine{}, Query: r.byHand("grep", "-n", "-I", "-i", "-E", "-e", f.ere(), h.hash)}
	found, err := r.git(ctx, "grep", "-n", "-I", "-i", "-E", "-z", "--no-color", "--no-textconv", "--full-name", "-e", f.ere(), h.hash, "--")
	if errors.Is(err, errLong) {
		out.Left, err = 1, nil
	}
	if err != nil {
		return nil, err
	}
	for raw := range bytes.Lines(found) {
		addHit(out, string(bytes.TrimRight(raw, "\r\n")), f)
	}
	return out, nil
}

func noTable() error {
	return &sources.Blind{Why: "no table is known whose deletion could be looked for", Opens: "name the table with --table"}
}

// addHit reads one line of git grep -z: commit:file, NUL, number, NUL, text.
func addHit(out *sources.CodeLines, line string, f finder) {
	parts := strings.SplitN(line, "\x00", 3)
	if len(parts) != 3 {
		return
	}
	_, file, _ := strings.Cut(parts[0], ":")
	name, op := f.match(parts[2])
	switch {
	case op == "":
	case foreign(file):
		out.Skipped++
	case len(out.Lines) == maxHits:
		out.Left++
	default:
		n, _ := strconv.Atoi(parts[1])
		at := max(0, f.at(parts[2])-maxText/2)
		out.Lines = append(out.Lines, sources.CodeLine{File: printable(file), Line: n, Table: name, Op: op, Text: clip(parts[2], at), Test: isTest(file)})
	}
}

// foreign reports whether a file is other people's code or built from code.
func foreign(file string) bool {
	lower := "/" + strings.ToLower(file)
	for _, part := range []string{"/vendor/", "/node_modules/", "/third_party/", "/bower_components/", "/dist/", "/.yarn/"} {
		if strings.Contains(lower, part) {
			return true
		}
	}
	for _, end := range []string{".min.js", ".map", ".lock", ".svg", "package-lock.json", ".min.css", ".designer.cs", ".snap"} {
		if strings.HasSuffix(lower, end) {
			return true
		}
	}
	return false
}

// isTest reports whether a file looks like a test.
func isTest(file string) bool {
	lower := strings.ToLower(file)
	for _, part := range []string{"test", "spec/", "_spec.", ".spec.", "fixture", "mock", "example"} {
		if strings.Contains(lower, part) {
			return true
		}
	}
	return false
}

// clip returns a piece of a line for people, without what would steer a terminal.
func clip(s string, from int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	lead := ""
	if from > 0 && len(s) > maxText {
		from = min(from, len(s)-1)
		for from > 0 && s[from]&0xc0 == 0x80 {
			from--
		}
		s, lead = s[from:], "…"
	}
	s = printable(strings.TrimSpace(s))
	if runes := []rune(s); len(runes) > maxText {
		s = string(runes[:maxText]) + "…"
	}
	return lead + s
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsControl(r):
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

func unix(s string) time.Time {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}
