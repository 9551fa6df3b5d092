package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"inquest/sources"
	"inquest/sources/catalog"
)

const (
	// mostLeaves bounds how many partitions of one table are described.
	mostLeaves = 5000
	// mostInFull bounds those of which policies, triggers, rules and foreign keys are
	// read as well; of the others the table itself has them.
	mostInFull = 200
	// perStatement is how many relations one statement describes.
	perStatement = 500
)

// tablesSQL describes relations, each as one JSON value; those of $2 in full.
// Columns that came with later versions (13 is the oldest) are read through to_jsonb.
const tablesSQL = `with recursive
asked as (select unnest($1::oid[]) as oid),
bases(oid, base) as (
  select oid, typbasetype from pg_type where typtype = 'd'
  union all select b.oid, t.typbasetype from bases b join pg_type t on t.oid = b.base where t.typtype = 'd'),
base(oid, base) as (select b.oid, b.base from bases b join pg_type t on t.oid = b.base where t.typtype <> 'd'),
db as (select oid, dattablespace as spc,
  coalesce(to_jsonb(d)->>'datlocprovider', 'c') as provider, datcollate from pg_database d where datname = current_database()),
fk(l, start, conrelid, confrelid, conname, confdeltype, conkey, path) as (
  select 1, conrelid, conrelid, confrelid, conname, confdeltype, conkey, array[conrelid, confrelid] from pg_constraint where contype = 'f' and conrelid = any($2::oid[])
  union all select l + 1, fk.start, c.conrelid, c.confrelid, c.conname, c.confdeltype, c.conkey, path || c.confrelid
  from pg_constraint c join fk on c.conrelid = fk.confrelid and c.contype = 'f' and fk.confdeltype = 'c' where not c.confrelid = any(path) and l < 8)
select json_build_object(
 'oid', c.oid::bigint, 'schema', n.nspname, 'name', c.relname, 'kind', c.relkind, 'owner', pg_get_userbyid(c.relowner),
 'persistence', c.relpersistence, 'file', coalesce(nullif(c.reltablespace, 0), db.spc) || '/' || db.oid || '/' || coalesce(pg_relation_filenode(c.oid), 0),
 'row_estimate', c.reltuples, 'pages', c.relpages, 'bytes', case when c.relkind in ('r', 'm') then coalesce(pg_relation_size(c.oid), 0) else 0 end,
 'all_visible_pages', c.relallvisible, 'options', c.reloptions, 'can_select', has_table_privilege(c.oid, 'select'),
 'rewritten', coalesce(pg_relation_filenode(c.oid) <> c.oid, false), 'class_xmin', c.xmin::text::bigint,
 'columns', (select json_agg(json_build_object('name', a.attname, 'attnum', a.attnum, 'type_oid', a.atttypid::bigint,
     'type_name', case when a.atttypid <> 0 then format_type(a.atttypid, a.atttypmod) end,
     'base', base.base::bigint, 'len', a.attlen, 'align', ascii(a.attalign::text), 'by_val', a.attbyval, 'dropped', a.attisdropped,
     'not_null', a.attnotnull, 'missing', case when a.atthasmissing then (a.attmissingval::text::text[])[1] end,
     'labels', (select json_object_agg(e.oid, e.enumlabel) from pg_enum e where e.enumtypid = coalesce(nullif(ty.typelem, 0), ty.oid))) order by a.attnum)
   from pg_attribute a left join base on base.oid = a.atttypid left join pg_type ty on ty.oid = coalesce(base.base, a.atttypid)
   where a.attrelid = c.oid and a.attnum > 0),
 'primary_key', (select (i.indkey::int2[])[0:i.indnkeyatts - 1] from pg_index i where i.indrelid = c.oid and i.indisprimary),
 'indexes', (select json_agg(json_build_object('oid', ic.oid::bigint, 'name', ic.relname,
     'file', coalesce(nullif(ic.reltablespace, 0), db.spc) || '/' || db.oid || '/' || coalesce(pg_relation_filenode(ic.oid), 0),
     'method', am.amname, 'unique', i.indisunique, 'primary', i.indisprimary, 'valid', i.indisvalid and i.indisready, 'partial', i.indpred is not null,
     'bytes', case when ic.relkind = 'i' then coalesce(pg_relation_size(ic.oid), 0) else 0 end, 'keys', i.indnkeyatts,
     'columns', (select json_agg(json_build_object('attnum', k.attnum, 'desc', coalesce(i.indoption[k.n - 1] & 1, 0) = 1,
         'ordinary', coalesce(oc.opcdefault or oc.opcname like '%_pattern_ops', true),
         'bytewise', coalesce(oc.opcname like '%_pattern_ops' or co.collname in ('C', 'POSIX') or to_jsonb(co)->>'collprovider' = 'b'
            or co.collprovider = 'd' and (db.provider = 'b' or db.provider = 'c' and db.datcollate in ('C', 'POSIX')), false)) order by k.n)
       from unnest(i.indkey::int2[]) with ordinality k(attnum, n) left join pg_opclass oc on oc.oid = i.indclass[k.n - 1]
       left join pg_collation co on co.oid = i.indcollation[k.n - 1])) order by i.indisprimary desc, i.indisunique desc, ic.oid)
   from pg_index i join pg_class ic on ic.oid = i.indexrelid join pg_am am on am.oid = ic.relam where i.indrelid = c.oid),
 'toast', (select json_build_object('oid', tc.oid::bigint, 'file', coalesce(nullif(tc.reltablespace, 0), db.spc) || '/' || db.oid || '/' || coalesce(pg_relation_filenode(tc.oid), 0),
     'index', (select indexrelid::bigint from pg_index where indrelid = tc.oid and indisvalid limit 1), 'bytes', pg_relation_size(tc.oid))
   from pg_class tc where tc.oid = c.reltoastrelid),
 'rls', json_build_object('enabled', c.relrowsecurity, 'forced', c.relforcerowsecurity, 'active', row_security_active(c.oid)),
 'policies', case when c.oid = any($2::oid[]) then (select json_agg(json_build_object('name', polname, 'permissive', polpermissive, 'command', polcmd,
     'roles', (select json_agg(case when r = 0 then 'public' else pg_get_userbyid(r) end) from unnest(polroles) r),
     'using', pg_get_expr(polqual, polrelid), 'check', pg_get_expr(polwithcheck, polrelid))) from pg_policy where polrelid = c.oid) end,
 'triggers', case when c.oid = any($2::oid[]) then (select json_agg(json_build_object('name', tgname, 'enabled', tgenabled,
     'timing', case tgtype::int & 66 when 2 then 'before' when 64 then 'instead' else 'after' end, 'row', tgtype::int & 1 > 0,
     'insert', tgtype::int & 4 > 0, 'delete', tgtype::int & 8 > 0, 'update', tgtype::int & 16 > 0, 'truncate', tgtype::int & 32 > 0,
     'function', tgfoid::regprocedure::text, 'swallows', p.prosrc ~* 'return\s+null',
     'deletes', p.prosrc ~* '\m(delete\s+from|truncate|merge\s+into|execute)\M', 'definition', pg_get_triggerdef(t.oid)))
   from pg_trigger t join pg_proc p on p.oid = tgfoid where not tgisinternal and tgrelid = c.oid) end,
 'rules', case when c.oid = any($2::oid[]) then (select json_agg(json_build_object('name', rulename, 'event', case ev_type when '2' then 'update' when '3' then 'insert' when '4' then 'delete' else ev_type::text end,
     'instead', is_instead, 'enabled', ev_enabled, 'definition', pg_get_ruledef(oid))) from pg_rewrite where ev_class = c.oid and rulename <> '_RETURN') end,
 'parents', case when c.oid = any($2::oid[]) then (select json_agg(json_build_object('name', conname, 'level', l, 'child', conrelid::regclass::text, 'parent', confrelid::regclass::text,
     'child_oid', conrelid::bigint, 'parent_oid', confrelid::bigint, 'on_delete', confdeltype,
     'columns', (select json_agg(attname order by array_position(conkey, attnum)) from pg_attribute where attrelid = conrelid and attnum = any(conkey))) order by l)
   from fk where start = c.oid) end,
 'children', case when c.oid = any($2::oid[]) then (select json_agg(json_build_object('name', conname, 'level', 1, 'child', conrelid::regclass::text, 'parent', confrelid::regclass::text,
     'child_oid', conrelid::bigint, 'parent_oid', confrelid::bigint, 'on_delete', confdeltype,
     'columns', (select json_agg(attname order by array_position(conkey, attnum)) from pg_attribute where attrelid = conrelid and attnum = any(conkey))))
   from pg_constraint where contype = 'f' and confrelid = c.oid) end,
 'partition', case when c.relispartition then (select json_build_object('parent_oid', inhparent::bigint, 'parent', inhparent::regclass::text,
     'root_oid', pg_partition_root(c.oid)::oid::bigint, 'bound', pg_get_expr(c.relpartbound, c.oid),
     'detach_pending', coalesce((to_jsonb(h)->>'inhdetachpending')::boolean, false)) from pg_inherits h where inhrelid = c.oid limit 1) end,
 'partition_key', case when c.relkind = 'p' then pg_get_partkeydef(c.oid) end
)::text as info
from asked join pg_class c on c.oid = asked.oid join pg_namespace n on n.oid = c.relnamespace cross join db`

