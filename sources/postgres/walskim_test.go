package postgres_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"inquest/sources/heap"
	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
	"inquest/sources/postgres"
	"inquest/sources/wal"
)

const skimmedID = "e7a4bff2-adc7-4847-a9d8-25734601b405"

// lineageOf traces a key of table t and returns what two lineages have in common, however much was read for them.
func lineageOf(t *testing.T, src wal.Source, tg wal.Target, to wal.LSN, all bool) (*wal.Lineage, string) {
	t.Helper()
	l, err := wal.Trace(t.Context(), src, []wal.Target{tg}, wal.Options{To: to, ReadAll: all})
	if err != nil {
		t.Fatal(err)
	}
	c := *l
	c.Passed, c.Passes, c.Bytes, c.Records, c.Notes = 0, 0, 0, 0, nil
	b, err := json.Marshal(&c)
	if err != nil {
		t.Fatal(err)
	}
	return l, string(b)
}

// oneText is the one value that a query returns.
func oneText(t testing.TB, s *pgserver.Server, text string) string {
	t.Helper()
	c, err := pgconn.Connect(t.Context(), s.SocketDSN(s.Superuser(), "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(t.Context()) }()
	res, err := c.Exec(t.Context(), text).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return string(res[0].Rows[0][0])
}

// targetOfT asks the catalogue for the table t (id uuid, note text).
func targetOfT(t testing.TB, s *pgserver.Server) wal.Target {
	t.Helper()
	id, _ := heap.NewColumn("id", 1, 2950)
	note, _ := heap.NewColumn("note", 2, 25)
	tg := wal.Target{Table: "t", Columns: []heap.Column{id, note}, Key: []heap.KeyPart{{AttNum: 1, Text: skimmedID}}}
	ix := wal.IndexTarget{KeyAttNums: []int16{1}, Name: "t_pkey"}
	row := strings.Split(oneText(t, s, "select concat_ws(',', 1663, (select oid from pg_database where datname=current_database()), pg_relation_filenode('t'), 't'::regclass::oid, pg_relation_filenode('t_pkey'), 't_pkey'::regclass::oid)"), ",")
	if _, err := fmt.Sscan(strings.Join(row, " "), &tg.Rel.Spc, &tg.Rel.DB, &tg.Rel.Rel, &tg.OID, &ix.Rel.Rel, &ix.OID); err != nil {
		t.Fatal(err)
	}
	ix.Rel.Spc, ix.Rel.DB = tg.Rel.Spc, tg.Rel.DB
	tg.Indexes = []wal.IndexTarget{ix}
	return tg
}

// TestLittleOfAQuietWALTravels traces a key that a few places of much WAL tell of.
func TestLittleOfAQuietWALTravels(t *testing.T) {
	for _, major := range pgservertest.Majors() {
		if major == 14 || major == 16 {
			continue // write WAL as their neighbours do
		}
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			s := pgservertest.New(t, pgserver.Config{Major: major, Settings: map[string]string{"autovacuum": "off", "max_wal_size": "4GB", "wal_keep_size": "4GB"}})
			sql(t, s, rolesSQL)
			sql(t, s, "create table t (id uuid primary key, note text); create table noise (n bigint, pad text)")
			noise := "insert into noise select g*1000003::bigint, repeat(md5(g::text), 20) from generate_series(1,30000) g"
			sql(t, s, noise)
			sql(t, s, noise)
			sql(t, s, "insert into t values ('"+skimmedID+"','a'),('00000000-0000-4000-8000-000000000002','b')")
			sql(t, s, noise)
			sql(t, s, noise)
			sql(t, s, "update t set note='cc' where id='"+skimmedID+"'")
			sql(t, s, noise)
			sql(t, s, "checkpoint")
			sql(t, s, noise)
			sql(t, s, "begin; savepoint a; delete from t where id='"+skimmedID+"'; release a; commit")
			sql(t, s, noise)
			sql(t, s, noise)
			sql(t, s, "truncate t")
			tg := targetOfT(t, s)
			sql(t, s, noise)
			to, err := wal.ParseLSN(oneText(t, s, "select pg_current_wal_flush_lsn()::text"))
			if err != nil {
				t.Fatal(err)
			}
			for _, role := range []string{"kit", ""} {
				db := open(t, s, role, postgres.Options{})
				plain, err := db.OpenWAL(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				full, want := lineageOf(t, plain, tg, to, true)
				if len(full.Events) < 3 || full.Events[len(full.Events)-1].Op != wal.OpDelete {
					t.Fatalf("events %+v", full.Events)
				}
				src, err := db.OpenWAL(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				src.SkimAlways()
				l, got := lineageOf(t, src, tg, to, false)
				if got != want {
					t.Errorf("%s: another answer\n got %s\nwant %s", role, got, want)
				}
				total := int64(full.Segments) * 16 << 20
				t.Logf("%d segments, %d MB travelled, %d MB passed over, %d walks", l.Segments, src.Travelled()>>20, l.Passed>>20, l.Passes)
				if src.Travelled() > total/2 || l.Passed < total/2 {
					t.Errorf("%s: %d of %d bytes travelled", role, src.Travelled(), total)
				}
				if src.Close() != nil || plain.Close() != nil {
					t.Error("not closed")
				}
			}
		})
	}
}

func TestSkimKeepsToTheBudget(t *testing.T) {
	s := pgservertest.New(t, pgserver.Config{WALSegSizeMB: 1, Settings: map[string]string{"autovacuum": "off", "max_wal_size": "1GB"}})
	sql(t, s, "create table t (id uuid primary key, note text); create table noise (pad text); insert into t values ('"+skimmedID+"','a')")
	sql(t, s, "insert into noise select repeat(md5(g::text), 20) from generate_series(1,10000) g")
	tg := targetOfT(t, s)
	// Enough to read all, and not to search it before: then it is read, as without a search.
	src, err := open(t, s, "", postgres.Options{Budget: postgres.Budget{WALBytes: 40 << 20}}).OpenWAL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	src.SkimAlways()
	segs, err := src.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l, _ := lineageOf(t, src, tg, 0, false)
	if len(l.Events) != 1 || l.Events[0].Op != wal.OpInsert || len(l.Gaps) > 0 {
		t.Errorf("%d segments, events %+v, gaps %+v", len(segs), l.Events, l.Gaps)
	}
}

// BenchmarkTraceOverSQL measures row 12 of the goals: how much of the WAL travels, and how fast it is gone through.
func BenchmarkTraceOverSQL(b *testing.B) {
	s := pgservertest.New(b, pgserver.Config{Settings: map[string]string{"autovacuum": "off", "max_wal_size": "8GB", "wal_keep_size": "8GB", "fsync": "off", "checkpoint_timeout": "1h"}})
	fill(b, s, "create table t (id uuid primary key, note text); create table noise (n bigint, pad text)")
	noise := "insert into noise select g*1000003::bigint, repeat(md5(g::text), 20) from generate_series(1,60000) g"
	for i := range 16 {
		fill(b, s, noise)
		if i == 6 {
			fill(b, s, "insert into t values ('"+skimmedID+"','a'); delete from t where id='"+skimmedID+"'")
		}
	}
	tg := targetOfT(b, s)
	for _, way := range []string{"read all", "search always", "as it chooses"} {
		b.Run(way, func(b *testing.B) {
			for b.Loop() {
				db, err := postgres.Open("db:bench", s.DSN("postgres"), postgres.Options{Budget: postgres.Budget{WALBytes: -1}, Total: -1})
				if err != nil {
					b.Fatal(err)
				}
				src, err := db.OpenWAL(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				if way == "search always" {
					src.SkimAlways()
				}
				l, err := wal.Trace(b.Context(), src, []wal.Target{tg}, wal.Options{ReadAll: way == "read all"})
				if err != nil || len(l.Events) != 2 {
					b.Fatal(err, l)
				}
				total := int64(l.Segments) * 16 << 20
				b.SetBytes(total)
				b.ReportMetric(100*float64(src.Travelled())/float64(total), "%-travelled")
				_, _ = src.Close(), db.Close()
			}
		})
	}
}
