package postgres

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"inquest/sources/catalog"
)

const mostPlaces = 1000

const placesSQL = `with recursive bases(oid, base) as (
  select oid, typbasetype from pg_type where typtype = 'd'
  union all select b.oid, t.typbasetype from bases b join pg_type t on t.oid = b.base where t.typtype = 'd'),
found as (select c.oid, n.nspname, c.relname, c.relkind, a.attname, a.attnum, a.atttypid, a.atttypmod, coalesce(bt.typname, t.typname) as base, tn.nspname as typeschema,
  coalesce((select min(case when i.indisprimary and i.indnkeyatts = 1 then 0 when i.indisunique and i.indnkeyatts = 1 then 1 when i.indisprimary then 2 else 3 end)
    from pg_index i join pg_class ic on ic.oid = i.indexrelid join pg_am am on am.oid = ic.relam
    where i.indrelid = c.oid and i.indkey[0] = a.attnum and i.indisvalid and i.indpred is null and am.amname in ('btree', 'hash')),
    case when a.attname ~* '(^|_)(id|uuid|guid|key|ref|code|number|no)$|[a-z](Id|ID|Uuid|Guid|Key|Ref)$' then 4 else 5 end) as rank
  from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
  join pg_type t on t.oid = a.atttypid join pg_namespace tn on tn.oid = t.typnamespace left join bases b on b.oid = t.oid
  left join pg_type bt on bt.oid = b.base
  where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'm', 'f') and not c.relispartition
  and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp_)'
  and (coalesce(bt.typtype, t.typtype) <> 'd') and coalesce(bt.typname, t.typname) = any($1::text[])
  and ($2 = '' or a.attname = any($2::text[]) or lower(a.attname) = any($2::text[]))
  and ($6::int = 0 or $6::int <= (select count(distinct lower(x.attname)) from pg_attribute x where x.attrelid = c.oid and x.attnum > 0 and not x.attisdropped and lower(x.attname) = any(case when $2 = '' then '{}' else $2 end::text[])))
  and case when $3 <> '' then c.oid = any($3::oid[]) else not exists (select from pg_depend e where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e')
    and not (c.relname like 'template\_%' and exists (select from pg_extension e where e.extname = 'pg_partman' and e.extnamespace = c.relnamespace)) end
  and (coalesce(bt.typname, t.typname) not in ('varchar', 'bpchar') or a.atttypmod < 0 or a.atttypmod - 4 >= $4::int))
select oid::bigint, nspname, relname, relkind, attname, attnum, format_type(atttypid, atttypmod) as type, base, typeschema, rank,
  case when relkind in ('r', 'm') then coalesce(pg_relation_size(oid), 0) else 0 end as bytes, has_table_privilege(oid, 'select') as readable,
  count(*) over () as total
from found order by rank, (relname ~* $5), bytes, nspname, relname, attnum limit 1000`

// Places returns the columns whose type can hold the id; for a composite id the
// columns of its parts. Foreign tables are named but never entered; tables that
// belong to an extension, such as a scheduler's own, are left out unless asked for.
func (s *Server) Places(ctx context.Context, key Key) (*Places, error) {
	only := ""
	if key.Table != "" {
		oids, err := s.Resolve(ctx, key.Table)
		if err != nil {
			return nil, err
		}
		only = numberArray(oids)
	}
	types, columns, width := types(key)
	tab, err := s.query(ctx, "columns that can hold the id", placesSQL, textArray(types), columns, only, strconv.Itoa(width), historyPattern, strconv.Itoa(len(key.Parts)))
	if err != nil {
		return nil, err
	}
	out := &Places{List: make([]Place, 0, len(tab.Rows))}
	for i := range tab.Rows {
		p := Place{
			OID: uint32(number(tab, i, "oid")), Schema: tab.Text(i, "nspname"), Table: tab.Text(i, "relname"), Kind: tab.Text(i, "relkind"),
			Column: tab.Text(i, "attname"), AttNum: int16(number(tab, i, "attnum")), Type: tab.Text(i, "type"), Base: tab.Text(i, "base"), TypeSchema: tab.Text(i, "typeschema"), Rank: int(number(tab, i, "rank")),
			Bytes: number(tab, i, "bytes"), CanSelect: truth(tab, i, "readable"), History: historyReason(tab.Text(i, "nspname"), tab.Text(i, "relname")),
		}
		out.List = append(out.List, p)
	}
	if total := int(number(tab, 0, "total")); total > mostPlaces {
		out.Left = total - mostPlaces
	}
	return out, nil
}

// types returns the names of the base types that can hold the key, the columns
// asked for as an array literal (empty: all), and the length of the text.
func types(k Key) (types []string, columns string, width int) {
	if len(k.Parts) == 0 {
		return catalog.TypesFor(k.ID), "", len([]rune(catalog.Shortest(k.ID)))
	}
	var names []string
	for _, p := range k.Parts {
		for _, t := range append(catalog.TypesFor(p.Value), "date", "timestamp", "timestamptz", "bool") {
			if !slices.Contains(types, t) {
				types = append(types, t)
			}
		}
		names = append(names, p.Column, strings.ToLower(p.Column))
	}
	return types, textArray(names), 0
}

// Candidates describes the tables that can hold the key, likely ones first, at
// most limit of them (zero: 20), each with its Matches. When the key names a
// table, that one comes first whatever its columns are. Places has the rest.
func (s *Server) Candidates(ctx context.Context, key Key, limit int) ([]TableInfo, error) {
	if limit <= 0 {
		limit = 20
	}
	places, err := s.Places(ctx, key)
	if err != nil {
		return nil, err
	}
	var oids []uint32
	for _, p := range places.List {
		if !slices.Contains(oids, p.OID) && len(oids) < limit {
			oids = append(oids, p.OID)
		}
	}
	if key.Table != "" && len(oids) == 0 {
		if oids, err = s.Resolve(ctx, key.Table); err != nil {
			return nil, err
		}
	}
	tables, err := s.Tables(ctx, oids...)
	if err != nil {
		return nil, err
	}
	heirs := map[uint32]bool{}
	for _, t := range tables {
		for i := range t.Leaves {
			heirs[t.Leaves[i].OID] = true
		}
	}
	out := tables[:0]
	for _, t := range tables {
		if heirs[t.OID] {
			continue // it is described with the table that it inherits from
		}
		t.Matches = t.Match(key)
		if len(t.Matches) > 0 || key.Table != "" {
			out = append(out, t)
		}
	}
	return out, nil
}