// leavesSQL lists the partitions of partitioned tables, and the children of those
// that others inherit from, as partitioning by hand and Timescale's chunks do.
const leavesSQL = `with recursive heirs(root, oid) as (
  select r.oid, i.inhrelid from unnest($1::oid[]) r(oid) join pg_class c on c.oid = r.oid and c.relkind = 'r' and not c.relispartition join pg_inherits i on i.inhparent = r.oid
  union select h.root, i.inhrelid from heirs h join pg_inherits i on i.inhparent = h.oid)
select r.oid::bigint as root, t.relid::oid::bigint as leaf
from unnest($1::oid[]) r(oid) join pg_class c on c.oid = r.oid and c.relkind = 'p', pg_partition_tree(r.oid) t where t.isleaf
union all select h.root::bigint, h.oid::bigint from heirs h join pg_class c on c.oid = h.oid and c.relkind = 'r' order by 1, 2`

// softDelete matches names of columns that mark a row as deleted.
var softDelete = regexp.MustCompile(`(?i)^(((is|was|date|time|dt|ts)_?)?(soft_?)?(deleted|archived|removed|trashed|discarded|voided|inactive|hidden|tombstoned?)(_?(at|on|by|ts|dt|date|time|datetime|timestamp|utc|flag))*|(deletion|removal)_?(at|on|ts|dt|date|time|datetime|timestamp|utc|flag|marker?)+)$`)

