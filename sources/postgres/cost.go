package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"inquest/sources"
	"inquest/sources/catalog"
)

// plan is a node of EXPLAIN (FORMAT JSON).
type plan struct {
	Type     string  `json:"Node Type"`
	Schema   string  `json:"Schema"`
	Relation string  `json:"Relation Name"`
	Cost     float64 `json:"Total Cost"`
	Plans    []plan  `json:"Plans"`
}

// withinBudget asks the planner what the query would read and refuses more than
// the budget's ScanBytes.
func (t *tx) withinBudget(ctx context.Context, q sources.Query) error {
	limit := t.s.opt.Budget.ScanBytes
	if limit < 0 {
		return nil
	}
	bytes, err := t.estimate(ctx, q.SQL, q.Args...)
	if err != nil {
		return err
	}
	if bytes <= limit {
		return nil
	}
	return &sources.Blind{
		Why:   fmt.Sprintf("not run: it would read about %d MB, and the budget is %d MB", bytes>>20, limit>>20),
		Opens: "--budget large, or name the table with --table",
	}
}

// estimate returns how many bytes a statement would read at most: the whole
// size of what it scans in sequence, and the planner's cost of the rest in
// pages.
func (t *tx) estimate(ctx context.Context, sql string, args ...string) (int64, error) {
	tab, err := t.table(ctx, "explain (format json, verbose) "+sql, 0, args...)
	if err != nil {
		return 0, err
	}
	var lines []string
	for _, row := range tab.Rows {
		if len(row) == 1 && row[0] != nil {
			lines = append(lines, *row[0])
		}
	}
	var out []struct{ Plan plan }
	if err := json.Unmarshal([]byte(strings.Join(lines, "\n")), &out); err != nil || len(out) != 1 {
		return 0, fmt.Errorf("read the plan: %w", err)
	}
	root := out[0].Plan
	var names []string
	seqCost := seqScans(root, &names)
	size, err := t.relationSizes(ctx, names)
	const page = 8192
	return size + int64(max(root.Cost-seqCost, 0)*page), err
}

// seqScans collects the relations scanned in sequence and sums the scans' cost.
func seqScans(p plan, names *[]string) float64 {
	cost := 0.0
	if p.Relation != "" && (p.Type == "Seq Scan" || p.Type == "Sample Scan" || p.Type == "Parallel Seq Scan") {
		*names = append(*names, catalog.QuoteIdent(p.Schema)+"."+catalog.QuoteIdent(p.Relation))
		cost = p.Cost
	}
	for _, sub := range p.Plans {
		cost += seqScans(sub, names)
	}
	return cost
}

func (t *tx) relationSizes(ctx context.Context, names []string) (int64, error) {
	if len(names) == 0 {
		return 0, nil
	}
	tab, err := t.table(ctx, "select coalesce(sum(pg_relation_size(to_regclass(n))), 0)::bigint as size from unnest($1::text[]) n", 1, textArray(names))
	if err != nil {
		return 0, err
	}
	return number(tab, 0, "size"), nil
}
