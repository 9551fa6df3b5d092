package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// table collects the rows and prints them as Markdown.
type table struct {
	w     io.Writer
	scale float64
	pairs int
	lines [][]string
}

func newTable(w io.Writer, scale float64, pairs int) *table {
	return &table{w: w, scale: scale, pairs: pairs}
}

func (t *table) add(r row, got result, err error) {
	goal := "–"
	if r.goal > 0 {
		goal = "≤ " + trim(r.goal)
		if r.least {
			goal = "≥ " + trim(r.goal)
		}
	}
	if err != nil {
		t.lines = append(t.lines, []string{r.id, r.work, goal, "not measured", "", "", "", strings.Join(strings.Fields(err.Error()), " ")})
		return
	}
	met := ""
	if r.goal > 0 {
		met = "missed"
		if got.measure <= r.goal != r.least {
			met = "met"
		}
	}
	note := strings.Trim(met+"; "+got.note, "; ")
	t.lines = append(t.lines, []string{r.id, r.work, goal, got.value, got.cpu, got.peer, got.ours, note})
}

func trim(f float64) string {
	return strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.3f", f), "0"), ".")
}

func (t *table) print() {
	fmt.Fprintf(t.w, "%s, %s\n", time.Now().UTC().Format("2006-01-02 15:04 UTC"), machine())
	fmt.Fprintf(t.w, "Sizes × %s, %d pairs a row; %s.\n\n", trim(t.scale), t.pairs, strings.Join(versions(), ", "))
	fmt.Fprintln(t.w, "| # | work | goal | ratio, median (range) | ratio of CPU time | peer | inquest | |")
	fmt.Fprintln(t.w, "|---|---|---|---|---|---|---|---|")
	for _, l := range t.lines {
		fmt.Fprintf(t.w, "| %s |\n", strings.Join(l, " | "))
	}
}

// machine names the processor and how many cores this process may use.
func machine() string {
	model := runtime.GOARCH
	b, _ := os.ReadFile("/proc/cpuinfo")
	for l := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(k) == "model name" {
			model = strings.TrimSpace(v)
			break
		}
	}
	return fmt.Sprintf("%d cores, %s, %s/%s, load %s", runtime.NumCPU(), model, runtime.GOOS, runtime.GOARCH, load())
}

// load is the system's load average when the table is printed, where it has one.
func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(b), " ")
	return first
}

// versions are the first lines that the programs print of themselves.
func versions() []string {
	out := []string{"inquest " + revision(), runtime.Version()}
	for _, c := range [][]string{{"rg", "--version"}, {"zgrep", "--version"}, {"zstd", "--version"}, {"lnav", "-V"}} {
		b, err := exec.Command(c[0], c[1:]...).Output()
		first, _, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
		if err != nil || first == "" {
			first = c[0] + " missing"
		}
		out = append(out, strings.Trim(first, "* "))
	}
	if in, err := installation(); err == nil {
		return append(out, "PostgreSQL "+in.Version)
	}
	return append(out, "no PostgreSQL with its tools")
}

func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "of an unknown revision"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(len(s.Value), 12)]
		}
	}
	return "of the working tree"
}