// historyPattern matches names of tables that keep copies of another table's rows.
const historyPattern = `(history|histories|_hist|audit|audits|audit_?log|archive|archived|_backup|_bak|_deleted|trash|tombstones?|_versions?|change_?log|logged_actions|_shadow|_journal|_old|_aud)$|^(history|hist|audit|archive|deleted|backup|trash)_|(^|_)historical[a-z]+$`

var historyName = regexp.MustCompile(`(?i)` + historyPattern)

// Tables describes relations by oid; partitioned tables come with their leaves.
// The order is that of oids; those that do not exist are left out. One or two
// catalogue queries are sent, and one more for every 500 relations.
func (s *Server) Tables(ctx context.Context, oids ...uint32) ([]TableInfo, error) {
	if len(oids) == 0 {
		return nil, nil
	}
	leaves, left, err := s.leaves(ctx, oids)
	if err != nil {
		return nil, err
	}
	all, full := slices.Clone(oids), slices.Clone(oids)
	for _, o := range oids {
		all = append(all, leaves[o]...)
		full = append(full, leaves[o][:min(len(leaves[o]), mostInFull)]...)
	}
	byOID := map[uint32]TableInfo{}
	for part := range slices.Chunk(distinctOIDs(all), perStatement) {
		if err := s.describe(ctx, part, full, byOID); err != nil {
			return nil, err
		}
	}
	out := make([]TableInfo, 0, len(oids))
	for _, o := range oids {
		t, ok := byOID[o]
		if !ok {
			continue
		}
		for _, l := range leaves[o] {
			if leaf, ok := byOID[l]; ok {
				t.Leaves = append(t.Leaves, leaf)
				t.Bytes += leaf.Bytes
			}
		}
		t.LeavesLeft = left[o]
		out = append(out, t)
	}
	return out, nil
}

func (s *Server) leaves(ctx context.Context, oids []uint32) (leaves map[uint32][]uint32, left map[uint32]int, err error) {
	tab, err := s.query(ctx, "partitions", leavesSQL, numberArray(oids))
	if err != nil {
		return nil, nil, err
	}
	leaves, left = map[uint32][]uint32{}, map[uint32]int{}
	for i := range tab.Rows {
		root := uint32(number(tab, i, "root"))
		if len(leaves[root]) == mostLeaves {
			left[root]++
			continue
		}
		leaves[root] = append(leaves[root], uint32(number(tab, i, "leaf")))
	}
	return leaves, left, nil
}

// describe adds what the catalogue says of the relations to out; of those in full it
// asks for everything.
func (s *Server) describe(ctx context.Context, oids, full []uint32, out map[uint32]TableInfo) error {
	tab, err := s.query(ctx, "catalogue of the tables", tablesSQL, numberArray(oids), numberArray(full))
	if err != nil {
		return err
	}
	for i := range tab.Rows {
		t, err := readTable(tab, i)
		if err != nil {
			return err
		}
		out[t.OID] = t
	}
	return nil
}

func readTable(tab *sources.Table, row int) (TableInfo, error) {
	var t TableInfo
	if err := json.Unmarshal([]byte(tab.Text(row, "info")), &t); err != nil {
		return t, fmt.Errorf("read the catalogue: %w", err)
	}
	for _, c := range t.Columns {
		if !c.Dropped && softDelete.MatchString(c.Name) {
			t.SoftDelete = append(t.SoftDelete, c.Name)
		}
	}
	t.History = historyReason(t.Schema, t.Name)
	return t, nil
}

// historyReason says why a table looks like it keeps copies of another's rows.
func historyReason(schema, table string) string {
	switch {
	case strings.EqualFold(table, "__EFMigrationsHistory"), strings.EqualFold(table, "flyway_schema_history"):
		return "" // what ran on the database, not what its rows were
	case historyName.MatchString(table):
		return "its name looks like history"
	case historyName.MatchString(schema + "_"):
		return catalog.HistoryBySchema
	}
	return ""
}

func distinctOIDs(oids []uint32) []uint32 {
	seen := map[uint32]bool{}
	var out []uint32
	for _, o := range oids {
		if !seen[o] {
			seen[o] = true
			out = append(out, o)
		}
	}
	return out
}
