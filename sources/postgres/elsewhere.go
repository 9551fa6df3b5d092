package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"inquest/sources"
	"inquest/sources/catalog"
)

// What a search finds, as package catalog describes it.
type (
	// Elsewhere is catalog's type.
	Elsewhere = catalog.Elsewhere
	// PlaceHit is catalog's type.
	PlaceHit = catalog.PlaceHit
	// SkippedPlace is catalog's type.
	SkippedPlace = catalog.SkippedPlace
)

const (
	placesPerQuery = 25
	hitsPerPlace   = 5
)

// FindIn looks for the id in places: the indexed ones many at a time, the others
// one by one as far as the budget's ScanBytes allow for all of them together.
// It sends ordinary SELECTs: call it last.
func (s *Server) FindIn(ctx context.Context, places []Place, id string) (*Elsewhere, error) {
	left := s.opt.Budget.ScanBytes
	return s.findWithin(ctx, places, id, &left)
}

// findWithin is FindIn with the bytes that may still be read without an index.
func (s *Server) findWithin(ctx context.Context, places []Place, id string, left *int64) (*Elsewhere, error) {
	out := &Elsewhere{}
	var indexed, others []Place
	for _, p := range places {
		switch {
		case p.Kind == "f":
			skip(out, p, "a foreign table is not entered", "name that server: --db")
		case !p.CanSelect:
			s.affordable(out, p, left)
		case p.Indexed():
			indexed = append(indexed, p)
		default:
			others = append(others, p)
		}
	}
	for len(indexed) > 0 {
		n := min(placesPerQuery, len(indexed))
		if err := s.findBatch(ctx, out, indexed[:n], id); err != nil {
			return out, err
		}
		indexed = indexed[n:]
	}
	for _, p := range others {
		if !s.affordable(out, p, left) {
			continue
		}
		if err := s.findBatch(ctx, out, []Place{p}, id); err != nil {
			return out, err
		}
	}
	return out, nil
}

func skip(e *Elsewhere, p Place, why, opens string) {
	e.Skipped = append(e.Skipped, SkippedPlace{Place: p, Why: why, Opens: opens})
}

// findBatch looks in several places with one statement; when that fails, in each
// alone, so that one table in the way does not hide the others.
func (s *Server) findBatch(ctx context.Context, out *Elsewhere, places []Place, id string) error {
	tab, err := s.Query(ctx, sources.Query{SQL: findSQL(places), Args: []string{id}, Note: "the id in other tables", Scans: true})
	if err != nil {
		return s.findSingly(ctx, out, places, id, err)
	}
	for i := range tab.Rows {
		n, _ := strconv.Atoi(tab.Text(i, "place"))
		out.Hits = append(out.Hits, PlaceHit{Place: places[n], Relation: tab.Text(i, "relation"), TID: tab.Text(i, "ctid"), Xmin: tab.Text(i, "xmin")})
	}
	if tab.Filtered {
		for _, p := range places {
			out.Skipped = append(out.Skipped, SkippedPlace{Place: p, Filtered: true, Why: "read under row-level security, which may hide rows", Opens: "a role with BYPASSRLS"})
		}
	}
	out.Looked = append(out.Looked, places...)
	return nil
}

func (s *Server) findSingly(ctx context.Context, out *Elsewhere, places []Place, id string, err error) error {
	if ctx.Err() != nil {
		return err
	}
	if len(places) > 1 {
		for i := range places {
			if err := s.findBatch(ctx, out, places[i:i+1], id); err != nil {
				return err
			}
		}
		return nil
	}
	var b *sources.Blind
	if errors.As(err, &b) {
		skip(out, places[0], b.Why, b.Opens)
		return nil
	}
	skip(out, places[0], err.Error(), "")
	return nil
}

func findSQL(places []Place) string {
	parts := make([]string, len(places))
	for i, p := range places {
		parts[i] = fmt.Sprintf("(select %d as place, t.tableoid::regclass::text as relation, t.ctid::text as ctid, t.xmin::text as xmin from %s t where %s limit %d)",
			i, p.FullName(), condition(p), hitsPerPlace)
	}
	return strings.Join(parts, "\nunion all ")
}

// condition compares the place's column with the first parameter; arrays and
// documents are searched for it.
func condition(p Place) string {
	column := "t." + catalog.QuoteIdent(p.Column)
	switch p.Base {
	case "citext":
		schema := catalog.QuoteIdent(p.TypeSchema)
		return column + " operator(" + schema + ".=) $1::text::" + schema + ".citext"
	case "text", "varchar", "name":
		return column + " = $1::text"
	case "_uuid", "_text", "_varchar", "_bpchar", "_int4", "_int8":
		return "lower($1::text) = any(lower(" + column + "::text)::text[])"
	case "bytea": // a uuid as its 16 bytes
		return column + ` in ($1::text::bytea, case when $1::text ~ '^[{]?[[:xdigit:]-]{32,36}[}]?$' and length(regexp_replace($1::text, '[{}-]', '', 'g')) = 32 then decode(regexp_replace($1::text, '[{}-]', '', 'g'), 'hex') end)`
	case "json", "jsonb", "hstore", "xml":
		return column + `::text ~* ('(^|[^[:alnum:]_])' || regexp_replace($1::text, '([^[:alnum:]])', '\\\1', 'g') || '($|[^[:alnum:]_])')`
	}
	return column + " = $1::text::" + p.Base
}
