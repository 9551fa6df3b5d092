// Command bench measures inquest against the programs that people would use
// otherwise, on data that it makes from a fixed seed, and prints a table:
//
//	go run -C tools/bench . -scale 0.1         # quick: 200 MB instead of 2 GB
//	go run -C tools/bench .                    # in full: about 8 GB of scratch data
//	go run -C tools/bench . -rows 1,3 -pairs 9 # some rows, more pairs
//
// Peer and inquest run in turn as whole processes, must find the same, and the
// figure of a row is the median of the ratios of each pair. What inquest has no
// command for is driven through its public packages by a worker process of this program.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if len(os.Args) > 2 && os.Args[1] == "worker" {
		err = work(ctx, os.Stdout, os.Args[2:])
	} else {
		err = measure(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context) error {
	scale := flag.Float64("scale", 1, "`part` of the full sizes")
	pairs := flag.Int("pairs", 5, "measured `pairs` of a row")
	only := flag.String("rows", "", "only these `rows`, such as 1,3,8")
	dir := flag.String("dir", "", "scratch `folder` that is kept and used again; empty: a temporary one")
	flag.Parse()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if *dir == "" {
		if *dir, err = os.MkdirTemp("", "inquest-bench-"); err != nil {
			return err
		}
		defer os.RemoveAll(*dir)
	} else if err := os.MkdirAll(*dir, 0o700); err != nil {
		return err
	}
	b := &bench{pairs: max(*pairs, 1), self: self, store: &store{dir: *dir, scale: *scale, say: func(f string, a ...any) {
		fmt.Fprintf(os.Stderr, f+"\n", a...)
	}}}
	defer b.close()
	t := newTable(os.Stdout, *scale, b.pairs)
	var failed []error
	for _, r := range rows() {
		if !chosen(*only, r.id) {
			continue
		}
		b.say("row %s: %s", r.id, r.work)
		got, err := r.run(ctx, b)
		if err := ctx.Err(); err != nil {
			return err
		}
		var m *missing
		if err != nil && !errors.As(err, &m) {
			failed = append(failed, fmt.Errorf("row %s: %w", r.id, err))
		}
		if err == nil {
			b.say("  %s, CPU time %s; peer %s; inquest %s", got.value, got.cpu, got.peer, got.ours)
		}
		t.add(r, got, err)
	}
	t.print()
	return errors.Join(failed...)
}

// chosen reports whether a row is among those asked for; "3" names all of its kinds.
func chosen(only, id string) bool {
	if only == "" {
		return true
	}
	for o := range strings.SplitSeq(only, ",") {
		if o == id || strings.HasPrefix(id, o+" ") {
			return true
		}
	}
	return false
}
