package probes

import (
	"context"

	inv "inquest/investigations"
	"inquest/sources/catalog"
)

// catalogue is the ability to say which tables can hold a key.
type catalogue interface {
	Candidates(ctx context.Context, key catalog.Key, limit int) ([]catalog.Table, error)
}

// candidates is what the tables probe stores of one server.
type candidates struct {
	Server string          `json:"server"`
	Tables []catalog.Table `json:"tables"`
	// Cut says that there were more than were asked for.
	Cut bool `json:"cut,omitempty"`

	evidence string
}

const evidenceTables = "tables"

// keyOf is the record's key as the driver wants it.
func keyOf(r inv.Record) catalog.Key {
	k := catalog.Key{ID: r.ID, Table: r.Table}
	for _, p := range r.Composite() {
		k.Parts = append(k.Parts, catalog.KeyPart{Column: p.Column, Value: p.Value})
	}
	return k
}

// ownKey returns the match by which a table can hold the record as a row of its
// own: its primary key or a unique key, else, for one value of a composite key,
// the first column of the primary key.
func ownKey(t catalog.Table) (catalog.Match, bool) {
	var best catalog.Match
	found := false
	for _, m := range t.Matches {
		switch {
		case m.Primary:
			return m, true
		case m.Unique && !found, partOfPrimary(t, m) && !found:
			best, found = m, true
		}
	}
	return best, found
}

func partOfPrimary(t catalog.Table, m catalog.Match) bool {
	if len(t.PrimaryKey) < 2 {
		return false
	}
	for _, p := range m.Parts {
		in := false
		for _, k := range t.PrimaryKey {
			in = in || k == p.AttNum
		}
		if !in {
			return false
		}
	}
	return len(m.Parts) > 0
}
