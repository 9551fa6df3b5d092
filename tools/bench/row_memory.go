package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
)

// memoryRow is the peak memory of a search with coverage. The process tells it
// of itself: what the system reports to the parent includes the parent's own, from before
// the program was loaded.
func memoryRow() row {
	return row{id: "15", work: "peak memory of a search with coverage, one JSON file; MB", goal: 64, run: func(ctx context.Context, b *bench) (result, error) {
		if peak() == 0 {
			return result{}, &missing{"/proc/self/status", "run this row on Linux"}
		}
		p, err := b.file(ctx, jsonSet)
		if err != nil {
			return result{}, err
		}
		r, err := b.worker("search", wanted, p).run(ctx)
		if err != nil {
			return result{}, err
		}
		var kb int64
		_, after, _ := strings.Cut(string(r.said), peakWord)
		if _, err := fmt.Sscan(after, &kb); err != nil {
			return result{}, errors.New("the worker did not say its peak memory")
		}
		return result{measure: float64(kb) / 1000, value: fmt.Sprintf("%d MB", kb/1000), cpu: "–", peer: "–", ours: fmt.Sprintf("%.3f s", r.wall.Seconds())}, nil
	}}
}

const peakWord = "peak memory in kB:"

// peak returns the largest memory that this process had resident, in kB, and 0
// where the system does not tell.
func peak() (kb int64) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(b), "VmHWM:")
	if _, err := fmt.Sscan(after, &kb); err != nil {
		return 0
	}
	return kb
}
