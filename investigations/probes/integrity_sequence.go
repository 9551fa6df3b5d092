package probes

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
)

func integritySequence() inv.Probe {
	return inv.Probe{
		ID: "integrity.sequence", Step: inv.StepIntegrity, Phase: inv.PhaseCatalogue, Title: "Sequence against the id",
		Asks:     "Does the sequence that hands out the ids of the table stand behind this one?",
		Why:      "An id that was handed out and that its sequence has not reached shows that the table, or the whole server, was put back to an earlier state.",
		Negative: "Ids that come from elsewhere; a sequence that has moved on past the id since.",
		Needs:    "USAGE or SELECT on the sequence",
		Timeout:  20 * time.Second,
		Sends:    sequencesSQL,
		Collect:  collectSequences,
		Read:     readSequences,
	}
}

// sequencesSQL lists the sequences behind the columns of tables: owned by the
// column, of an identity, or called in its default.
const sequencesSQL = `SELECT n.nspname || '.' || t.relname AS on_table, a.attname AS column, q.schemaname || '.' || q.sequencename AS sequence,
  format('GRANT SELECT ON SEQUENCE %I.%I TO %I (afterwards: REVOKE SELECT ON SEQUENCE %I.%I FROM %I)', sn.nspname, s.relname, current_user, sn.nspname, s.relname, current_user) AS opens,
  has_sequence_privilege(s.oid, 'SELECT, USAGE') AS readable,
  q.last_value::text AS last_value, q.increment_by::text AS increment
FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN LATERAL (
  SELECT d.objid AS oid FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid AND d.refobjsubid = a.attnum AND d.deptype IN ('a', 'i')
  UNION SELECT d.refobjid FROM pg_attrdef ad JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = ad.oid AND d.refclassid = 'pg_class'::regclass WHERE ad.adrelid = t.oid AND ad.adnum = a.attnum
) o ON true
JOIN pg_class s ON s.oid = o.oid AND s.relkind = 'S' JOIN pg_namespace sn ON sn.oid = s.relnamespace
JOIN pg_sequences q ON q.schemaname = sn.nspname AND q.sequencename = s.relname
WHERE t.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2 LIMIT 500`

func collectSequences(ctx context.Context, c *inv.Collector) error {
	if !isNumber(c.Record.ID) {
		return nil
	}
	return ask(ctx, c, "sequences", sources.Query{SQL: sequencesSQL, Note: "sequences behind columns"})
}

func isNumber(id string) bool {
	return id != "" && len(id) < 19 && strings.Trim(id, "0123456789") == ""
}

func readSequences(in inv.Input) inv.Reading {
	if !isNumber(in.Record.ID) {
		return inv.Reading{Outcome: inv.NotApplicable, Summary: "the id is no number of a sequence"}
	}
	list := answers(in, "sequences")
	if len(list) == 0 {
		return noAnswer(in)
	}
	id, none := atoi(in.Record.ID), true
	r := inv.Reading{Outcome: inv.NotApplicable, Summary: "no sequence stands behind the key of a table that the id fits"}
	for _, a := range list {
		for i := range a.Rows {
			table := a.Text(i, "on_table")
			if !slices.ContainsFunc(in.Facts.Of(inv.TableProperty).With("name", "candidate").With("server", a.source), func(f inv.Fact) bool {
				return f.Attr("table") == table && f.Attr("columns") == a.Text(i, "column")
			}) {
				continue
			}
			last, seen := a.Cell(i, "last_value")
			says := fmt.Sprintf("the sequence %s of %s.%s stands at %s", a.Text(i, "sequence"), table, a.Text(i, "column"), last)
			switch {
			case !seen:
				switch {
				case r.Outcome == inv.Found:
				case a.Text(i, "readable") != "t":
					r.Outcome, r.Summary, r.Opens = inv.BlindOutcome, "the sequence "+a.Text(i, "sequence")+" may not be read by this role", a.Text(i, "opens")
				case r.Outcome == inv.NotApplicable:
					r.Summary = "the sequence " + a.Text(i, "sequence") + " was never used, or was set back to its start"
				}
				continue
			case atoi(last) < id:
				says += ", behind the id " + in.Record.ID
				r.Outcome, r.Opens, none = inv.Found, "", false
			case none:
				r.Outcome, r.Opens = inv.Absent, ""
			}
			r.Summary = says
			f := propertyOn(a, table, "sequence", last, says)
			f.Attrs["column"], f.Attrs["sequence"], f.Attrs["increment"] = a.Text(i, "column"), a.Text(i, "sequence"), a.Text(i, "increment")
			r.Facts = append(r.Facts, f)
		}
	}
	return r
}
