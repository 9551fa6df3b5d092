package postgres_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
	"inquest/sources/postgres"
	"inquest/sources/wal"
)

const inspectorSQL = `create extension pg_walinspect; create role inspector login password 'pw'; grant pg_read_server_files to inspector;
create role deaf login password 'pw'`

// inspectLives are lives of keys, each a list of transactions.
const inspectLives = `create table k (id uuid primary key, n int, pad text);
insert into k select ('00000000-0000-0000-0000-' || lpad(to_hex(g), 12, '0'))::uuid, g, repeat('p', 100) from generate_series(1, 3000) g;
checkpoint;
update k set n = n + 1 where id = '00000000-0000-0000-0000-000000000005';
delete from k where id = '00000000-0000-0000-0000-000000000005';
insert into k values ('00000000-0000-0000-0000-00000000a001', 1, 'first');
update k set pad = repeat('q', 3000) where id = '00000000-0000-0000-0000-00000000a001';
begin; savepoint a; delete from k where id = '00000000-0000-0000-0000-00000000a001'; release a; commit;
begin; insert into k values ('00000000-0000-0000-0000-00000000a002', 2, 'rolled back'); rollback;
insert into k values ('00000000-0000-0000-0000-00000000a003', 3, 'renamed');
update k set id = '00000000-0000-0000-0000-00000000a004' where id = '00000000-0000-0000-0000-00000000a003';
begin; insert into k values ('00000000-0000-0000-0000-00000000a005', 5, 'prepared'); prepare transaction 'one';
commit prepared 'one';
insert into k select gen_random_uuid(), g, repeat('r', 100) from generate_series(1, 20000) g;
delete from k where n > 10000;
vacuum k;
update k set n = 0 where id = '00000000-0000-0000-0000-000000000007';
delete from k where id = '00000000-0000-0000-0000-000000000007'`

func TestWALByWalinspectTellsTheSameLives(t *testing.T) {
	for _, compression := range []string{"off", "on"} {
		t.Run("wal_compression "+compression, func(t *testing.T) {
			pgservertest.Each(t, pgserver.Config{Settings: map[string]string{
				"autovacuum": "off", "wal_compression": compression, "max_prepared_transactions": "5", "max_wal_size": "1GB",
			}}, func(t *testing.T, s *pgserver.Server) {
				if s.Installation().Major < 15 {
					t.Skip("no pg_walinspect in this version")
				}
				sql(t, s, inspectorSQL)
				if s.Installation().Major == 15 {
					_, err := open(t, s, "inspector", postgres.Options{}).WAL(t.Context())
					if !isBlind(err) {
						t.Error(err)
					}
					return
				}
				for stmt := range strings.SplitSeq(inspectLives, ";\n") {
					sql(t, s, stmt)
				}
				db := open(t, s, "inspector", postgres.Options{})
				src, err := db.WAL(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				w, ok := src.(*postgres.InspectSource)
				if !ok {
					t.Fatalf("the way chosen is %T", src)
				}
				defer func() { _ = w.Close() }()
				dir, err := wal.OpenDir(s.WALDir())
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = dir.Close() }()
				for _, id := range []string{
					"00000000-0000-0000-0000-000000000005", "00000000-0000-0000-0000-00000000a001", "00000000-0000-0000-0000-00000000a002", "00000000-0000-0000-0000-00000000a003",
					"00000000-0000-0000-0000-00000000a004", "00000000-0000-0000-0000-00000000a005", "00000000-0000-0000-0000-000000000007", "00000000-0000-0000-0000-00000000ffff",
				} {
					info, m := table(t, open(t, s, "", postgres.Options{}), "k", postgres.Key{ID: id})
					got, want := traceIt(t, w, info, m), traceIt(t, dir, info, m)
					if d := cmp.Diff(lives(t, want), lives(t, got)); d != "" {
						t.Errorf("%s (%d records stand inexactly; end %s, covered %v): %s", id, w.Inexact(), got.End, got.Covered, d)
					}
					if len(want.Events) == 0 && id != "00000000-0000-0000-0000-00000000ffff" {
						t.Error(id, "has no life at all")
					}
					if len(got.Gaps) > 0 || got.BadCRC > 0 || got.Damaged > 0 {
						t.Errorf("%s: gaps %v, %d bad, %d damaged", id, got.Gaps, got.BadCRC, got.Damaged)
					}
				}
				t.Logf("%d records stand inexactly", w.Inexact())
			})
		})
	}
}

func TestWALByWalinspectTellsOfCrashes(t *testing.T) {
	pgservertest.Each(t, pgserver.Config{Settings: map[string]string{"autovacuum": "off"}}, func(t *testing.T, s *pgserver.Server) {
		if s.Installation().Major < 16 {
			t.Skip("pg_walinspect of this version does not show the content of rows")
		}
		sql(t, s, inspectorSQL)
		sql(t, s, "create table k (id uuid primary key, n int); create table other (n int)")
		c := connectSuper(t, s)
		const id = "00000000-0000-0000-0000-00000000c001"
		if _, err := c.Exec(t.Context(), "begin; insert into k values ('"+id+"', 1)").ReadAll(); err != nil {
			t.Fatal(err)
		}
		sql(t, s, "insert into other values (1)") // its commit takes the insert to disk
		s.Crash()
		_ = c.Close(t.Context()) // the server is gone
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		w, err := open(t, s, "inspector", postgres.Options{}).OpenInspect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = w.Close() }()
		info, m := table(t, open(t, s, "", postgres.Options{}), "k", postgres.Key{ID: id})
		l := traceIt(t, w, info, m)
		if len(l.Events) != 1 || l.Events[0].Op != wal.OpInsert || l.Xacts[l.Events[0].XID].State != wal.Crashed {
			t.Errorf("events %+v, transactions %+v", l.Events, l.Xacts)
		}
		if !slices.ContainsFunc(l.Restarts, func(r wal.Restart) bool {
			return len(r.Lost) == 1 && r.Kind == "shutdown-checkpoint" && r.Time.IsZero() && r.TLI == 1
		}) {
			t.Errorf("restarts %+v", l.Restarts)
		}
	})
}

func traceIt(t *testing.T, src wal.Source, info *postgres.TableInfo, m postgres.Match) *wal.Lineage {
	t.Helper()
	target := wal.Target{Rel: info.File, OID: info.OID, Table: info.Name, Columns: info.Columns, Key: m.Parts}
	for _, ix := range info.Indexes {
		target.Indexes = append(target.Indexes, wal.IndexTarget{Rel: ix.File, OID: ix.OID, Name: ix.Name, KeyAttNums: []int16{1}})
	}
	l, err := wal.Trace(t.Context(), src, []wal.Target{target}, wal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// lives is what a lineage says of the key: its events and how their transactions ended.
func lives(t *testing.T, l *wal.Lineage) string {
	t.Helper()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	for _, e := range l.Events {
		if err := enc.Encode(e); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range l.Events {
		if x := l.Xacts[e.XID]; x != nil {
			if err := enc.Encode([]any{x.XID, x.TopXID, x.State, x.Time, x.LSN, x.Subxacts}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out.String()
}
