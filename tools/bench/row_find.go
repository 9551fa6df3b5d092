package main

import "context"

// findOne is the byte search alone: no line is read but those that hit.
func findOne() row {
	return row{id: "1", work: "find an id in one JSON file", goal: 0.70, run: func(ctx context.Context, b *bench) (result, error) {
		p, err := b.file(ctx, jsonSet)
		if err != nil {
			return result{}, err
		}
		return b.against(ctx, rg("-F", wanted, p), b.worker("find", wanted, p), sameLines)
	}}
}

// findEight is the same in eight files, one worker a core on both sides.
func findEight() row {
	return row{id: "2", work: "the same in 8 files", goal: 1.15, run: func(ctx context.Context, b *bench) (result, error) {
		files, err := b.rotated(ctx, "")
		if err != nil {
			return result{}, err
		}
		return b.against(ctx, rg(append([]string{"-j2", "-F", wanted}, files...)...), b.worker(append([]string{"find", wanted}, files...)...), sameLines)
	}}
}

// rg is ripgrep printing bare lines, whatever its user configured.
func rg(args ...string) command {
	return command{argv: append([]string{"rg", "--no-config", "-a", "-N", "-I", "--no-heading", "--color=never"}, args...)}
}
