package probes

import (
	"context"
	"slices"

	inv "inquest/investigations"
	"inquest/sources"
	"inquest/sources/catalog"
	"inquest/sources/wal"
)

// askRekeyed asks the table for the row under the last key that committed updates
// gave it, as WAL tells.
func askRekeyed(ctx context.Context, c *inv.Collector, s inv.Able[sources.Querier], t catalog.Table, m catalog.Match) error {
	key := laterKey(c, s.Source.Name(), t)
	if key == nil || len(key) != len(m.Parts) {
		return nil
	}
	m.Parts = slices.Clone(m.Parts)
	for i := range m.Parts {
		m.Parts[i].Text = key[i]
	}
	q := keyQuery(t, m)
	q.Note = "the row by the key that an update gave it"
	_, err := askOne(ctx, c, s, rowAsk{"rekeyed", t, q})
	return err
}

// laterKey is the last key that a committed update gave to a row of the table that
// had the asked one, nil when there is none.
func laterKey(c *inv.Collector, server string, t catalog.Table) []string {
	names := []string{t.DisplayName()}
	for _, leaf := range t.Stored() {
		names = append(names, leaf.DisplayName())
	}
	for _, l := range lineagesOf(inv.Input{Evidence: c.Runs["database.lineage"].Evidence}) {
		if l.server != server || l.noted(noteDiscarded) || l.noted(noteDropped) {
			continue
		}
		for _, e := range slices.Backward(l.Events) {
			x, _ := l.resolve(e.XID)
			if e.KeyChanged && e.NewKey != nil && slices.Contains(names, e.Table) && x != nil && x.State == wal.Committed && !sameKey(e.NewKey, c.Record.Values()) {
				return e.NewKey
			}
		}
	}
	return nil
}

// rekeyedFact states whether the table has a row under that key.
func rekeyedFact(table string, a answer, base func(inv.FactKind, string, ...string) inv.Fact) []inv.Fact {
	switch {
	case len(a.Rows) > 0:
		return []inv.Fact{base(inv.RowRekeyed, "a row of "+table+" has the key that an update gave the row", "found", "true", "xmin", a.Text(0, colXmin))}
	case a.Filtered:
		return nil // row-level security may hide it
	}
	return []inv.Fact{base(inv.RowRekeyed, "no row of "+table+" has the key that an update gave the row", "found", "false")}
}
