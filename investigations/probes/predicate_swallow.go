package probes

import (
	"context"
	"fmt"
	"slices"

	inv "inquest/investigations"
	"inquest/sources"
	"inquest/sources/catalog"
)

// swallowingRules are the triggers and rules of a table that can drop an insert
// without an error, with the conditions on which they do.
func swallowingRules(ctx context.Context, c *inv.Collector, s inv.Able[sources.Querier], t catalog.Table) ([]foundRule, error) {
	if c.Facts.Of(inv.TupleInserted).With("table", t.DisplayName()).With("server", s.Source.Name()).Any(inv.TupleInserted) {
		return nil, nil // it was written: nothing swallowed it
	}
	var out []foundRule
	at := serverNow(c, s.Source.Name())
	add := func(from, name, text string, rule removalRule) {
		out = append(out, foundRule{checkedRule{Table: t.DisplayName(), Kind: "swallow", From: from, Name: name, Text: short(text, 300), At: at}, rule})
	}
	for _, f := range c.Facts.Of(inv.IDIssued) {
		if !f.Time.IsZero() {
			at = f.Time
			break
		}
	}
	var bodies *sources.Table
	for _, g := range t.Triggers {
		if g.Enabled == "D" || !g.Swallows || !g.Insert || !g.Row || g.Timing == "after" {
			continue
		}
		if bodies == nil {
			q := sources.Query{SQL: triggerBodiesSQL, Args: []string{fmt.Sprint(t.OID)}, Note: "what the table's triggers do"}
			tab, err := s.Ability.Query(ctx, q)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				tab = &sources.Table{}
			}
			bodies = tab
		}
		body := ""
		for i := range bodies.Rows {
			if bodies.Text(i, "name") == g.Name {
				body = bodies.Text(i, "code")
			}
		}
		add("trigger", g.Name, g.Definition, swallowCondition(g.Definition, body, &t))
	}
	for _, r := range t.Rules {
		if r.Instead && r.Event == "insert" && r.Enabled != "D" {
			add("rule", r.Name, r.Definition, ruleCondition(r.Definition, &t))
		}
	}
	return out, nil
}

const triggerBodiesSQL = `SELECT t.tgname AS name, left(p.prosrc, 30000) AS code FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE t.tgrelid = $1::oid AND NOT t.tgisinternal`

// swallowCondition is the condition on which a trigger drops an insert: its WHEN,
// and the IF … THEN RETURN NULL of its function.
func swallowCondition(definition, body string, t *catalog.Table) removalRule {
	when, fires := removalRule{all: true}, lexSQL(definition)
	for i, tok := range fires {
		if !tok.isWord("when") || i+1 >= len(fires) || !fires[i+1].is("(") {
			continue
		}
		p, rest, err := readCondition(fires[i+1:], t, "new")
		switch {
		case err != nil:
			return removalRule{why: "of its WHEN: " + err.Error()}
		case len(rest) == 0 || !rest[0].isWord("execute"):
			return removalRule{why: "its WHEN is not understood"}
		}
		when = removalRule{cond: p}
		break
	}
	drops := dropsInBody(body, t)
	switch {
	case when.all:
		return drops
	case drops.all:
		return when
	case drops.why != "":
		when.open = drops.why // a WHEN that does not hold is an answer all the same
		return when
	}
	return removalRule{cond: both(when.cond, drops.cond)}
}

// dropsInBody reads the conditions on which a function returns NULL.
func dropsInBody(body string, t *catalog.Table) removalRule {
	tokens := lexSQL(body)
	var conds []predicate
	nulls, inside := 0, 0
	for i, tok := range tokens {
		if tok.isWord("return") && i+1 < len(tokens) && tokens[i+1].isWord("null") {
			nulls++
		}
		if !tok.isWord("if") && !tok.isWord("elsif") || i > 0 && tokens[i-1].isWord("end") {
			continue
		}
		block, then := blockOf(tokens[i+1:])
		n := countNulls(block)
		if n == 0 {
			continue
		}
		p, rest, err := readCondition(tokens[i+1:], t, "new")
		if err != nil {
			return removalRule{why: err.Error()}
		}
		if tok.isWord("elsif") || !then || len(rest) == 0 || !rest[0].isWord("then") || slices.ContainsFunc(block, func(b token) bool { return b.isWord("if") }) {
			return removalRule{why: "its function is not simple enough"}
		}
		inside += n
		conds = append(conds, p)
	}
	switch {
	case nulls == 0:
		return removalRule{why: "its function's source could not be read"}
	case len(conds) == 0 && !slices.ContainsFunc(tokens, func(k token) bool {
		return k.isWord("case") || k.isWord("loop") || k.isWord("exception") || k.isWord("select")
	}):
		return removalRule{all: true}
	case inside != nulls || len(conds) == 0:
		return removalRule{why: "its function is not simple enough"}
	}
	p := conds[0]
	for _, c := range conds[1:] {
		p = either(p, c)
	}
	return removalRule{cond: p}
}

// blockOf is what stands between THEN and the next ELSE, ELSIF or END IF.
func blockOf(tokens []token) (block []token, ok bool) {
	from := slices.IndexFunc(tokens, func(t token) bool { return t.isWord("then") })
	if from < 0 {
		return nil, false
	}
	block = tokens[from+1:]
	if to := slices.IndexFunc(block, func(t token) bool { return t.isWord("else") || t.isWord("elsif") || t.isWord("end") }); to >= 0 {
		block = block[:to]
	}
	return block, true
}

func countNulls(tokens []token) int {
	n := 0
	for i := range tokens {
		if i+1 < len(tokens) && tokens[i].isWord("return") && tokens[i+1].isWord("null") {
			n++
		}
	}
	return n
}

// ruleCondition is the condition of a rule that replaces inserts.
func ruleCondition(definition string, t *catalog.Table) removalRule {
	tokens := lexSQL(definition)
	for i, tok := range tokens {
		switch {
		case tok.isWord("do"):
			return removalRule{all: true}
		case tok.isWord("where"):
			p, rest, err := readCondition(tokens[i+1:], t, "new")
			if err != nil {
				return removalRule{why: err.Error()}
			}
			if len(rest) == 0 || !rest[0].isWord("do") {
				return removalRule{why: "its condition is not understood"}
			}
			return removalRule{cond: p}
		}
	}
	return removalRule{why: "its definition is not understood"}
}
