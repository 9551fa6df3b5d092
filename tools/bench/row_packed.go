package main

import (
	"context"
	"fmt"
)

// packedOne searches a compressed file, with coverage.
func packedOne(ext string, goal float64) row {
	return row{id: "8 " + ext[1:], work: "one " + ext + ", with coverage", goal: goal, run: func(ctx context.Context, b *bench) (result, error) {
		p, err := b.single(ctx, ext)
		if err != nil {
			return result{}, err
		}
		peer := command{argv: []string{"zgrep", "-F", wanted, p}}
		if ext == ".zst" {
			peer = rg("-z", "-F", wanted, p)
			if err := need("zstd"); err != nil {
				return result{}, err
			}
		}
		return b.against(ctx, peer, b.worker("search", wanted, p), sameLines)
	}}
}

// packedEight searches eight rotations of one log.
func packedEight() row {
	return row{id: "8 rotated", work: "8 rotated .gz, with coverage", goal: 0.75, run: func(ctx context.Context, b *bench) (result, error) {
		files, err := b.rotated(ctx, ".gz")
		if err != nil {
			return result{}, err
		}
		return b.against(ctx, rg(append([]string{"-z", "-j2", "-F", wanted}, files...)...), b.worker("search", wanted, b.path("rotated.gz")), sameLines)
	}}
}

// packedWindow asks for a window that lies in one of the rotations; the peer
// is inquest searching all of them.
func packedWindow() row {
	return row{id: "9", work: "a window in one of 8 rotated .gz", goal: 0.20, run: func(ctx context.Context, b *bench) (result, error) {
		if _, err := b.rotated(ctx, ".gz"); err != nil {
			return result{}, err
		}
		dir := b.path("rotated.gz")
		all := b.worker("search", wanted, dir)
		one := b.worker("search", "-from", "2025-11-27T10:20:00Z", "-to", "2025-11-27T10:40:00Z", wanted, dir)
		r, err := b.against(ctx, all, one, func(all, one []byte) error {
			if err := linesAmong(one, all); err != nil && len(one) > 0 {
				return fmt.Errorf("the window holds what the whole does not: %w", err)
			}
			return nil
		})
		r.note = "peer: inquest on all of them"
		return r, err
	}}
}
