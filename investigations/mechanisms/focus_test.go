package mechanisms

import (
	"strings"
	"testing"

	inv "inquest/investigations"
)

const customers = "public.customers"

// elsewhere moves facts to another table.
func elsewhere(table string, list inv.Facts) inv.Facts {
	var out inv.Facts
	for _, x := range list {
		attrs := map[string]string{}
		for k, v := range x.Attrs {
			attrs[k] = v
		}
		if attrs["table"] != "" {
			attrs["table"] = table
		}
		x.Attrs = attrs
		out = append(out, x)
	}
	return out
}

func TestFocus(t *testing.T) { check(t, focusCases()) }

func focusCases() []verdict {
	both := facts(candidateFact(customers), visible(customers), removed())
	return []verdict{
		{name: "a number: gone here, simply there in another table", id: "42", facts: both, fate: "deleted probable"},
		{name: "the log names the other table, where it is", id: "42", facts: append(both, f(inv.APIAnswer, sec(1), "op", "read", "status", "404", "resource", "customer")), fate: "undetermined undetermined"},
		{name: "the log names both", id: "42", facts: append(both, f(inv.APIAnswer, sec(1), "op", "read", "status", "200", "resource", "customer"), f(inv.APIAnswer, sec(1), "op", "read", "status", "404", "resource", "order")), fate: "deleted established"},
		{name: "the person names the other table", id: "42", table: "customers", facts: both, fate: "present established", lead: "still-present application"},
		{name: "the person names this one", id: "42", table: `public."orders"`, facts: both, fate: "deleted established"},
		{name: "gone in two tables", id: "42", facts: append(elsewhere(customers, removed()), removed()...), fate: "undetermined undetermined"},
		{name: "gone in two, the log names one", id: "42", facts: append(append(elsewhere(customers, removed()), removed()...), issued(1, "resource", "order")), fate: "deleted established"},
		{name: "there in one, nothing in the other: which is meant is not told", id: "42", facts: facts(candidateFact(orders), absent(orders), candidateFact(customers), visible(customers)), fate: "present probable", lead: "still-present application"},
		{name: "there in two tables", id: "42", facts: facts(candidateFact(orders), visible(orders), candidateFact(customers), visible(customers)), fate: "undetermined undetermined"},
		{name: "its lines are still there, and refer to it", id: "42", facts: append(removed(), candidateFact("public.order_lines", "value", "part", "refers", orders), visible("public.order_lines")), fate: "deleted established"},
		{name: "its lines are gone, it is there", id: "42", facts: append(elsewhere("public.order_lines", removed()), candidateFact(orders), visible(orders), candidateFact("public.order_lines", "value", "part", "refers", orders)), fate: "present established", lead: "still-present application"},
		{name: "a copy in an archive table", facts: append(removed(), candidateFact("public.orders_archive", "history", "its name"), visible("public.orders_archive")), fate: "deleted established"},
		{name: "only a copy in an archive table is left, and nothing is known of its own", facts: facts(candidateFact(orders), absent(orders), candidateFact(customers), absent(customers), candidateFact("public.orders_archive", "history", "its name"), visible("public.orders_archive")), fate: "undetermined undetermined"},
		{name: "only a copy in an archive table is left, and one table is its own", facts: facts(candidateFact(orders), absent(orders), candidateFact("public.orders_archive", "history", "its name"), visible("public.orders_archive")), fate: "undetermined undetermined"},
		{name: "the archive is the only table that fits", facts: facts(candidateFact("public.orders_archive", "history", "its name"), visible("public.orders_archive")), fate: "present established", lead: "still-present application"},
		{name: "a table that was swapped by renaming: the row is in the old one", facts: facts(candidateFact(orders), absent(orders), issued(0), walAbsent(orders), candidateFact("public.orders_old", "history", "its name"), visible("public.orders_old")), fate: "undetermined undetermined"},
		{name: "a table that was swapped by renaming, and the old one was dropped", facts: facts(candidateFact(orders), absent(orders), issued(0), walAbsent(orders), elsewhere("public.orders_old", facts(inserted("700", "0/100", "(1,1)", 0), commits("700", 0.1)))), table: "orders", fate: "undetermined undetermined"},
		{name: "a part of the table leaves no WAL", facts: facts(candidateFact(orders), absent(orders), issued(0), walAbsent(orders), prop("persistence", "partly-unlogged")), fate: "undetermined undetermined"},
		{name: "nothing of it anywhere", facts: facts(candidateFact(orders), absent(orders), issued(0), walAbsent(orders), candidateFact("public.orders_old", "history", "its name"), absent("public.orders_old")), fate: "never-written probable"},
		{name: "handed out as a customer's number, and no such order", id: "42", facts: facts(candidateFact(orders), absent(orders), walAbsent(orders+", "+customers), candidateFact(customers), visible(customers), issued(1, "resource", "customer")), fate: "present established", lead: "still-present application"},
		{name: "a partition's row", facts: append(elsewhere("public.orders_2025", removed()), f(inv.TableProperty, sec(0), "name", "partition", "table", "public.orders_2025", "value", orders)), fate: "deleted established"},
	}
}

// A copy shows that the record existed: it is not said that nothing does.
func TestACopyIsToldAndIsNotTheRecord(t *testing.T) {
	kept := facts(candidateFact(orders), absent(orders), candidateFact(customers), absent(customers), candidateFact("public.orders_archive", "history", "its name"), visible("public.orders_archive"))
	j := verdict{facts: kept}.judge()
	if !strings.Contains(j.Fate.Summary, "is in public.orders_archive") || strings.Contains(j.Fate.Summary, "nothing shows") {
		t.Error(j.Fate.Summary)
	}
	if j = (verdict{id: "42", facts: kept}).judge(); strings.Contains(j.Fate.Summary, "orders_archive") {
		t.Errorf("a number names another record there: %s", j.Fate.Summary)
	}
}

func TestSummaryNamesTheTable(t *testing.T) {
	j := verdict{id: "42", facts: facts(candidateFact(customers), visible(customers), elsewhere("public.jobs", stored()), candidateFact("public.jobs"), visible("public.jobs"), removed())}.judge()
	if !strings.Contains(j.Fate.Summary, orders) {
		t.Errorf("the summary does not name %s: %s", orders, j.Fate.Summary)
	}
	j = verdict{id: "42", facts: append(elsewhere(customers, removed()), removed()...)}.judge()
	if !strings.Contains(j.Fate.Summary, customers) || !strings.Contains(strings.Join(j.Fate.Settles, " "), "--table") {
		t.Errorf("the summary does not name both tables and --table: %s, %q", j.Fate.Summary, j.Fate.Settles)
	}
	if h, ok := j.Leading(); ok {
		t.Errorf("%s leads an undetermined case", h.Mechanism)
	}
}
