package probes

import (
	"fmt"
	"slices"
	"strings"
	"time"

	inv "inquest/investigations"
)

func readRow(in inv.Input) inv.Reading {
	var r inv.Reading
	looked, seen := 0, 0
	for _, e := range in.Evidence {
		if e.Kind == evidenceFar {
			facts := farFacts(e)
			looked += len(facts)
			r.Facts = append(r.Facts, facts...)
			continue
		}
		how, table, _ := strings.Cut(e.Tag, ":")
		a := answer{evidence: e.ID, source: e.Source, at: e.CollectedAt}
		if e.Kind != inv.EvidenceTable || e.Decode(&a.Table) != nil {
			continue
		}
		looked++
		facts := rowFacts(in, how, table, a)
		for _, f := range facts {
			if f.Kind != inv.RowAbsent && f.Kind != inv.TableProperty && f.Attr("found") != "false" {
				seen++
				r.Summary = joinLine(r.Summary, f.Says)
			}
		}
		r.Facts = append(r.Facts, facts...)
	}
	switch {
	case looked == 0:
		return inv.BlindReading(in.Blind)
	case seen > 0:
		r.Outcome = inv.Found
	default:
		r.Outcome = inv.Absent
		r.Summary = "not there: " + tablesAsked(in)
		if !inv.Facts(r.Facts).Any(inv.RowAbsent) {
			r.Outcome, r.Summary = inv.BlindOutcome, "row-level security may have hidden it from this role"
			r.Opens = "connect as the table's owner or a role with BYPASSRLS"
		}
	}
	return r
}

func tablesAsked(in inv.Input) string {
	var names []string
	ways := map[string]bool{}
	for _, e := range in.Evidence {
		how, table, _ := strings.Cut(e.Tag, ":")
		if how == "key" {
			names = append(names, table)
		}
		ways[how] = true
	}
	s := short(strings.Join(names, ", "), 120)
	if n := farAsked(in); n > 0 {
		s += " and " + plural(n, "more table")
	}
	s += ", by key"
	if ways["heap"] {
		s += ", without the index"
	}
	if ways["near"] {
		s += ", under similar ids"
	}
	return s
}

func rowFacts(in inv.Input, how, table string, a answer) []inv.Fact {
	base := func(kind inv.FactKind, says string, kv ...string) inv.Fact {
		f := inv.Fact{
			Kind: kind, Ground: inv.GroundTruth, Evidence: []string{a.evidence}, Time: a.at, Says: says,
			Attrs: map[string]string{"table": table, "server": a.source, "via": how},
		}
		for i := 0; i+1 < len(kv); i += 2 {
			f.Attrs[kv[i]] = kv[i+1]
		}
		return f
	}
	none := len(a.Rows) == 0
	switch how {
	case "key":
		if none && a.Filtered {
			return []inv.Fact{base(inv.TableProperty, "row-level security thins out what this role is shown of "+table, "name", "row-filtered", "value", "by key")}
		}
		if none {
			return []inv.Fact{base(inv.RowAbsent, "no row of "+table+" has the key")}
		}
		out := []inv.Fact{base(inv.RowVisible, "a row of "+table+" has the key", "xmin", a.Text(0, colXmin))}
		if column, value, ok := deletionMark(a, 0, marksOf(in, table)); ok {
			out = append(out, base(inv.RowFlagged, fmt.Sprintf("the row of %s has %s = %s", table, column, value), "column", column, "value", value))
		} else if column, value, ok := formerMark(a, 0, marksOf(in, table)); ok {
			out = append(out, formerFact(table, column, value, base))
		}
		return out
	case "heap":
		again, asked := askedAgain(in, table, a.source)
		switch {
		case none && a.Filtered:
		case none:
			return []inv.Fact{base(inv.RowAbsent, "no row of "+table+" has the key, with index scans off as well")}
		case !asked: // nothing tells whether it came in between
		case len(again.Rows) == 0:
			f := base(inv.IndexDisagrees, "the row of "+table+" is found without the index and, before and after, not with it", "index", "of its key")
			f.Evidence = append(f.Evidence, again.evidence)
			return []inv.Fact{f}
		default:
			return []inv.Fact{base(inv.RowVisible, "a row of "+table+" has the key; it was committed while it was looked for", "via", "key")}
		}
	case "rekeyed":
		return rekeyedFact(table, a, base)
	case "role":
		if !none {
			return []inv.Fact{base(inv.RowVisible, fmt.Sprintf("the role %s sees the row of %s", in.Settings.AppRole, table), "as", in.Settings.AppRole)}
		}
		if none {
			return []inv.Fact{base(inv.RowMasked, fmt.Sprintf("the role %s does not see the row of %s", in.Settings.AppRole, table), "as", in.Settings.AppRole)}
		}
	case "same-xact":
		return sameXactFacts(in, table, a, base)
	case "later":
		if none {
			return []inv.Fact{base(inv.RowAbsent, "no row of "+table+" has the key here, while another node of the cluster has it")}
		}
		return []inv.Fact{base(inv.RowVisible, "a row of "+table+" has the key; it came while it was looked for", "via", "key")}
	case "near":
		return nearFacts(in, table, a, base)
	default:
		if strings.HasPrefix(how, "twin[") {
			return twinFacts(how, table, a, in.Record.Values(), base)
		}
	}
	return nil
}

// askedAgain is the second answer by key, which follows a hit without the index.
func askedAgain(in inv.Input, table, server string) (answer, bool) {
	for _, a := range answers(in, "again:"+table) {
		if a.source == server {
			return a, true
		}
	}
	return answer{}, false
}

// marksOf are the columns of a table that the catalogue probe took for deletion
// marks, by their names.
func marksOf(in inv.Input, table string) []string {
	for _, f := range in.Facts.Of(inv.TableProperty).With("table", table).With("name", "soft-delete") {
		return strings.Split(f.Attr("value"), ",")
	}
	return nil
}

// deletionMark finds a column of the row that marks it as removed.
func deletionMark(a answer, row int, marks []string) (column, value string, ok bool) {
	for _, name := range a.Columns {
		v, notNull := a.Cell(row, name)
		if !notNull {
			continue
		}
		switch {
		case slices.Contains(marks, name):
			if at, err := time.Parse("2006-01-02 15:04:05.999999999-07", v); err == nil && at.After(a.at) {
				continue // it will be removed, and is not yet
			}
			if v != "f" && v != "0" && v != "" && v != "N" && v != "n" && v != "false" {
				return name, v, true
			}
		case strings.EqualFold(name, "status") || strings.EqualFold(name, "state"):
			switch strings.ToLower(v) {
			case "deleted", "removed", "archived", "trashed", "discarded", "voided", "purged":
				return name, v, true
			}
		}
	}
	return "", "", false
}
