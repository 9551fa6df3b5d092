package postgres_test

import (
	"strings"
	"testing"

	"inquest/sources"
	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
	"inquest/sources/postgres"
)

func TestExpiresSaysWhatHoldsTheWAL(t *testing.T) {
	s := pgservertest.New(t, pgserver.Config{Settings: map[string]string{"autovacuum": "on", "wal_keep_size": "64MB"}})
	expires := func() map[string]sources.Expiry {
		out := map[string]sources.Expiry{}
		for _, e := range open(t, s, "", postgres.Options{}).Check(t.Context()).Expires {
			kind, _, _ := strings.Cut(e.What, " ")
			out[kind] = e
		}
		return out
	}
	kept := expires()
	if e := kept["WAL"]; !strings.Contains(e.Why, "wal_keep_size 64 MB") || !strings.Contains(e.What, "000000010000000000000001") {
		t.Errorf("%+v", e)
	}
	if e := kept["dead"]; !strings.Contains(e.Why, "autovacuum") || !e.At.IsZero() {
		t.Errorf("%+v", e)
	}
	sql(t, s, "select pg_create_physical_replication_slot('holding', true)")
	if e := expires()["WAL"]; !e.At.IsZero() || !strings.Contains(e.Why, "slot holding") {
		t.Errorf("%+v", e)
	}
}
