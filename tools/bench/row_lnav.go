package main

import "context"

// lnavLoad compares the search with coverage to what lnav needs until it can
// answer at all: loading the file. It is an access log because lnav knows that format and
// reads the time of every line of it, too.
func lnavLoad() row {
	return row{id: "4", work: "find + coverage, access log, against loading in lnav", goal: 0.025, run: func(ctx context.Context, b *bench) (result, error) {
		p, err := b.file(ctx, accessSet)
		if err != nil {
			return result{}, err
		}
		lnav := command{argv: []string{"lnav", "-n", "-c", ":filter-in " + wanted, p}}
		return b.against(ctx, lnav, b.worker("search", wanted, p), sameLines)
	}}
}
