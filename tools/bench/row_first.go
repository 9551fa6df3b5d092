package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// firstRow is how much of a file is searched when the first hit is told, of a file
// whose first hit lies in its first tenth: a part of its bytes, not a time.
func firstRow() row {
	return row{id: "16", work: "first hit told, of a search with coverage: part of the file done", goal: 0.25, run: func(ctx context.Context, b *bench) (result, error) {
		p, err := b.file(ctx, jsonSet)
		if err != nil {
			return result{}, err
		}
		r, err := b.worker("first", wanted, p).run(ctx)
		if err != nil {
			return result{}, err
		}
		var lies, told float64
		_, after, _ := strings.Cut(string(r.said), firstWord)
		if _, err := fmt.Sscan(after, &lies, &told); err != nil {
			return result{}, errors.New("the worker did not say when it was told of the first hit")
		}
		if lies > 0.1 {
			return result{}, fmt.Errorf("the first hit lies after %.2f of the file, not in its first tenth", lies)
		}
		return result{measure: told, value: fmt.Sprintf("%.3f (it lies after %.3f)", told, lies), cpu: "–", peer: "–", ours: fmt.Sprintf("%.3f s", r.wall.Seconds())}, nil
	}}
}

const firstWord = "first hit, lies and told after:"
