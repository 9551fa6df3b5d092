package main

import "context"

// twoHops finds the lines that name the id and then every line of their requests.
func twoHops() row {
	return row{id: "5", work: "two hops: id, then its requests", goal: 0.75, run: func(ctx context.Context, b *bench) (result, error) {
		p, err := b.file(ctx, jsonSet)
		if err != nil {
			return result{}, err
		}
		peer := shell(`rg --no-config -a -N -F ` + wanted + ` '` + p + `' | grep -o '"request_id":"[^"]*"' | cut -d'"' -f4 | sort -u >'` + p + `.ids'
rg --no-config -a -N -F -f '` + p + `.ids' '` + p + `'`)
		if err := need("rg"); err != nil {
			return result{}, err
		}
		return b.against(ctx, peer, b.worker("hops", wanted, p), sameLines)
	}}
}
