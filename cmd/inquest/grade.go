package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"inquest/investigations/drills"
)

// graded is one drill with how its answer came out.
type graded struct {
	drill drills.Drill
	grade drills.Grade
	err   error // the incident could not be made or investigated
	took  time.Duration
}

// gradeAll plays every drill, investigates each and prints how the answers came
// out: overclaims first, for a confident wrong answer is the worst.
func (p *program) gradeAll(ctx context.Context, names []string) error {
	if err := checkLists(); err != nil {
		return err
	}
	if !serverFound() {
		return usage("grading makes every incident for real and needs a PostgreSQL server binary: install postgresql")
	}
	var list []drills.Drill
	for _, d := range drills.List() {
		if len(names) == 0 || slices.Contains(names, d.ID) {
			list = append(list, d)
		}
	}
	if len(list) == 0 {
		return usage("there is no drill %q: inquest drill list names them", names[0])
	}
	all := p.playAll(ctx, list)
	if ctx.Err() != nil {
		return &exit{status: exitInterrupted, cause: errors.New("interrupted")}
	}
	return p.printGrades(all)
}

// gradedAtOnce is how many drills are played at a time: most of a drill is waiting.
const gradedAtOnce = 2

// playAll grades the drills and returns them in the same order. It starts no
// further one when the context ends.
func (p *program) playAll(ctx context.Context, list []drills.Drill) []graded {
	show := newProgress(p.err, false)
	all := make([]graded, len(list))
	var mu sync.Mutex // of show
	var wg sync.WaitGroup
	next := make(chan int)
	for range gradedAtOnce {
		wg.Go(func() {
			for i := range next {
				g := p.gradeOne(ctx, list[i])
				all[i] = g
				mu.Lock()
				show.line("drill   %-24s %s (%s)", g.drill.ID, g.word(), g.took.Round(100*time.Millisecond))
				mu.Unlock()
			}
		})
	}
	for i := range list {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	return all
}

func (p *program) gradeOne(ctx context.Context, d drills.Drill) graded {
	start := p.now()
	g := graded{drill: d}
	st, err := stage(ctx, p, d, func(string) {})
	if err != nil {
		g.err = err
		return g
	}
	err = st.session.Run(ctx, nil, nil)
	a := st.session.Assessment()
	g.err = errors.Join(err, st.session.Close())
	g.grade = d.Truth.Grade(a.Fate, a.Hypotheses)
	g.took = p.now().Sub(start)
	return g
}

func (g graded) word() string {
	switch {
	case g.err != nil:
		return "FAILED: " + g.err.Error()
	case g.grade.Overclaim:
		return g.grade.Says // says so itself
	case !g.grade.Right():
		return "wrong: " + g.grade.Says
	}
	return "right"
}

func (p *program) printGrades(all []graded) error {
	count := func(ok func(graded) bool) int {
		return len(slices.DeleteFunc(slices.Clone(all), func(g graded) bool { return !ok(g) }))
	}
	overclaims := count(func(g graded) bool { return g.err == nil && g.grade.Overclaim })
	fmt.Fprintf(p.out, "overclaims: %d of %d\n", overclaims, len(all))
	for _, part := range []func(graded) bool{
		func(g graded) bool { return g.err == nil && g.grade.Overclaim },
		func(g graded) bool { return g.err == nil && !g.grade.Overclaim && !g.grade.Right() },
		func(g graded) bool { return g.err != nil },
	} {
		for _, g := range all {
			if part(g) {
				fmt.Fprintf(p.out, "  %-24s %s\n", g.drill.ID, g.word())
			}
		}
	}
	var took time.Duration
	for _, g := range all {
		took += g.took
	}
	right := count(func(g graded) bool { return g.err == nil && g.grade.Right() })
	fmt.Fprintf(p.out, "fate:       %d of %d\n", count(func(g graded) bool { return g.err == nil && g.grade.FateRight }), len(all))
	fmt.Fprintf(p.out, "cause:      %d of %d\n", count(func(g graded) bool { return g.err == nil && g.grade.CauseRight }), len(all))
	fmt.Fprintf(p.out, "mechanism:  %d of %d\n", count(func(g graded) bool { return g.err == nil && g.grade.MechanismRight }), len(all))
	fmt.Fprintf(p.out, "time:       %s for %d drills\n", took.Round(100*time.Millisecond), len(all))
	if right != len(all) {
		return &exit{status: 1, cause: fmt.Errorf("%d of %d drills did not come out right", len(all)-right, len(all))}
	}
	return nil
}
