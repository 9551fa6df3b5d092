package postgres_test

import (
	"strings"
	"testing"

	"inquest/sources"
	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
	"inquest/sources/postgres"
)

// cloudSQL makes the administrator of a managed server: it owns the data and may
// create roles, but reads no file of the server and streams no WAL.
const cloudSQL = `create role cloudadmin login createdb createrole password 'pw'; grant pg_monitor to cloudadmin; grant pg_signal_backend to cloudadmin;
create schema app authorization cloudadmin`

// strictSQL takes away what some managed servers do not leave either.
const strictSQL = `revoke execute on function pg_control_system(), pg_control_checkpoint() from public; revoke execute on function pg_ls_waldir(), pg_ls_logdir() from pg_monitor;
revoke execute on function pg_xact_status(xid8) from public`

func TestOnAManagedServerWhatCannotBeSeenIsBlind(t *testing.T) {
	for name, extra := range map[string]string{"usual": "select 1", "strict": strictSQL} {
		t.Run(name, func(t *testing.T) {
			every := pgservertest.Each
			if name == "strict" {
				every = func(t *testing.T, cfg pgserver.Config, test func(*testing.T, *pgserver.Server)) {
					test(t, pgservertest.New(t, cfg))
				}
			}
			every(t, pgserver.Config{Settings: map[string]string{"autovacuum": "off", "track_commit_timestamp": "on", "logging_collector": "on"}}, func(t *testing.T, s *pgserver.Server) {
				sql(t, s, cloudSQL)
				sql(t, s, extra)
				sql(t, s, "set role cloudadmin; create table app.h (id uuid primary key, pad text); insert into app.h select ('00000000-0000-0000-0000-' || lpad(to_hex(g), 12, '0'))::uuid, 'x' from generate_series(1, 100) g; delete from app.h where id = '"+uuidN(5)+"'")
				db := open(t, s, "cloudadmin", postgres.Options{})
				ctx := t.Context()
				st := db.Check(ctx)
				if st.State != sources.StatePartial || st.Problem == "" {
					t.Errorf("state %s: %s", st.State, st.Problem)
				}
				for _, a := range st.Abilities {
					if !a.OK && (a.Why == "" || a.Opens == "") {
						t.Errorf("%s is blind without a reason or remedy: %+v", a.Name, a)
					}
				}
				info, m := table(t, db, "app.h", postgres.Key{ID: uuidN(5)})
				_, walErr := db.WAL(ctx)
				_, streamErr := db.OpenStream(ctx)
				_, inspectErr := db.OpenInspect(ctx)
				_, pagesErr := db.SearchPages(ctx, info, m)
				_, logErr := db.ServerLog(ctx)
				for what, c := range map[string]struct {
					err  error
					want []string
				}{
					"WAL":           {walErr, []string{"GRANT EXECUTE ON FUNCTION pg_read_binary_file", "REVOKE", "REPLICATION", "CREATE FUNCTION public.inquest_wal_read"}},
					"stream":        {streamErr, []string{`ALTER ROLE "cloudadmin" REPLICATION`}},
					"pg_walinspect": {inspectErr, []string{"pg_walinspect"}},
					"pages":         {pagesErr, []string{"GRANT EXECUTE ON FUNCTION pg_read_binary_file", "REVOKE", "CREATE FUNCTION public.inquest_page_read", `"app"."h"`}},
					"log":           {logErr, []string{"--logs"}},
				} {
					if !isBlind(c.err) {
						t.Errorf("%s: %v, want a reason", what, c.err)
						continue
					}
					for _, w := range c.want {
						if !strings.Contains(c.err.Error(), w) {
							t.Errorf("%s: %v lacks %q", what, c.err, w)
						}
					}
				}
				if _, err := db.XactStatus(ctx, []uint32{700}); name == "usual" && err != nil || name == "strict" && !isBlind(err) {
					t.Errorf("status of transactions: %v", err)
				}
				for _, how := range []postgres.Access{{}, {NoIndex: true}} {
					if tab, err := db.Rows(ctx, info, m, how); err != nil || len(tab.Rows) != 0 {
						t.Errorf("rows: %v %v", tab, err)
					}
				}
				if _, err := db.Near(ctx, info, m); err != nil {
					t.Error("near:", err)
				}
				if _, err := db.SearchDatabases(ctx, postgres.Key{ID: uuidN(5)}, true); err != nil {
					t.Error("databases:", err)
				}
				if p, err := db.WALPosition(ctx); err != nil || p.LSN == 0 || p.Timeline != 1 || p.Have != 0 {
					t.Errorf("position: %+v %v", p, err)
				}
			})
		})
	}
}
