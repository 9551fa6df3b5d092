package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"inquest/sources"
	"inquest/sources/logfile"
	"inquest/sources/logscan"
	"inquest/sources/scan"
)

// work runs one task of inquest's packages as a process of its own, so that a
// whole process is compared with a whole process. It prints what it found.
func work(ctx context.Context, w io.Writer, args []string) error {
	out := bufio.NewWriter(w)
	var err error
	switch task, rest := args[0], args[1:]; task {
	case "find":
		err = findIn(ctx, out, [][]byte{[]byte(rest[0])}, rest[1:])
	case "many":
		var list []byte
		if list, err = os.ReadFile(rest[0]); err == nil {
			err = findIn(ctx, out, bytes.Fields(list), rest[1:])
		}
	case "search":
		err = search(ctx, out, rest)
	case "first":
		err = first(ctx, rest[0], rest[1])
	case "hops":
		err = hops(ctx, out, rest[0], rest[1])
	case "window":
		err = window(ctx, out, rest)
	case "wal-trace":
		err = traceWAL(ctx, out, rest[0], rest[1])
	case "wal-check":
		err = checkWAL(ctx, out, rest[0])
	case "wal-fetch":
		err = fetchWAL(ctx, out, rest[0])
	default:
		err = fmt.Errorf("no such task: %s", task)
	}
	err = errors.Join(err, out.Flush())
	fmt.Fprintln(os.Stderr, peakWord, peak())
	return err
}

// findIn prints the lines of the files that hold one of the needles: two files
// at a time, or two chunks at a time when there is one file.
func findIn(ctx context.Context, w io.Writer, needles [][]byte, files []string) error {
	plan := scan.Plan{Back: 4 << 10, Ahead: 4 << 10}
	at := 1
	if len(files) > 1 {
		plan.Workers, at = 1, 2
	}
	slots := make(chan struct{}, at)
	errs := make([]error, len(files))
	var mu sync.Mutex
	var all sync.WaitGroup
	for i, p := range files {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			errs[i] = findFile(ctx, needles, p, plan, func(lines []byte) error {
				mu.Lock()
				defer mu.Unlock()
				_, err := w.Write(lines)
				return err
			})
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func findFile(ctx context.Context, needles [][]byte, path string, plan scan.Plan, emit func([]byte) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	sample := make([]byte, 64<<10)
	n, err := f.ReadAt(sample, st.Size()/2)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	finder := scan.NewFor(needles, sample[:n])
	return scan.Each(ctx, f, 0, st.Size(), plan, func(c scan.Chunk) ([]byte, error) {
		var out []byte
		done := c.From - 1
		for _, m := range finder.Append(nil, c.Buf[c.From:min(len(c.Buf), c.To+finder.Longest()-1)]) {
			at := c.From + m.At
			if at < done {
				continue
			}
			start := bytes.LastIndexByte(c.Buf[:at], '\n') + 1
			end := bytes.IndexByte(c.Buf[at:], '\n')
			if end < 0 {
				end = len(c.Buf) - at
			}
			done = at + end
			out = append(append(out, c.Buf[start:done]...), '\n')
		}
		return out, nil
	}, emit)
}

// most is how many hits a search may keep: all.
const most = 1 << 20

// search is the whole log search with its coverage. It prints the hits, and
// the coverage on standard error.
func search(ctx context.Context, w io.Writer, args []string) error {
	fs := flag.NewFlagSet("search", flag.ContinueOnError)
	from := fs.String("from", "", "begin of the window")
	to := fs.String("to", "", "end of the window")
	if err := fs.Parse(args); err != nil {
		return err
	}
	win, err := windowOf(*from, *to)
	if err != nil {
		return err
	}
	res, err := ask(ctx, fs.Arg(1), sources.LogQuery{Needles: sources.Spellings(fs.Arg(0)), Window: win, Limit: most})
	if err != nil {
		return err
	}
	return show(w, res)
}

// first searches and says on standard error where the first hit lies and how far
// the search was when it told of it, as parts of the file.
func first(ctx context.Context, id, path string) error {
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	var done, told int64
	var found *sources.Event
	q := sources.LogQuery{Needles: sources.Spellings(id), Limit: most, Progress: func(n, _ int64) { done = n }}
	q.Found = func(e sources.Event) {
		if found == nil {
			found, told = &e, done
		}
	}
	if _, err := ask(ctx, path, q); err != nil {
		return err
	}
	if found == nil {
		return errors.New("no hit was told")
	}
	lies, err := offsetOf(path, found.Raw)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, firstWord, float64(lies)/float64(st.Size()), float64(told)/float64(st.Size()))
	return nil
}

// offsetOf returns where a line of a file begins.
func offsetOf(path, line string) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	at := int64(0)
	for r := bufio.NewReaderSize(f, 1<<20); ; {
		l, err := r.ReadString('\n')
		if strings.TrimRight(l, "\r\n") == line {
			return at, nil
		}
		if err != nil {
			return 0, err
		}
		at += int64(len(l))
	}
}

// hops searches for the id, and then for the requests of what it found.
func hops(ctx context.Context, w io.Writer, id, path string) error {
	res, err := ask(ctx, path, sources.LogQuery{Needles: sources.Spellings(id), Limit: most})
	if err != nil {
		return err
	}
	var next []sources.Needle
	seen := map[string]bool{}
	for _, e := range res.Events {
		if e.RequestID != "" && !seen[e.RequestID] {
			seen[e.RequestID] = true
			next = append(next, sources.Needle{Text: e.RequestID, How: "request of " + e.Position})
		}
	}
	if res, err = ask(ctx, path, sources.LogQuery{Needles: next, Limit: most}); err != nil {
		return err
	}
	return show(w, res)
}

// window prints every event of a window.
func window(ctx context.Context, w io.Writer, args []string) error {
	win, err := windowOf(args[0], args[1])
	if err != nil {
		return err
	}
	res, err := ask(ctx, args[2], sources.LogQuery{Window: win, Limit: most})
	if err != nil {
		return err
	}
	return show(w, res)
}

func windowOf(from, to string) (win sources.Window, err error) {
	for text, at := range map[*string]*time.Time{&from: &win.From, &to: &win.To} {
		if *text != "" {
			if *at, err = time.Parse(time.RFC3339, *text); err != nil {
				return win, err
			}
		}
	}
	return win, nil
}

// ask opens what the path names, which must be one log, and searches it.
func ask(ctx context.Context, path string, q sources.LogQuery) (*sources.LogResult, error) {
	all, err := logfile.Open(path, logfile.Options{Options: logscan.Options{}})
	if err != nil {
		return nil, err
	}
	if len(all) != 1 {
		return nil, fmt.Errorf("%s holds %d logs, expected one", path, len(all))
	}
	defer all[0].Close()
	s, ok := all[0].(sources.LogSearcher)
	if !ok {
		return nil, fmt.Errorf("%s cannot be searched", path)
	}
	return s.SearchLogs(ctx, q)
}

func show(w io.Writer, res *sources.LogResult) error {
	for _, e := range res.Events {
		if _, err := io.WriteString(w, strings.ToValidUTF8(e.Raw, "\uFFFD")+"\n"); err != nil {
			return err
		}
	}
	v := res.Coverage
	fmt.Fprintf(os.Stderr, "%d events, %d dropped; %s: %d lines, %d unparsed, %s to %s, %d gaps, %d buckets\n", len(res.Events), res.Dropped,
		v.Format, v.Lines, v.Unparsed, v.From.Format(time.RFC3339Nano), v.To.Format(time.RFC3339Nano), len(v.Gaps), len(v.Buckets))
	return nil
}
