package wal_test

import (
	"context"
	"encoding/json"
	"hash/crc32"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"inquest/sources/heap"
	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
	"inquest/sources/wal"
)

// db is a connection to a test's server that runs simple statements.
type db struct {
	t *testing.T
	s *pgserver.Server
	c *pgx.Conn
}

func start(t *testing.T, cfg pgserver.Config) *db {
	t.Helper()
	if cfg.Settings == nil {
		cfg.Settings = map[string]string{}
	}
	if cfg.Settings["autovacuum"] == "" {
		cfg.Settings["autovacuum"] = "off"
	}
	return connect(t, pgservertest.New(t, cfg))
}

func connect(t *testing.T, s *pgserver.Server) *db {
	t.Helper()
	d := &db{t: t, s: s}
	d.c = d.session()
	return d
}

func (d *db) session() *pgx.Conn {
	d.t.Helper()
	c, err := pgx.Connect(d.t.Context(), d.s.DSN("postgres"))
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

func (d *db) exec(sql string) {
	d.t.Helper()
	execOn(d.t, d.c, sql)
}

// execOn runs each line in its own implicit transaction, unless lines open one.
func execOn(t *testing.T, c *pgx.Conn, sql string) {
	t.Helper()
	for line := range strings.SplitSeq(sql, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if _, err := c.Exec(t.Context(), line, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
}

func (d *db) text(sql string, args ...any) string {
	d.t.Helper()
	var s string
	if err := d.c.QueryRow(d.t.Context(), sql, args...).Scan(&s); err != nil {
		d.t.Fatalf("%s: %v", sql, err)
	}
	return s
}

// target reads the catalogue of a table the way the live driver does.
func (d *db) target(table string, key ...string) wal.Target {
	d.t.Helper()
	var tg wal.Target
	tg.Table = table
	ctx := d.t.Context()
	err := d.c.QueryRow(ctx, `select c.oid, (select oid from pg_tablespace where spcname='pg_default'),
		(select oid from pg_database where datname=current_database()), pg_relation_filenode(c.oid), coalesce(pg_relation_filenode(nullif(reltoastrelid,0)),0)
		from pg_class c where c.oid = $1::text::regclass`, table).Scan(&tg.OID, &tg.Rel.Spc, &tg.Rel.DB, &tg.Rel.Rel, &tg.ToastRel.Rel)
	if err != nil {
		d.t.Fatal(err)
	}
	if tg.ToastRel.Rel != 0 {
		tg.ToastRel.Spc, tg.ToastRel.DB = tg.Rel.Spc, tg.Rel.DB
	}
	tg.Columns = d.columns(table)
	for _, k := range key {
		name, val, _ := strings.Cut(k, "=")
		i := slices.IndexFunc(tg.Columns, func(c heap.Column) bool { return c.Name == name })
		if i < 0 {
			d.t.Fatalf("no column %s in %s", name, table)
		}
		tg.Key = append(tg.Key, heap.KeyPart{AttNum: int16(i + 1), Text: val})
	}
	rows, err := d.c.Query(ctx, `select i.indexrelid, pg_relation_filenode(i.indexrelid), c.relname, i.indkey::int2[]
		from pg_index i join pg_class c on c.oid=i.indexrelid join pg_am a on a.oid=c.relam where indrelid=$1::text::regclass and amname='btree' and indpred is null`, table)
	if err != nil {
		d.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		ix := wal.IndexTarget{Rel: tg.Rel}
		if err := rows.Scan(&ix.OID, &ix.Rel.Rel, &ix.Name, &ix.KeyAttNums); err != nil {
			d.t.Fatal(err)
		}
		tg.Indexes = append(tg.Indexes, ix)
	}
	return tg
}

func (d *db) columns(table string) []heap.Column {
	d.t.Helper()
	rows, err := d.c.Query(d.t.Context(), `select attname, attnum, atttypid, attlen, attalign::text, attisdropped, attnotnull,
		case when atthasmissing then (attmissingval::text::text[])[1] end, coalesce(format_type(atttypid, null),''), coalesce((select typbasetype from pg_type where oid=atttypid),0)
		from pg_attribute where attrelid=$1::text::regclass and attnum>0 order by attnum`, table)
	if err != nil {
		d.t.Fatal(err)
	}
	defer rows.Close()
	var out []heap.Column
	for rows.Next() {
		var c heap.Column
		var align string
		if err := rows.Scan(&c.Name, &c.AttNum, &c.TypeOID, &c.Len, &align, &c.Dropped, &c.NotNull, &c.Missing, &c.TypeName, &c.Base); err != nil {
			d.t.Fatal(err)
		}
		c.Align = align[0]
		out = append(out, c)
	}
	if rows.Err() != nil {
		d.t.Fatal(rows.Err())
	}
	return out
}

func (d *db) trace(opt wal.Options, targets ...wal.Target) *wal.Lineage {
	d.t.Helper()
	// What the server wrote last may still be in its buffers; a commit with WAL flushes everything before it.
	if d.c != nil && !d.c.IsClosed() {
		d.exec("create table if not exists flush_marker ()\ndrop table flush_marker")
	}
	return traceDir(d.t, d.s.WALDir(), opt, targets...)
}

// traceDir traces the ways there are, which must tell the same.
func traceDir(t *testing.T, path string, opt wal.Options, targets ...wal.Target) *wal.Lineage {
	t.Helper()
	l := traceOnce(t, path, opt, targets...)
	turn := crc32.ChecksumIEEE([]byte(t.Name())) // the same whenever the test is run
	if !wal.Raced || turn%2 == 0 {
		sameWhenSkimmed(t, path, opt, l, targets...)
	}
	if !wal.Raced || turn%2 == 1 {
		sameInOrder(t, path, opt, l, targets...)
	}
	return l
}

func traceOnce(t *testing.T, path string, opt wal.Options, targets ...wal.Target) *wal.Lineage {
	t.Helper()
	src, err := wal.OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	l, err := wal.Trace(t.Context(), src, targets, opt)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := json.Marshal(l); err != nil {
		t.Errorf("a lineage is stored as JSON: %v", err)
	}
	if os.Getenv("INQUEST_DUMP") != "" {
		b, _ := json.MarshalIndent(l, "", " ")
		t.Logf("%s", b)
	}
	return l
}

// story renders events as "op:state" with the outcome of the transaction: the part of a lineage that tests compare.
func story(l *wal.Lineage) string {
	var out []string
	for _, e := range l.Events {
		s := string(e.Op)
		if e.KeyChanged {
			s += "(" + strings.Join(e.OldKey, ",") + ">" + strings.Join(e.NewKey, ",") + ")"
		}
		if x := l.Xacts[e.XID]; x != nil && e.XID != 0 {
			s += ":" + string(x.State)
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}
