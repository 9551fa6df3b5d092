package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

var gigabyteSet = set{"gigabyte.log", 1000 * mb, 241, writeJSON}

// checklistRow runs the built program: the whole checklist on a live server,
// its WAL and a log.
func checklistRow() row {
	return row{id: "17", work: "the whole checklist: 1 GB of log, 1.5 GB of WAL, live server; seconds", goal: 10, run: func(ctx context.Context, b *bench) (result, error) {
		c, err := b.cluster(ctx)
		if err != nil {
			return result{}, err
		}
		log, err := b.file(ctx, gigabyteSet)
		if err != nil {
			return result{}, err
		}
		program := b.path("inquest")
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "inquest/cmd/inquest").CombinedOutput(); err != nil {
			return result{}, fmt.Errorf("build inquest: %w: %s", err, out)
		}
		var took []float64
		var last run
		for range b.pairs {
			home, err := os.MkdirTemp(b.dir, "cases-")
			if err != nil {
				return result{}, err
			}
			last, err = command{
				argv: []string{"env", "INQUEST_CASES=" + home, program, "run", wanted, "--db", "bench=" + c.dsn(), "--table", "dtro", "--logs", log, "--json", "--case", filepath.Join(home, "bench.inquest")},
				ok:   []int{3},
			}.run(ctx)
			if err != nil {
				return result{}, err
			}
			var found struct {
				Fate struct{ Kind, Standing string }
			}
			if err := json.Unmarshal(last.out, &found); err != nil || found.Fate.Kind != "deleted" || found.Fate.Standing != "established" {
				return result{}, fmt.Errorf("the record was deleted; inquest says %q, %q", found.Fate.Kind, found.Fate.Standing)
			}
			took = append(took, last.wall.Seconds())
		}
		m := median(took)
		return result{measure: m, value: fmt.Sprintf("%.1f s", m), cpu: "–", peer: "–", ours: fmt.Sprintf("cpu %.1f s", last.cpu.Seconds())}, nil
	}}
}
