package command

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"inquest/sources"
	"inquest/sources/logscan"
	"inquest/sources/process"
)

// section is what the host said of one file.
type section struct {
	header
	from, to int64 // its lines in the kept output
	state    string
	broken   bool
	sample   []string
	tail     []string // the last of what was sent: the file's end
	blank    bool     // the line before was empty
	lines    int64    // of the file
}

func (f *section) label() string { return path.Base(f.path) }

// fetch copies whole files, for a query that wants every line.
func (c *ssh) fetch(ctx context.Context, s *Source, w sources.Window, tap *logscan.Tap) (*kept, error) {
	script := c.script(`whole "$1"`, w.From)
	k := &kept{shown: c.shown(script)}
	p := newParts(&s.store, tap)
	defer p.close()
	heads := map[string]header{}
	var now string
	var denied int
	empty, finished := false, false
	out := &process.Lines{Each: func(line []byte, first bool) error {
		word, rest, ok := c.mark(line, first)
		switch {
		case word == "file":
			h := readHeader(rest)
			now, empty = h.path, false
			heads[now] = h
		case word == "denied":
			denied++
			k.limits = append(k.limits, "not read: "+now+": permission denied")
		case word == "older":
			k.limits = append(k.limits, path.Base(now)+" was not read: it was last written before the window")
		case word == "broken":
			k.limits = append(k.limits, path.Base(now)+" is broken: what follows is lost")
		case word == "done":
			finished = true
		case ok || now == "":
		case len(line) == 1 && first && !empty:
			empty = true // the end of the last line, or an empty line: the next one tells
		default:
			if empty {
				empty = false
				if err := p.add(now, []byte{'\n'}); err != nil {
					return err
				}
			}
			return p.add(now, line)
		}
		return nil
	}}
	end, err := c.run(ctx, s, script, out)
	if err != nil {
		return nil, err
	}
	k.broken, k.opens = c.trouble(end, finished)
	if k.log, k.bytes, err = p.finish(); err != nil {
		return nil, err
	}
	if k.broken == "" && len(heads) == denied {
		return nil, c.nothing(denied)
	}
	for _, f := range k.log.Files {
		f.ModTime, f.Label = heads[f.Label].changed, path.Base(f.Label)
	}
	slices.SortStableFunc(k.log.Files, func(a, b *logscan.File) int { return a.ModTime.Compare(b.ModTime) })
	return k, nil
}

// search lets the host look for the needles.
func (c *ssh) search(ctx context.Context, s *Source, q sources.LogQuery) (*sources.LogResult, error) {
	q.Window = s.window(q.Window)
	script := c.script(c.grepWork(q), q.Window.From)
	f, err := s.store.File()
	if err != nil {
		return nil, err
	}
	defer func() {
		f.Close()
		os.Remove(f.Name())
	}()
	tap := logscan.NewTap(s.name, s.opt.Options, q)
	found, end, finished, err := c.grep(ctx, s, script, f, tap)
	if err != nil {
		return nil, s.explain(err)
	}
	why, opens := c.trouble(end, finished)
	read := slices.DeleteFunc(slices.Clone(found), func(x *section) bool { return x.state != "" })
	if len(read) == 0 {
		if why != "" {
			return nil, &sources.Blind{Why: why, Opens: opens}
		}
		if denied := slices.IndexFunc(found, func(x *section) bool { return x.state == "denied" }); denied >= 0 || len(found) == 0 {
			return nil, c.nothing(denied + 1)
		}
	}
	res, err := c.read(s, tap.Rest(q), f, read)
	if err != nil {
		return nil, s.explain(err)
	}
	res.Query = c.shown(script)
	return c.judge(res, found, why, opens)
}

// grep keeps the output and notes where each file's part stands.
func (c *ssh) grep(ctx context.Context, s *Source, script string, f *os.File, tap *logscan.Tap) (found []*section, end process.End, finished bool, err error) {
	w := bufio.NewWriterSize(f, 128<<10)
	var n int64
	var now *section
	out := &process.Lines{Each: func(line []byte, first bool) error {
		word, rest, _ := c.mark(line, first)
		switch word {
		case "file":
			now = &section{header: readHeader(rest), from: n, to: n}
			found = append(found, now)
		case "denied", "older":
			now.state = word
		case "done":
			finished = true
		case "":
			if now == nil {
				return nil
			}
			if first {
				c.note(now, line)
				if n, text, ok := numbered(line); ok && line[len(line)-1] == '\n' {
					tap.Numbered(now.label(), n-1, text) // the mark before the file is grep's line 1
				}
			}
			n += int64(len(line))
			now.to = n
			_, err := w.Write(line)
			return err
		}
		return nil
	}}
	end, err = c.run(ctx, s, script, out)
	if err == nil {
		err = w.Flush()
	}
	slices.SortStableFunc(found, func(a, b *section) int { return a.changed.Compare(b.changed) })
	return found, end, finished, err
}

