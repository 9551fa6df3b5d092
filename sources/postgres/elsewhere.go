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

// Elsewhere is where an id was found, and where could not be looked.
type Elsewhere struct {
	Hits []PlaceHit `json:"hits,omitempty"`
	// Looked are the places that were read.
	Looked  []Place        `json:"looked,omitempty"`
	Skipped []SkippedPlace `json:"skipped,omitempty"`
}

// PlaceHit is a row that holds the id in a place.
type PlaceHit struct {
	Place
	Relation string `json:"relation"` // the partition that holds it, when it is one
	TID      string `json:"ctid"`
	Xmin     string `json:"xmin"`
}

// SkippedPlace is a place that was not read, and why.
type SkippedPlace struct {
	Place
	Why      string `json:"why"`
	Opens    string `json:"opens,omitempty"`
	Filtered bool   `json:"filtered,omitempty"` // it was read, under row-level security
}

const (
	placesPerQuery = 25
	hitsPerPlace   = 5
)

// FindIn looks for the id in places: the indexed ones many at a time, the others
// one by one as far as the budget's ScanBytes allow for all of them together.
// It sends ordinary SELECTs: call it last.
func (s *Server) FindIn(ctx context.Context, places []Place, id string) (*Elsewhere, error) {
	out := &Elsewhere{}
	var indexed, others []Place
	for _, p := range places {
		switch {
		case p.Kind == "f":
			out.skip(p, "a foreign table is not entered", "name that server: --db")
		case !p.CanSelect:
			out.skip(p, "the role may not read it", grant("SELECT ON "+p.FullName()+" TO "+catalog.QuoteIdent(s.cfg.User)))
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
	left := s.opt.Budget.ScanBytes
	for _, p := range others {
		if s.opt.Budget.ScanBytes >= 0 && p.Bytes > left {
			out.skip(p, fmt.Sprintf("no index begins with it, and reading its %d MB is above the budget", p.Bytes>>20), "--budget large")
			continue
		}
		left -= p.Bytes
		if err := s.findBatch(ctx, out, []Place{p}, id); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (e *Elsewhere) skip(p Place, why, opens string) {
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
		out.skip(places[0], b.Why, b.Opens)
		return nil
	}
	out.skip(places[0], err.Error(), "")
	return nil
}

func findSQL(places []Place) string {
	parts := make([]string, len(places))
	for i, p := range places {
		parts[i] = fmt.Sprintf("(select %d as place, t.tableoid::regclass::text as relation, t.ctid::text as ctid, t.xmin::text as xmin from %s t where t.%s %s limit %d)",
			i, p.FullName(), catalog.QuoteIdent(p.Column), condition(p), hitsPerPlace)
	}
	return strings.Join(parts, "\nunion all ")
}

// condition compares the place's column with the first parameter.
func condition(p Place) string {
	switch p.Base {
	case "citext":
		schema := catalog.QuoteIdent(p.TypeSchema)
		return "operator(" + schema + ".=) $1::text::" + schema + ".citext"
	case "text", "varchar", "name":
		return "= $1::text"
	}
	return "= $1::text::" + p.Base
}
