package probes

import (
	"strings"
	"testing"

	"inquest/sources/catalog"
)

func TestKeepsCopies(t *testing.T) {
	of := catalog.Table{Schema: "public", Name: "orders"}
	for name, want := range map[string]bool{
		"archive.orders": true, "public.orders_archive": true, "public.old_orders": true, "public.order_history": true, "public.orders_2024": true,
		"public.orders_bak_20251127": true, "public.OrderVersions": true, "public.deleted_orders_log": true,
		"public.order_users": false, "public.customers": false, "public.customer_archive": false, "public.reorders": false, "public.order_notes_old": false, "public.orders": false,
	} {
		schema, table, _ := strings.Cut(name, ".")
		if got := keepsCopies(catalog.Table{Schema: schema, Name: table}, of); got != want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
