package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
)

// row is one line of the table.
type row struct {
	id, work string
	// goal is the most that the measure of the row may be; zero: it has none.
	goal float64
	// least turns the goal round: the measure must be at least that.
	least bool
	run   func(ctx context.Context, b *bench) (result, error)
}

// rows are the lines of the table, in its order. A new one is a file with a
// function and a line here.
func rows() []row {
	return []row{
		findOne(),
		findEight(),
		coverRow("3 json", "JSON", jsonSet, 1.0),
		coverRow("3 access", "access log", accessSet, 2.5),
		coverRow("3 csvlog", "csvlog", csvSet, 4),
		coverRow("3 jsonlog", "jsonlog", jsonlogSet, 0),
		coverRow("3 logfmt", "logfmt", logfmtSet, 0),
		coverRow("3 syslog", "syslog", syslogSet, 0),
		coverUgly(),
		lnavLoad(),
		twoHops(),
		manyIDs(),
		windowFind(),
		windowAll(),
		packedOne(".gz", 0.70),
		packedEight(),
		packedOne(".zst", 1.15),
		packedWindow(),
		walTrace(),
		walCheck(),
		walOverSQL(),
		memoryRow(),
		firstRow(),
		cancelRow(),
		checklistRow(),
	}
}

// bench is what a row works with.
type bench struct {
	*store
	pairs int
	self  string // the program itself, to be started as a worker
}

// worker is a process of inquest's packages; see worker.go.
func (b *bench) worker(args ...string) command {
	return command{argv: append([]string{b.self, "worker"}, args...)}
}

// result is what a row measured.
type result struct {
	measure float64 // what the goal is compared with
	value   string  // the measure for people, such as "0.61 (0.55–0.70)"
	cpu     string
	peer    string
	ours    string
	note    string
}

// missing is a peer that is not installed.
type missing struct{ program, install string }

func (m *missing) Error() string {
	return fmt.Sprintf("%s is not on this machine: %s", m.program, m.install)
}

// need reports the first program that is missing.
func need(programs ...string) error {
	install := map[string]string{
		"rg": "apt-get install ripgrep", "lnav": "apt-get install lnav", "zgrep": "apt-get install gzip", "zstd": "apt-get install zstd",
		"pg_waldump": "apt-get install postgresql, or tools/pgversions 17", "pgbench": "apt-get install postgresql-contrib, or tools/pgversions 17",
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); errors.Is(err, exec.ErrNotFound) {
			return &missing{p, install[p]}
		}
	}
	return nil
}

// against measures ours against the peer and writes both down.
func (b *bench) against(ctx context.Context, peer, ours command, same same) (result, error) {
	if err := need(peer.argv[0]); err != nil {
		return result{}, err
	}
	c, err := compare(ctx, b.pairs, peer, ours, same)
	if err != nil {
		return result{}, err
	}
	return result{
		measure: c.wall,
		value:   fmt.Sprintf("%.2f (%.2f–%.2f)", c.wall, c.low, c.high),
		cpu:     fmt.Sprintf("%.2f", c.cpu),
		peer:    fmt.Sprintf("%.3f s, cpu %.3f s", c.peer.Seconds(), c.peerCPU.Seconds()),
		ours:    fmt.Sprintf("%.3f s, cpu %.3f s", c.ours.Seconds(), c.oursCPU.Seconds()),
	}, nil
}
