package main

import "context"

// coverRow is the whole search of a log in one pass: the id in all its
// spellings, the time of every line, the histogram, the gaps, and the hits read in full.
func coverRow(id, name string, t set, goal float64) row {
	return row{id: id, work: "find + coverage, " + name, goal: goal, run: func(ctx context.Context, b *bench) (result, error) {
		p, err := b.file(ctx, t)
		if err != nil {
			return result{}, err
		}
		return b.against(ctx, rg("-F", wanted, p), b.worker("search", wanted, p), sameLines)
	}}
}

// coverUgly is the same on stack traces, mixed formats, disorder and skew.
// Where a record has several lines ours prints all of them, so the peer's lines must be among them.
func coverUgly() row {
	return row{id: "3 ugly", work: "find + coverage, ugly data", run: func(ctx context.Context, b *bench) (result, error) {
		p, err := b.ugly(ctx)
		if err != nil {
			return result{}, err
		}
		return b.against(ctx, rg("-F", wanted, p), b.worker("search", wanted, p), linesAmong)
	}}
}
