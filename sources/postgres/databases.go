package postgres

import (
	"context"
	"errors"
	"fmt"

	"inquest/sources"
	"inquest/sources/catalog"
)

// nearTables bounds the tables of another database that are searched for near misses.
const nearTables = 5

const closedDatabasesSQL = `select datname from pg_database where datallowconn and not datistemplate and datname <> current_database() and not has_database_privilege(oid, 'connect') order by 1`

// SearchDatabases looks for the id in every database of the cluster: in each
// column of every schema that can hold it, through indexes, and without them as
// far as the budget allows for all databases together; foreign tables are named.
// inside also looks into arrays and JSON documents. Other databases are entered
// one after the other by a connection of their own, which ends before the next;
// in them near misses are looked for too. What could not be entered is named with
// its reason. It sends ordinary SELECTs: call it last.
func (s *Server) SearchDatabases(ctx context.Context, key Key, inside bool) ([]catalog.DatabaseSearch, error) {
	f, err := s.Facts(ctx)
	if err != nil {
		return nil, err
	}
	left := s.opt.Budget.ScanBytes
	own := catalog.DatabaseSearch{Database: f.Database, Own: true}
	if err := s.searchDatabase(ctx, &own, key, inside, &left); err != nil {
		return nil, err
	}
	out := []catalog.DatabaseSearch{own}
	for _, name := range f.Databases {
		d, err := s.searchOther(ctx, name, key, inside, &left)
		if err != nil {
			return out, err
		}
		out = append(out, d)
	}
	tab, err := s.query(ctx, "databases that may not be entered", closedDatabasesSQL)
	if err != nil {
		return out, err
	}
	for i := range tab.Rows {
		name := tab.Text(i, "datname")
		out = append(out, catalog.DatabaseSearch{
			Database: name, Why: "role " + f.Role + " may not enter it",
			Opens: grant("CONNECT ON DATABASE " + catalog.QuoteIdent(name) + " TO " + catalog.QuoteIdent(f.Role)),
		})
	}
	return out, nil
}

// searchOther enters another database and leaves it again.
func (s *Server) searchOther(ctx context.Context, name string, key Key, inside bool, left *int64) (catalog.DatabaseSearch, error) {
	d := catalog.DatabaseSearch{Database: name}
	o := s.OtherDatabase(name)
	o.spent.Store(s.spent.Load())
	defer func() {
		_ = o.Close()
		s.spent.Store(o.spent.Load())
		s.sent.take(&o.sent)
	}()
	err := o.searchDatabase(ctx, &d, key, inside, left)
	if err == nil {
		err = o.searchNear(ctx, &d, key)
	}
	var b *sources.Blind
	if errors.As(err, &b) {
		d.Why, d.Opens = b.Why, b.Opens
		return d, nil
	}
	return d, err
}

// QueryIn is Query in another database of the same cluster, through a connection
// of its own that ends with it. It returns a *sources.Blind when the role may not
// enter it.
func (s *Server) QueryIn(ctx context.Context, database string, q sources.Query) (*sources.Table, error) {
	o := s.OtherDatabase(database)
	o.spent.Store(s.spent.Load())
	defer func() {
		_ = o.Close()
		s.spent.Store(o.spent.Load())
		s.sent.take(&o.sent)
	}()
	return o.Query(ctx, q)
}

func (s *Server) searchDatabase(ctx context.Context, d *catalog.DatabaseSearch, key Key, inside bool, left *int64) error {
	p, err := s.Places(ctx, Key{ID: key.ID})
	if err != nil {
		return err
	}
	d.Left = p.Left
	found, err := s.findWithin(ctx, p.List, key.ID, left)
	if found != nil {
		d.Elsewhere = *found
	}
	if err != nil || !inside {
		return err
	}
	return s.searchInside(ctx, d, key.ID, left)
}

// searchNear looks for near misses through the best index of a few tables that
// hold no row with the id.
func (s *Server) searchNear(ctx context.Context, d *catalog.DatabaseSearch, key Key) error {
	if len(d.Hits) > 0 {
		return nil
	}
	tables, err := s.Candidates(ctx, Key{ID: key.ID}, nearTables)
	if err != nil {
		return err
	}
	for i := range tables {
		t := &tables[i]
		if len(t.Matches) == 0 {
			continue
		}
		m := t.Matches[0]
		tab, err := s.Near(ctx, t, m)
		if ctx.Err() != nil {
			return err
		}
		if err != nil || tab == nil {
			continue // the place itself says why it cannot be read
		}
		for r := range tab.Rows {
			d.Near = append(d.Near, catalog.NearHit{
				Table: t.DisplayName(), Column: m.Columns[0], Key: tab.Text(r, m.Columns[0]), Difference: tab.Text(r, "difference"), TID: tab.Text(r, "ctid"),
			})
		}
	}
	return nil
}

// insidePlacesSQL lists arrays and documents that can hold a text.
const insidePlacesSQL = `select c.oid::bigint, n.nspname, c.relname, c.relkind, a.attname, a.attnum, format_type(a.atttypid, a.atttypmod) as type, t.typname as base,
 coalesce((select sum(pg_relation_size(l.relid)) from pg_partition_tree(c.oid) l), pg_total_relation_size(c.oid))::bigint as bytes, has_table_privilege(c.oid, 'select') as readable
 from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace join pg_type t on t.oid = a.atttypid
 where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'm') and not c.relispartition
 and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp_)'
 and t.typname in ('json', 'jsonb', 'hstore', 'xml', '_uuid', '_text', '_varchar', '_bpchar', '_int4', '_int8') order by bytes, 2, 3, 6 limit 200`

func (s *Server) searchInside(ctx context.Context, d *catalog.DatabaseSearch, id string, left *int64) error {
	tab, err := s.query(ctx, "arrays and documents", insidePlacesSQL)
	if err != nil {
		return err
	}
	for i := range tab.Rows {
		p := Place{
			OID: uint32(number(tab, i, "oid")), Schema: tab.Text(i, "nspname"), Table: tab.Text(i, "relname"), Kind: tab.Text(i, "relkind"), Column: tab.Text(i, "attname"),
			AttNum: int16(number(tab, i, "attnum")), Type: tab.Text(i, "type"), Base: tab.Text(i, "base"), Rank: 5, Bytes: number(tab, i, "bytes"), CanSelect: truth(tab, i, "readable"),
		}
		if !s.affordable(&d.Elsewhere, p, left) {
			continue
		}
		before := len(d.Hits)
		if err := s.findBatch(ctx, &d.Elsewhere, []Place{p}, id); err != nil {
			return err
		}
		for h := range d.Hits[before:] {
			d.Hits[before+h].Within = true
		}
	}
	return nil
}

// affordable takes the reading of a whole place off what may still be read, or
// says in the answer why it was skipped.
func (s *Server) affordable(out *Elsewhere, p Place, left *int64) bool {
	switch {
	case !p.CanSelect:
		out.Skipped = append(out.Skipped, SkippedPlace{Place: p, Why: "the role may not read it", Opens: grant("SELECT ON " + p.FullName() + " TO " + catalog.QuoteIdent(s.cfg.User))})
		return false
	case s.opt.Budget.ScanBytes >= 0 && p.Bytes > *left:
		out.Skipped = append(out.Skipped, SkippedPlace{Place: p, Why: fmt.Sprintf("no index begins with it, and reading its %d MB is above the budget", p.Bytes>>20), Opens: "--budget large"})
		return false
	}
	*left -= p.Bytes
	return true
}
