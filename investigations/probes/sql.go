package probes

import (
	"context"
	"slices"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
)

// ask sends one query to every server that takes queries and keeps the answers
// under tag. A server that cannot answer is recorded as blind.
func ask(ctx context.Context, c *inv.Collector, tag string, q sources.Query) error {
	servers := inv.With[sources.Querier](c)
	if len(servers) == 0 {
		return noServer(c)
	}
	for _, s := range servers {
		t, err := s.Ability.Query(ctx, q)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			blindTo(c, s.Source.Name(), err)
			continue
		}
		if err := c.Keep(inv.EvidenceTable, s.Source.Name(), statement(q), tag, t); err != nil {
			return err
		}
	}
	return nil
}

// standbysFirst puts the standbys of a cluster before its primary: reading on a
// standby prunes no dead row versions. The rest keep their order.
func standbysFirst[T any](c *inv.Collector, servers []inv.Able[T]) []inv.Able[T] {
	out := slices.Clone(servers)
	slices.SortStableFunc(out, func(a, b inv.Able[T]) int {
		return rankOfServer(c.Facts, a.Source.Name()) - rankOfServer(c.Facts, b.Source.Name())
	})
	return out
}

func rankOfServer(facts inv.Facts, server string) int {
	if serverSays(facts, server, "in_recovery") == "t" {
		return 0
	}
	return 1
}

// serverSays is what a server said of itself.
func serverSays(facts inv.Facts, server, name string) string {
	for _, f := range facts.Of(inv.Setting).With("name", "server."+name).With("server", server) {
		return f.Attr("value")
	}
	return ""
}

// noServer says why no database can be asked: none was named, or the one that was
// could not be opened.
func noServer(c *inv.Collector) error {
	if err := missingServer(c); err != nil {
		return err
	}
	return &sources.Blind{Why: "no database was given", Opens: "name one with --db, such as --db postgres://user@host/database"}
}

// missingServer is why a database that was named could not be opened, or nil.
func missingServer(c *inv.Collector) error {
	for _, s := range c.Sources {
		if m, ok := s.(interface{ Reason() *sources.Blind }); ok && s.Kind() == sources.KindPostgres {
			return m.Reason()
		}
	}
	return nil
}

// statement is the query with its parameters, as it is shown to people.
func statement(q sources.Query) string {
	s := q.SQL
	for i, a := range q.Args {
		s += "\n-- $" + itoa(i+1) + " = '" + a + "'"
	}
	if q.As != "" {
		s = "SET LOCAL ROLE " + q.As + ";\n" + s
	}
	return s
}

// answer is a stored query result with the item it came from.
type answer struct {
	sources.Table
	evidence, source string
	at               time.Time
}

// has reports whether a row has this value in the column.
func (a answer) has(column, value string) bool {
	for i := range a.Rows {
		if a.Text(i, column) == value {
			return true
		}
	}
	return false
}

// answers returns the stored results with this tag.
func answers(in inv.Input, tag string) []answer {
	var out []answer
	for _, e := range in.Evidence {
		if e.Kind != inv.EvidenceTable || e.Tag != tag {
			continue
		}
		a := answer{evidence: e.ID, source: e.Source, at: e.CollectedAt}
		if e.Decode(&a.Table) == nil {
			out = append(out, a)
		}
	}
	return out
}

// noAnswer is the reading of a probe whose queries brought nothing.
func noAnswer(in inv.Input) inv.Reading { return inv.BlindReading(in.Blind) }

// pgTime parses a timestamptz that the SQL printed with to_char in UTC.
func pgTime(s string) time.Time {
	t, err := time.Parse(pgTimeLayout, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

const pgTimeLayout = "2006-01-02T15:04:05.000000Z"

// utc is the SQL that prints a timestamptz expression for pgTime.
func utc(expr string) string {
	return "to_char((" + expr + ") AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
}

// array is a one-dimensional array in PostgreSQL's text form, of values that
// need no quotes.
func array(values []string) string { return "{" + strings.Join(values, ",") + "}" }

// textArray is a one-dimensional array of any texts in PostgreSQL's text form.
func textArray(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v) + `"`
	}
	return "{" + strings.Join(quoted, ",") + "}"
}
