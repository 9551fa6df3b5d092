package gitrepo

import (
	"bytes"
	"strconv"
	"strings"

	"inquest/sources"
)

// recordMark begins a commit in the output of git log; it cannot stand in a line
// of a patch at that place, which begins with one of "+- @d".
const recordMark = "\x1e"

// parseLog reads git log -p -U0 and keeps the commits with a line that counts.
func parseLog(patch []byte, f finder) []sources.CodeCommit {
	var out []sources.CodeCommit
	var p patchReader
	keep := func() {
		if p.commit.Hash != "" && len(p.commit.Lines) > 0 {
			out = append(out, p.commit)
		}
	}
	for raw := range bytes.Lines(patch) {
		line := string(bytes.TrimRight(raw, "\r\n"))
		if head, ok := strings.CutPrefix(line, recordMark); ok && !p.inHunk() {
			keep()
			p = patchReader{commit: parseHead(head)}
			continue
		}
		p.line(line, f)
	}
	keep()
	return out
}

func parseHead(head string) sources.CodeCommit {
	hash, rest, _ := strings.Cut(head, " ")
	at, subject, _ := strings.Cut(rest, " ")
	return sources.CodeCommit{Hash: printable(hash), Time: unix(at), Subject: clip(subject, 0)}
}

// patchReader follows the patch of one commit line by line.
type patchReader struct {
	commit   sources.CodeCommit
	old, new string // files
	// lines of the hunk that are still to come, and their numbers
	minus, plus     int
	minusAt, plusAt int
}

func (p *patchReader) inHunk() bool { return p.minus > 0 || p.plus > 0 }

func (p *patchReader) line(line string, f finder) {
	switch {
	case p.minus > 0 && strings.HasPrefix(line, "-"):
		p.hit(f, "-", p.old, p.minusAt, line[1:])
		p.minus, p.minusAt = p.minus-1, p.minusAt+1
	case p.plus > 0 && strings.HasPrefix(line, "+"):
		p.hit(f, "+", p.new, p.plusAt, line[1:])
		p.plus, p.plusAt = p.plus-1, p.plusAt+1
	case strings.HasPrefix(line, "@@ "):
		p.hunk(line)
	case strings.HasPrefix(line, "diff --git "):
		p.old, p.new, p.minus, p.plus = "", "", 0, 0
	case !p.inHunk() && strings.HasPrefix(line, "--- "):
		p.old = fileName(line[4:], "a/")
	case !p.inHunk() && strings.HasPrefix(line, "+++ "):
		p.new = fileName(line[4:], "b/")
	}
}

// hunk reads "@@ -from,count +from,count @@".
func (p *patchReader) hunk(line string) {
	fields := strings.Fields(line)
	if len(fields) < 3 {
		return
	}
	p.minusAt, p.minus = hunkRange(fields[1])
	p.plusAt, p.plus = hunkRange(fields[2])
}

func hunkRange(s string) (at, count int) {
	from, n, ok := strings.Cut(strings.TrimLeft(s, "+-"), ",")
	at, _ = strconv.Atoi(from)
	if !ok {
		return at, 1
	}
	count, _ = strconv.Atoi(n)
	return at, max(count, 0)
}

// fileName reads a file's name from a patch's header, which quotes odd ones.
func fileName(s, prefix string) string {
	s = strings.TrimRight(s, "\t")
	if strings.HasPrefix(s, `"`) {
		if u, err := strconv.Unquote(s); err == nil {
			s = u
		}
	}
	if s == "/dev/null" {
		return ""
	}
	return printable(strings.TrimPrefix(s, prefix))
}

func (p *patchReader) hit(f finder, change, file string, at int, text string) {
	if foreign(file) {
		return
	}
	name, op := f.match(text)
	if op == "" {
		return
	}
	if len(p.commit.Lines) == maxLines {
		p.commit.Left++
		return
	}
	p.commit.Lines = append(p.commit.Lines, sources.CodeLine{
		File: file, Line: at, Table: name, Op: op, Text: clip(text, 0), Change: change, Test: isTest(file),
	})
}
