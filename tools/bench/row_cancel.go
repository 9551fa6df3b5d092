package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"
)

// cancelRow interrupts searches on their way and measures until the process
// has ended: a plain file, a packed one, and one whose every line is read in full.
func cancelRow() row {
	return row{id: "cancel", work: "from the interrupt to the end of the process, the slowest; ms", goal: 100, run: func(ctx context.Context, b *bench) (result, error) {
		plain, err := b.file(ctx, jsonSet)
		if err != nil {
			return result{}, err
		}
		packed, err := b.single(ctx, ".gz")
		if err != nil {
			return result{}, err
		}
		var took []float64
		for range b.pairs {
			for _, c := range []command{b.worker("search", wanted, plain), b.worker("search", wanted, packed), b.worker("window", windowFrom, "2025-11-27T23:00:00Z", plain)} {
				ms, ended, err := c.interrupt(ctx, 60*time.Millisecond)
				if err != nil {
					return result{}, err
				}
				if !ended {
					took = append(took, ms)
				}
			}
		}
		if len(took) == 0 {
			return result{}, &missing{"a search that lasts 60 ms", "take a larger scale"}
		}
		slowest := slices.Max(took)
		return result{measure: slowest, value: fmt.Sprintf("%.0f ms (median %.0f ms of %d)", slowest, median(took), len(took)), cpu: "–", peer: "–", ours: "–"}, nil
	}}
}

// interrupt starts the process, interrupts it after a while and returns the
// milliseconds until it had ended; ended tells that it was done before.
func (c command) interrupt(ctx context.Context, after time.Duration) (ms float64, ended bool, err error) {
	cmd := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, false, err
	}
	if err := cmd.Start(); err != nil {
		return 0, false, err
	}
	time.Sleep(after)
	begin := time.Now()
	_ = cmd.Process.Signal(os.Interrupt) // it may have ended
	_, _ = io.Copy(io.Discard, out)
	err = cmd.Wait()
	return float64(time.Since(begin).Microseconds()) / 1000, err == nil, nil
}
