package probes

import (
	"context"
	"slices"

	inv "inquest/investigations"
	"inquest/sources"
	"inquest/sources/catalog"
)

// placeFinder is the ability to look for an id in many tables at once.
type placeFinder interface {
	Places(ctx context.Context, key catalog.Key) (*catalog.Places, error)
	FindIn(ctx context.Context, places []catalog.Place, id string) (*catalog.Elsewhere, error)
}

// evidenceFar is a catalog.Elsewhere: what was found by key in the tables of which
// not everything is asked.
const evidenceFar = "far"

// askFar looks for the row by its key alone in the own tables that are not close,
// many at a time, and returns those that have it.
func askFar(ctx context.Context, c *inv.Collector, s inv.Able[sources.Querier], near []catalog.Table) ([]catalog.Table, error) {
	finder, ok := s.Source.(placeFinder)
	far := slices.DeleteFunc(ownTables(c, s.Source.Name()), func(t catalog.Table) bool {
		return slices.ContainsFunc(near, func(n catalog.Table) bool { return n.OID == t.OID })
	})
	if len(far) == 0 || len(keyOf(c.Record).Parts) > 0 {
		return far, nil // not many tables have all columns of a composite key
	}
	if !ok {
		c.Blind(s.Source.Name()+": "+plural(len(far), "more table")+" could not be asked", "name the table with --table")
		return nil, nil
	}
	places, err := finder.Places(ctx, keyOf(c.Record))
	if err != nil {
		blindTo(c, s.Source.Name(), err)
		return nil, ctx.Err()
	}
	keys := slices.DeleteFunc(places.List, func(p catalog.Place) bool {
		return !slices.ContainsFunc(far, func(t catalog.Table) bool {
			m, _ := ownKey(t)
			return t.OID == p.OID && m.Parts[0].AttNum == p.AttNum
		})
	})
	found, err := finder.FindIn(ctx, keys, c.Record.ID)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		blindTo(c, s.Source.Name(), err)
	}
	if found == nil {
		return nil, nil
	}
	for _, skipped := range found.Skipped {
		c.Blind(s.Source.Name()+": "+display(skipped.Place)+": "+skipped.Why, skipped.Opens)
	}
	if err := c.Keep(evidenceFar, s.Source.Name(), "the id in the keys of "+plural(len(found.Looked), "further table"), "", found); err != nil {
		return nil, err
	}
	var hit []catalog.Table
	for _, t := range far {
		if slices.ContainsFunc(found.Hits, func(h catalog.PlaceHit) bool { return h.OID == t.OID }) {
			hit = append(hit, t)
		}
	}
	return hit, nil
}

func display(p catalog.Place) string { return p.Schema + "." + p.Table }

// farFacts states which of those tables do not have the row. One that has it was
// asked in full.
func farFacts(e inv.Evidence) []inv.Fact {
	var found catalog.Elsewhere
	if e.Decode(&found) != nil {
		return nil
	}
	var out []inv.Fact
	for _, p := range found.Looked {
		here := func(o catalog.Place) bool { return o.OID == p.OID }
		filtered := slices.ContainsFunc(found.Skipped, func(s catalog.SkippedPlace) bool { return s.Filtered && here(s.Place) })
		if filtered || slices.ContainsFunc(found.Hits, func(h catalog.PlaceHit) bool { return here(h.Place) }) {
			continue
		}
		out = append(out, inv.Fact{
			Kind: inv.RowAbsent, Ground: inv.GroundTruth, Evidence: []string{e.ID}, Time: e.CollectedAt, Says: "no row of " + display(p) + " has the key",
			Attrs: map[string]string{"table": display(p), "server": e.Source, "via": "key"},
		})
	}
	return out
}

// farAsked is how many tables were asked so.
func farAsked(in inv.Input) int {
	n := 0
	for _, e := range in.Evidence {
		if e.Kind == evidenceFar {
			n += len(farFacts(e))
		}
	}
	return n
}