// note takes from a line of grep what the whole file shows: its format and how
// many lines it has.
func (c *ssh) note(f *section, line []byte) {
	n, text, ok := numbered(line)
	if !ok {
		return
	}
	if word, _, ok := c.mark(append(text, '\n'), true); ok {
		switch word {
		case "broken":
			f.broken = true
		case "end":
			if f.lines = n - 2; f.blank {
				f.lines-- // the script ends a last line that may have had its end
			}
		}
		return
	}
	if f.blank = len(text) == 0; f.blank {
		return
	}
	l := strings.ToValidUTF8(string(text[:min(len(text), 32<<10)]), "\uFFFD")
	if len(f.sample) < 400 {
		f.sample = append(f.sample, l)
		return
	}
	if f.tail = append(f.tail, l); len(f.tail) > linesBefore {
		f.tail = f.tail[1:]
	}
}

// numbered reads "12:text" and "12-text".
func numbered(line []byte) (n int64, text []byte, ok bool) {
	i := bytes.IndexFunc(line, func(r rune) bool { return r < '0' || r > '9' })
	if i <= 0 || (line[i] != ':' && line[i] != '-') {
		return 0, nil, false
	}
	n, err := strconv.ParseInt(string(line[:i]), 10, 64)
	return n, bytes.TrimRight(line[i+1:], "\n"), err == nil
}

const mostPiece = 4 << 20

// read searches what came back.
func (c *ssh) read(s *Source, q sources.LogQuery, f *os.File, found []*section) (*sources.LogResult, error) {
	x := (&logscan.Log{Name: s.name, Options: s.opt.Options}).Excerpts(q)
	var from, to time.Time
	var lines, size int64
	var limits []string
	for _, file := range found {
		x.File(file.label(), file.changed, file.sample)
		lines += file.lines
		size += file.size
		for _, l := range append(file.sample, file.tail...) {
			if t, ok := x.Time(l); ok {
				if from.IsZero() || t.Before(from) {
					from = t
				}
				if t.After(to) {
					to = t
				}
			}
		}
		if file.broken {
			limits = append(limits, file.label()+" is broken: what follows is lost")
		}
		if err := c.pieces(f, file, x); err != nil {
			return nil, err
		}
	}
	res := x.Result()
	v := &res.Coverage
	v.From, v.To, v.Lines, v.Bytes = from, to, lines, size
	v.Limits = append(v.Limits, limits...)
	v.Limits = append(v.Limits, "the search ran on "+c.host+": silences between the first and the last line were not looked for")
	return res, nil
}

// pieces gives the lines of one file that hang together to x.
func (c *ssh) pieces(f *os.File, file *section, x *logscan.Excerpts) error {
	r := bufio.NewReaderSize(io.NewSectionReader(f, file.from, file.to-file.from), 128<<10)
	var piece []byte
	var first, next int64
	give := func() {
		if len(piece) > 0 {
			x.Piece(piece, first)
		}
		piece = piece[:0]
	}
	for {
		line, err := r.ReadBytes('\n')
		n, text, ok := numbered(line)
		_, _, ours := c.mark(append(slices.Clip(text), '\n'), true)
		switch {
		case len(line) == 0, !ok, ours:
			give()
		default:
			if len(piece) > 0 && (n != next || len(piece) > mostPiece) {
				give()
			}
			if len(piece) == 0 {
				first = n - 1 // the mark before the file is grep's line 1
			}
			next = n + 1
			piece = append(append(piece, text...), '\n')
		}
		if errors.Is(err, io.EOF) {
			give()
			return nil
		}
		if err != nil {
			return fmt.Errorf("read what %s sent: %w", c.host, err)
		}
	}
}

// judge adds what was not read.
func (c *ssh) judge(res *sources.LogResult, found []*section, why, opens string) (*sources.LogResult, error) {
	v := &res.Coverage
	for _, f := range found {
		switch f.state {
		case "denied":
			v.Limits = append(v.Limits, "not read: "+f.path+": permission denied")
			v.Gaps = []sources.Gap{{From: v.From, To: v.To, Reason: f.label() + " could not be read"}}
		case "older":
			v.Limits = append(v.Limits, f.label()+" was not read: it was last written before the window")
		}
	}
	if why == "" {
		return res, nil
	}
	if len(res.Events) == 0 {
		return nil, &sources.Blind{Why: why, Opens: opens}
	}
	v.Limits = append(v.Limits, why+": its output may be incomplete")
	v.Gaps = []sources.Gap{{From: v.From, To: v.To, Reason: "the output may be incomplete: " + why}}
	return res, nil
}
