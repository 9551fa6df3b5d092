package main

import "context"

// The window holds requests that name the id, whatever the scale.
const (
	windowFrom = "2025-11-27T14:50:00Z"
	windowTo   = "2025-11-27T15:00:00Z"
	windowText = "2025-11-27T14:5[0-9]"
)

// windowFind looks for the id in ten minutes out of the day. The peer's best is
// a regular expression over the minutes, which reads the whole file.
func windowFind() row {
	return row{id: "7", work: "an id in 10 minutes out of 24 h, sorted file", goal: 0.08, run: func(ctx context.Context, b *bench) (result, error) {
		p, err := b.file(ctx, jsonSet)
		if err != nil {
			return result{}, err
		}
		return b.against(ctx, rg(`^\{"time":"`+windowText+`.*`+wanted, p), b.worker("search", "-from", windowFrom, "-to", windowTo, wanted, p), sameLines)
	}}
}

// windowAll prints every line of the window; ours reads each of them in full,
// with its level, request, path and the other fields.
func windowAll() row {
	return row{id: "7 all", work: "every line of 10 minutes out of 24 h, read in full", run: func(ctx context.Context, b *bench) (result, error) {
		p, err := b.file(ctx, jsonSet)
		if err != nil {
			return result{}, err
		}
		return b.against(ctx, rg(`^\{"time":"`+windowText, p), b.worker("window", windowFrom, windowTo, p), sameLines)
	}}
}
