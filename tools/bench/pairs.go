package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// command is a process to time.
type command struct {
	argv []string
	ok   []int // exit statuses beside 0 that are no failure, such as 1 for "nothing found"
}

// shell runs a pipeline; paths in it must be quoted by the caller.
func shell(script string) command { return command{argv: []string{"sh", "-c", script}} }

// run is what one whole process took and printed.
type run struct {
	wall, cpu time.Duration
	out, said []byte // on standard output and standard error
}

// run starts the process, reads all that it prints through a pipe and waits.
func (c command) run(ctx context.Context) (run, error) {
	cmd := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...)
	var out, problems bytes.Buffer
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return run{}, err
	}
	cmd.Stderr = &problems
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return run{}, err
	}
	_, copied := io.Copy(&out, pipe)
	err = cmd.Wait()
	r := run{wall: time.Since(begin), out: out.Bytes(), said: problems.Bytes()}
	var exit *exec.ExitError
	if errors.As(err, &exit) && slices.Contains(c.ok, exit.ExitCode()) {
		err = nil
	}
	if err = errors.Join(err, copied); err != nil {
		return r, fmt.Errorf("%s: %w: %s", strings.Join(c.argv, " "), err, bytes.TrimSpace(problems.Bytes()))
	}
	r.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return r, nil
}

// compared is the outcome of a row that runs a peer and inquest in turn.
type compared struct {
	wall, cpu        float64 // medians of inquest / peer, pair by pair
	low, high        float64 // extremes of the wall ratio
	peer, ours       time.Duration
	peerCPU, oursCPU time.Duration
}

// same reports why two outputs do not show the same finds.
type same func(peer, ours []byte) error

// compare runs both once unmeasured, checks that they found the same, and
// then measures them in turn: A B A B.
func compare(ctx context.Context, pairs int, peer, ours command, same same) (compared, error) {
	var c compared
	var walls, cpus, pw, ow, pc, oc []float64
	for i := range pairs + 1 {
		a, err := peer.run(ctx)
		if err != nil {
			return c, err
		}
		b, err := ours.run(ctx)
		if err != nil {
			return c, err
		}
		if err := same(a.out, b.out); err != nil {
			return c, fmt.Errorf("not the same was found: %w", err)
		}
		if i == 0 {
			continue
		}
		walls = append(walls, b.wall.Seconds()/a.wall.Seconds())
		cpus = append(cpus, b.cpu.Seconds()/max(a.cpu.Seconds(), 0.001))
		pw, ow = append(pw, a.wall.Seconds()), append(ow, b.wall.Seconds())
		pc, oc = append(pc, a.cpu.Seconds()), append(oc, b.cpu.Seconds())
	}
	c.wall, c.cpu = median(walls), median(cpus)
	c.low, c.high = slices.Min(walls), slices.Max(walls)
	c.peer, c.ours, c.peerCPU, c.oursCPU = seconds(median(pw)), seconds(median(ow)), seconds(median(pc)), seconds(median(oc))
	return c, nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// sameLines demands the same lines, in any order, and at least one.
func sameLines(peer, ours []byte) error {
	a, b := sortedLines(peer), sortedLines(ours)
	if len(a) == 0 {
		return errors.New("the peer found nothing")
	}
	if len(a) != len(b) {
		return fmt.Errorf("the peer printed %d lines, inquest %d", len(a), len(b))
	}
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return fmt.Errorf("the peer printed %.120q, inquest %.120q", a[i], b[i])
		}
	}
	return nil
}

func sortedLines(b []byte) [][]byte {
	var out [][]byte
	for l := range bytes.Lines(b) {
		out = append(out, bytes.TrimRight(l, "\r\n"))
	}
	slices.SortFunc(out, bytes.Compare)
	return out
}

// linesAmong demands that every line of the peer is one of ours.
func linesAmong(peer, ours []byte) error {
	have := map[string]bool{}
	for _, l := range sortedLines(bytes.ToValidUTF8(ours, []byte("\uFFFD"))) {
		have[string(l)] = true
	}
	lines := sortedLines(bytes.ToValidUTF8(peer, []byte("\uFFFD")))
	if len(lines) == 0 {
		return errors.New("the peer found nothing")
	}
	for _, l := range lines {
		if !have[string(l)] {
			return fmt.Errorf("the peer's %.200q is not among inquest's lines", l)
		}
	}
	return nil
}
