package probes

import (
	"context"
	"fmt"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
)

func integrityDamage() inv.Probe {
	return inv.Probe{
		ID: "integrity.damage", Step: inv.StepIntegrity, Phase: inv.PhaseCatalogue, Title: "Damage the server knows of",
		Asks:     "Did a checksum fail, does a collation differ from the one an index was built with, is damage hidden by a setting?",
		Why:      "A damaged page or index hides rows that were never deleted.",
		Negative: "Damage that nobody has read yet; clusters without checksums notice little.",
		Needs:    "a connection (--db)",
		Timeout:  20 * time.Second,
		Sends:    checksumSQL + ";\n\n" + collationSQL,
		Collect: func(ctx context.Context, c *inv.Collector) error {
			if err := ask(ctx, c, "checksums", sources.Query{SQL: checksumSQL, Note: "checksum failures"}); err != nil {
				return err
			}
			return ask(ctx, c, "collations", sources.Query{SQL: collationSQL, Note: "collations that changed under their indexes"})
		},
		Read: readDamage,
	}
}

var checksumSQL = `SELECT datname, checksum_failures, ` + utc("checksum_last_failure") + ` AS last_failure,
  current_setting('data_checksums') AS data_checksums, current_setting('zero_damaged_pages') AS zero_damaged_pages
FROM pg_stat_database WHERE datname = current_database()`

const collationSQL = `SELECT collname, collversion, pg_collation_actual_version(oid) AS actual FROM pg_collation
WHERE collversion IS DISTINCT FROM pg_collation_actual_version(oid) AND collversion IS NOT NULL`

func readDamage(in inv.Input) inv.Reading {
	sums, colls := answers(in, "checksums"), answers(in, "collations")
	if len(sums)+len(colls) == 0 {
		return noAnswer(in)
	}
	r := inv.Reading{Outcome: inv.Absent, Summary: "no checksum failure and no changed collation is known"}
	said := ""
	for _, a := range sums {
		if n := a.Text(0, "checksum_failures"); n != "" && n != "0" {
			f := propertyOn(a, "", "checksum-failures", n, fmt.Sprintf("%s checksum failures, the last %s", n, clock(pgTime(a.Text(0, "last_failure")))))
			r.Facts = append(r.Facts, f)
			said = joinLine(said, f.Says)
		}
		if a.Text(0, "zero_damaged_pages") == "on" {
			f := propertyOn(a, "", "zero-damaged-pages", "on", "zero_damaged_pages is on: damaged pages are emptied without an error")
			r.Facts = append(r.Facts, f)
			said = joinLine(said, f.Says)
		}
		if a.Text(0, "data_checksums") == "off" && said == "" {
			r.Summary += "; without data checksums damage shows late"
		}
	}
	for _, a := range colls {
		for i := range a.Rows {
			f := propertyOn(a, "", "collation", a.Text(i, "collname"), fmt.Sprintf("collation %s was version %s and is now %s: text indexes may miss rows", a.Text(i, "collname"), a.Text(i, "collversion"), a.Text(i, "actual")))
			r.Facts = append(r.Facts, f)
			said = joinLine(said, f.Says)
		}
	}
	if said != "" {
		r.Outcome, r.Summary = inv.Found, short(said, 300)
	}
	return r
}
