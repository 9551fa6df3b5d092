package heap_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"inquest/sources/heap"
	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
)

type db struct {
	t *testing.T
	s *pgserver.Server
	c *pgx.Conn
}

func start(t *testing.T, cfg pgserver.Config) *db {
	t.Helper()
	return connect(t, pgservertest.New(t, cfg))
}

func connect(t *testing.T, s *pgserver.Server) *db {
	t.Helper()
	c, err := pgx.Connect(t.Context(), s.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return &db{t: t, s: s, c: c}
}

func (d *db) exec(sql string) {
	d.t.Helper()
	for line := range strings.SplitSeq(sql, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if _, err := d.c.Exec(d.t.Context(), line, pgx.QueryExecModeSimpleProtocol); err != nil {
			d.t.Fatalf("%s: %v", line, err)
		}
	}
}

func (d *db) text(sql string) string {
	d.t.Helper()
	var s *string
	if err := d.c.QueryRow(d.t.Context(), sql).Scan(&s); err != nil {
		d.t.Fatalf("%s: %v", sql, err)
	}
	if s == nil {
		return "<null>"
	}
	return *s
}

// file reads a relation's first file after a checkpoint; the server is the test's own.
func (d *db) file(rel string) []byte {
	d.t.Helper()
	d.exec("checkpoint")
	b, err := os.ReadFile(filepath.Join(d.s.DataDir(), d.text("select pg_relation_filepath('"+rel+"')")))
	if err != nil {
		d.t.Fatal(err)
	}
	return b
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

// values are literals by type that the decoders must print as the server does.
var values = map[string][]string{
	"bool": {"true", "false"}, "int2": {"-32768", "0", "32767"}, "int4": {"-2147483648", "7"}, "int8": {"-9223372036854775808", "9223372036854775807"},
	"oid": {"4294967295"}, "float4": {"1.5", "1e10", "0.0001", "0.00001", "123456", "1234567", "'NaN'", "'-Infinity'", "3.4028235e38"},
	"float8":  {"0.1", "1e15", "1e14", "123456789012345", "1234567890123456", "-0.0001", "1e-5", "'Infinity'", "5e-324"},
	"numeric": {"0", "1", "-1", "0.5", "10000", "123456789012345678901234567890.123456789", "-0.00001", "1e100", "'NaN'", "100.00", "0.00", "12345.6789", "1e-20", "9999.9999", "1e131000"},
	"text":    {"''", "'a'", "'häß'", "repeat('x',200)", "repeat('y',5000)"}, "varchar(20)": {"'abc'"}, "bpchar(5)": {"'ab'"}, "name": {"'some_name'"}, `"char"`: {"'x'"},
	"uuid": {"'e7a4bff2-adc7-4847-a9d8-25734601b405'"}, "bytea": {`'\x00ff'`, "''", `'\xdeadbeef'`},
	"date":        {"'2000-01-01'", "'1999-12-31'", "'0044-03-15 BC'", "'infinity'", "'5874897-12-31'", "'4713-01-01 BC'", "'2025-11-27'"},
	"time":        {"'00:00:00'", "'24:00:00'", "'14:58:03.000001'", "'14:58:03.5'"},
	"timetz":      {"'14:58:03+02'", "'14:58:03.25-05:30'", "'01:02:03+00'"},
	"timestamp":   {"'2025-11-27 14:58:00'", "'1970-01-01'", "'0001-01-01 BC'", "'-infinity'", "'294276-12-31 23:59:59.999999'", "'1999-12-31 23:59:59.999999'"},
	"timestamptz": {"'2025-11-27 14:58:00.123456+00'", "'infinity'", "'0044-03-15 12:00:00+00 BC'"},
	"interval":    {"'1 day'", "'0'", "'1 year 2 mons 3 days 04:05:06.789'", "'-1 year 3 days'", "'-00:00:01'", "'1 mon -1 day'", "'100 hours'", "'-1 mon +2 days -03:00'", "'13 mons'", "'2 years -1 mons'"},
	"json":        {`'{"a" : 1}'`},
	"jsonb": {
		`'{}'`, `'[]'`, `'1'`, `'"x"'`, `'null'`, `'{"b":[1,2,{"c":null}],"a":{"d":true,"e":-1.50}}'`, `'["\u00e9\n\t\"\\\u0001/"]'`,
		`(select jsonb_object_agg('k'||g,g) from generate_series(1,100) g)`, `(select jsonb_agg(jsonb_build_object('n',g,'s',repeat('z',g))) from generate_series(1,120) g)`, `'[[],{},[[1.5,false]]]'`,
	},
	"int4[]": {"'{}'", "'{1,NULL,3}'", "'{{1,2},{3,4}}'", "'[2:3]={5,6}'"}, "text[]": {`array['a','','NULL','x y','q"uote','b\s',null,'{}','c,d']`, `array['ä']`},
	"uuid[]": {"array['e7a4bff2-adc7-4847-a9d8-25734601b405'::uuid]"}, "numeric[]": {"'{1.50,NULL,-3}'"}, "timestamptz[]": {"array['2025-11-27 14:58+00'::timestamptz]"}, "float8[]": {"'{1.5,2}'"},
	"box[]": {"array['((0,0),(1,1))'::box,'((2,2),(3,3))'::box]"}, "bool[]": {"'{t,f}'"}, "int8[]": {"'{1,2}'"}, "interval[]": {"array['1 day'::interval]"},
	"inet":    {"'10.0.0.1'", "'10.0.0.0/8'", "'::1'", "'2001:db8::/32'", "'::ffff:1.2.3.4'"},
	"cidr":    {"'10.0.0.0/8'", "'2001:db8::/32'", "'10.0.0.1'"},
	"macaddr": {"'08:00:2b:01:02:03'"}, "macaddr8": {"'08:00:2b:01:02:03:04:05'"}, "point": {"'(1.5,-2)'"}, "box": {"'((0,0),(1,2))'"}, "lseg": {"'[(0,0),(1,2)]'"},
	"bit(5)": {"B'10101'"}, "varbit": {"B'1010101011'", "B''"}, "pg_lsn": {"'1/2ABC'"}, "xid8": {"'12345678901'"}, "tid": {"'(1,2)'"},
	"int4range": {"'[1,5)'", "'empty'", "'(,3)'", "'(,)'"}, "int8range": {"'[1,9000000000)'"}, "numrange": {"'[1.5,2.5]'"}, "daterange": {"'[2025-01-01,2025-02-01)'"},
	"tsrange": {"'[2025-01-01 00:00,2025-02-01 12:00:00.5)'"}, "tstzrange": {"'(2025-01-01 00:00+00,)'"},
}

func TestValuesPrintAsTheServerPrintsThem(t *testing.T) {
	pgservertest.Each(t, pgserver.Config{}, func(t *testing.T, s *pgserver.Server) {
		d := connect(t, s)
		d.exec("set timezone='UTC'\nset intervalstyle='postgres'\nset datestyle='iso'")
		i := 0
		for typ, list := range values {
			i++
			table := fmt.Sprintf("v%d", i)
			// A column before it moves the alignment; a large text column keeps values inline that would be compressed apart.
			d.exec(fmt.Sprintf("create table %s (k int, pad \"char\", v %s, w text)", table, typ))
			for n, lit := range list {
				d.exec(fmt.Sprintf("insert into %s values (%d, 'p', (%s)::%s, 'after')", table, n, lit, typ))
			}
			cols := d.columns(table)
			p, err := heap.DecodePage(d.file(table)[:heap.PageSize])
			if err != nil {
				t.Fatal(err)
			}
			for n, lit := range list {
				tup, ok := p.Tuple(n + 1)
				if !ok {
					t.Fatalf("%s: no tuple %d", typ, n+1)
				}
				vals, err := heap.Decode(cols, tup, nil)
				if err != nil {
					t.Errorf("%s %s: %v", typ, lit, err)
				}
				// format() calls the type's output function; a cast of char(n) to text would trim.
				want := d.text(fmt.Sprintf("select format('%%s', v) from %s where k=%d", table, n))
				if vals[2].Text != want || vals[2].Opaque {
					t.Errorf("%s %s\n got %.200q opaque %v\nwant %.200q", typ, lit, vals[2].Text, vals[2].Opaque, want)
				}
				if vals[3].Text != "after" {
					t.Errorf("%s %s: the next column is %q", typ, lit, vals[3].Text)
				}
			}
			d.exec("drop table " + table)
		}
	})
}

func TestColumnsThatAreNotWhereTheySeem(t *testing.T) {
	d := start(t, pgserver.Config{Major: 15})
	d.exec(`create type mood as enum ('sad','happy')
		create domain positive as int check (value > 0)
		create table t (a int, gone text, b positive, m mood, mm mood[], big text, n text)
		insert into t values (1,'bye',7,'happy','{sad,happy}',repeat('abc',3000),null)
		alter table t drop column gone
		alter table t add column later text default 'later'
		alter table t add column never int`)
	cols := d.columns("t")
	labels := map[uint32]string{}
	for _, l := range []string{"sad", "happy"} {
		var oid uint32
		if err := d.c.QueryRow(t.Context(), "select oid from pg_enum where enumlabel=$1", l).Scan(&oid); err != nil {
			t.Fatal(err)
		}
		labels[oid] = l
	}
	cols[3].Labels, cols[4].Labels = labels, labels
	p, err := heap.DecodePage(d.file("t")[:heap.PageSize])
	if err != nil {
		t.Fatal(err)
	}
	tup, _ := p.Tuple(1)
	got, err := heap.Decode(cols, tup, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"1", "", "7", "happy", "{sad,happy}", strings.Repeat("abc", 3000), "", "later", ""} {
		if got[i].Text != want || got[i].Opaque {
			t.Errorf("column %s = %.40q, want %.40q", cols[i].Name, got[i].Text, want)
		}
	}
	if !got[6].Null || !got[8].Missing || !got[8].Null || !got[7].Missing {
		t.Errorf("null and missing: %+v %+v %+v", got[6], got[7], got[8])
	}
}

func TestOutOfLineValues(t *testing.T) {
	d := start(t, pgserver.Config{Major: 15})
	for _, method := range []string{"pglz", "lz4"} {
		t.Run(method, func(t *testing.T) {
			d.t = t
			d.exec("drop table if exists t\ncreate table t (a int, v text compression " + method + `, p text)
				alter table t alter p set storage external
				insert into t select 1, string_agg(md5(g::text)||repeat('r',50),''), repeat('plain',3000) from generate_series(1,400) g`)
			p, err := heap.DecodePage(d.file("t")[:heap.PageSize])
			if err != nil {
				t.Fatal(err)
			}
			tup, _ := p.Tuple(1)
			toast := d.text("select reltoastrelid::regclass::text from pg_class where oid='t'::regclass")
			fetch := func(e heap.External) ([]byte, error) {
				var out []byte
				err := d.c.QueryRow(t.Context(), fmt.Sprintf("select string_agg(chunk_data,''::bytea order by chunk_seq) from %s where chunk_id=%d", toast, e.ValueID)).Scan(&out)
				return out, err
			}
			got, err := heap.Decode(d.columns("t"), tup, fetch)
			if err != nil {
				t.Fatal(err)
			}
			for i, col := range []string{"a", "v", "p"} {
				if want := d.text("select " + col + "::text from t"); got[i].Text != want {
					t.Errorf("%s: %d bytes, want %d", col, len(got[i].Text), len(want))
				}
			}
			if e := got[1].External; e == nil || e.Method != method {
				t.Errorf("external = %+v", e)
			}
			if none, _ := heap.Decode(d.columns("t"), tup, nil); !none[1].Unknown || none[1].External == nil {
				t.Errorf("without a fetcher the value is unknown and says where it lies: %+v", none[1])
			}
		})
	}
}

func TestChecksum(t *testing.T) {
	d := start(t, pgserver.Config{Major: 15, Checksums: true})
	d.exec("create table t as select g, md5(g::text) from generate_series(1,1000) g")
	b := d.file("t")
	for i := 0; i+heap.PageSize <= len(b); i += heap.PageSize {
		page := b[i : i+heap.PageSize]
		if got, want := heap.Checksum(page, uint32(i/heap.PageSize)), binary.LittleEndian.Uint16(page[8:]); got != want {
			t.Fatalf("block %d: %d, want %d", i/heap.PageSize, got, want)
		}
	}
}

func TestSearchIndex(t *testing.T) {
	d := start(t, pgserver.Config{Major: 15, Locale: "C"})
	d.exec(`create table t (id uuid, n int, b bigint, s text, d timestamptz)
		insert into t select md5(g::text)::uuid, g-20000, g%1000, 'k'||g, '2025-01-01'::timestamptz + g*'1 min'::interval from generate_series(1,40000) g
		create index t_uuid on t(id)
		create index t_int on t(n)
		create index t_dup on t(b)
		create index t_text on t(s)
		create index t_multi on t(b desc, n)
		create index t_time on t(d)
		delete from t where n = -19995`)
	read := func(index string) heap.ReadBlock {
		b := d.file(index)
		return func(_ context.Context, blk uint32) ([]byte, error) {
			if int(blk+1)*heap.PageSize > len(b) {
				return nil, fmt.Errorf("no block %d", blk)
			}
			return b[int(blk)*heap.PageSize:][:heap.PageSize], nil
		}
	}
	col := func(name string, oid uint32) heap.IndexColumn {
		c, _ := heap.NewColumn(name, 1, oid)
		return heap.IndexColumn{Column: c}
	}
	desc := col("b", 20)
	desc.Desc = true
	bytewise := col("s", 25)
	bytewise.Bytewise = true
	tests := []struct {
		index, where string
		cols         []heap.IndexColumn
		key          []string
		blocks       int // most that may be read
	}{
		{"t_uuid", "id=md5('77')::uuid", []heap.IndexColumn{col("id", 2950)}, []string{"28dd2c7955ce926456240b2ff0100bde"}, 5},
		{"t_int", "n=-7", []heap.IndexColumn{col("n", 23)}, []string{"-7"}, 5},
		{"t_int", "n=-19995", []heap.IndexColumn{col("n", 23)}, []string{"-19995"}, 5},
		{"t_int", "n=99999", []heap.IndexColumn{col("n", 23)}, []string{"99999"}, 5},
		{"t_dup", "b=500", []heap.IndexColumn{col("b", 20)}, []string{"500"}, 6},
		{"t_text", "s='k31234'", []heap.IndexColumn{col("s", 25)}, []string{"k31234"}, 1000},
		{"t_text", "s='k31234'", []heap.IndexColumn{bytewise}, []string{"k31234"}, 5},
		{"t_multi", "b=3", []heap.IndexColumn{desc, col("n", 23)}, []string{"3"}, 6},
		{"t_multi", "b=3 and n=-18997", []heap.IndexColumn{desc, col("n", 23)}, []string{"3", "-18997"}, 6},
		{"t_time", "d='2025-01-01 01:00+00'", []heap.IndexColumn{col("d", 1184)}, []string{"2025-01-01 01:00:00+00"}, 5},
	}
	for _, c := range tests {
		got, err := heap.SearchIndex(t.Context(), read(c.index), c.cols, c.key, 100000)
		if err != nil {
			t.Errorf("%s %v: %v", c.index, c.key, err)
			continue
		}
		want := map[string]bool{}
		rows, err := d.c.Query(t.Context(), "select ctid::text from t where "+c.where)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				t.Fatal(err)
			}
			want[s] = true
		}
		for _, h := range got.Hits {
			delete(want, h.TID.String())
		}
		if len(want) > 0 || !got.Complete || got.BlocksRead > c.blocks {
			t.Errorf("%s %v: missed %v, complete %v, %d blocks", c.index, c.key, want, got.Complete, got.BlocksRead)
		}
		if strings.HasSuffix(c.where, "-19995") && len(got.Hits) != 1 {
			t.Errorf("%s: the entry of a deleted row was not found: %+v", c.index, got)
		}
	}
}
