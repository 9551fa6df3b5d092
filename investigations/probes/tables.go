package probes

import (
	"context"

	inv "inquest/investigations"
	"inquest/sources/postgres"
)

// catalogue is the ability to say which tables can hold a key.
type catalogue interface {
	Candidates(ctx context.Context, key postgres.Key, limit int) ([]postgres.TableInfo, error)
}

// candidates is what the tables probe stores of one server.
type candidates struct {
	Server string               `json:"server"`
	Tables []postgres.TableInfo `json:"tables"`
	// Cut says that there were more than were asked for.
	Cut bool `json:"cut,omitempty"`

	evidence string
}

const evidenceTables = "tables"

// keyOf is the record's key as the driver wants it.
func keyOf(r inv.Record) postgres.Key {
	k := postgres.Key{ID: r.ID, Table: r.Table}
	for _, p := range r.Composite() {
		k.Parts = append(k.Parts, postgres.KeyPart{Column: p.Column, Value: p.Value})
	}
	return k
}

// ownKey returns the match by which a table can hold the record as a row of its
// own: its primary key or a unique key, else, for one value of a composite key,
// the first column of the primary key.
func ownKey(t postgres.TableInfo) (postgres.Match, bool) {
	var best postgres.Match
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

func partOfPrimary(t postgres.TableInfo, m postgres.Match) bool {
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
