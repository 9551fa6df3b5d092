package probes

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
	"inquest/sources/catalog"
)

// verdictOnRow is what a condition says of a row.
type verdictOnRow struct {
	// Holds is true, false or unknown.
	Holds string `json:"holds"`
	Why   string `json:"why,omitempty"` // why it is unknown
	Query string `json:"query,omitempty"`
}

// Values of verdictOnRow.Holds.
const (
	holdsTrue    = "true"
	holdsFalse   = "false"
	holdsUnknown = "unknown"
)

// content is a row as far as it is known: nil is NULL, a missing column unknown.
type content map[string]*string

// zones are those that a condition is evaluated in when its value depends on the
// session's time zone, which nobody wrote down: the middle and both ends.
var zones = []string{"UTC", "Etc/GMT+12", "Pacific/Kiritimati"}

// evaluate asks the server whether the condition holds for the row at a moment. The
// query reads no table: the row's values are in it as literals of plain types.
func evaluate(ctx context.Context, q sources.Querier, p predicate, t *catalog.Table, row content, at time.Time) (verdictOnRow, error) {
	var columns []string
	p.args = slices.Clone(p.args)
	for _, name := range p.columns {
		value, known := row[name]
		if !known {
			return verdictOnRow{Holds: holdsUnknown, Why: "the row's " + name + " is not known"}, nil
		}
		typ, _ := plainType(t.Column(name))
		literal := "NULL"
		if value != nil {
			p.args = append(p.args, *value)
			literal = fmt.Sprintf("$%d", len(p.args))
		}
		columns = append(columns, fmt.Sprintf("%s::%s AS %s", literal, typ, catalog.QuoteIdent(name)))
	}
	if len(columns) == 0 {
		columns = []string{"1 AS one"}
	}
	if len(p.moments) > 0 && at.IsZero() {
		return verdictOnRow{Holds: holdsUnknown, Why: "the moment at which it ran is not known"}, nil
	}
	for _, n := range p.moments {
		p.args[n-1] = at.UTC().Format(time.RFC3339Nano)
	}
	query := sources.Query{
		SQL: fmt.Sprintf("SELECT (%s)::boolean AS holds FROM (SELECT %s) AS t", p.sql, strings.Join(columns, ", ")), Args: p.args,
		Note: "does a rule for removal hold for the row's last content; no table is read", MaxRows: 1,
	}
	in := zones
	if !p.zoned {
		in = zones[:1]
	}
	out := verdictOnRow{Query: statement(query)}
	for i, zone := range in {
		query.Settings = map[string]string{"timezone": zone}
		tab, err := q.Query(ctx, query)
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		if err != nil {
			return verdictOnRow{Holds: holdsUnknown, Why: "the server could not evaluate it: " + short(err.Error(), 160), Query: out.Query}, nil
		}
		holds := holdsFalse // NULL takes no row
		if tab.Text(0, "holds") == "t" {
			holds = holdsTrue
		}
		if i > 0 && holds != out.Holds {
			return verdictOnRow{Holds: holdsUnknown, Why: "it depends on the time zone of the session that ran it", Query: out.Query}, nil
		}
		out.Holds = holds
	}
	return out, nil
}

// checkedRule is a rule that was held against the row, as it is stored.
type checkedRule struct {
	verdictOnRow
	Table string    `json:"table"`
	Kind  string    `json:"kind"` // delete or swallow
	From  string    `json:"from"` // function, cron, statement, log, trigger or rule
	Name  string    `json:"name"` // of the function, job or trigger
	Job   string    `json:"job,omitempty"`
	Text  string    `json:"text"`
	XID   string    `json:"xid,omitempty"` // the removal at whose moment it was evaluated
	At    time.Time `json:"at,omitzero"`
	Row   string    `json:"row"` // where the row's content is from
}

const evidenceRules = "rules"

// ruleFacts states what was stored.
func ruleFacts(in inv.Input) []inv.Fact {
	var out []inv.Fact
	for _, e := range in.Evidence {
		var list []checkedRule
		if e.Kind != evidenceRules || e.Decode(&list) != nil {
			continue
		}
		for _, c := range list {
			out = append(out, c.fact(e))
		}
	}
	return out
}

func (c checkedRule) fact(e inv.Evidence) inv.Fact {
	f := inv.Fact{
		Kind: inv.PredicateChecked, Ground: inv.GroundTruth, Evidence: []string{e.ID},
		Attrs: map[string]string{
			"table": c.Table, "kind": c.Kind, "from": c.From, "name": c.Name, "job": c.Job, "rule": c.Text, "holds": c.Holds, "why": c.Why, "of": c.XID, "server": e.Source, "row": c.Row,
		},
	}
	if !c.At.IsZero() {
		f.Attrs["at"] = c.At.UTC().Format(time.RFC3339Nano)
	}
	what := fmt.Sprintf("%s %s: %s", c.From, c.Name, short(c.Text, 160))
	switch c.Holds {
	case holdsTrue:
		f.Says = what + " takes the record, as its content was" + momentOf(c.At)
	case holdsFalse:
		f.Says = what + " does not take the record, as its content was" + momentOf(c.At)
	default:
		f.Says = what + ": whether it takes the record cannot be told, for " + c.Why
	}
	return f
}

func momentOf(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return " " + clock(at)
}
