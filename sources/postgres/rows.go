package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"inquest/sources"
	"inquest/sources/catalog"
)

// Access says how Rows is to look.
type Access struct {
	// NoIndex reads the table in sequence, to be compared with the index.
	NoIndex bool
	// As is a role to look as, with Settings applied; only the key columns are read
	// then, for what counts is whether the row is seen.
	As       string
	Settings map[string]string
}

// AsApp is the access of the application as far as the Options name it; false
// when they do not.
func (s *Server) AsApp() (Access, bool) {
	return Access{As: s.opt.AppRole, Settings: s.opt.AppSettings}, s.opt.AppRole != ""
}

// mostRows bounds what a read by key returns.
const mostRows = 100

// Rows reads rows by key with an ordinary SELECT, which prunes dead versions:
// call it last. The columns are tableoid, ctid, xmin, xmax and the table's own
// (as a role: the key's columns). Errors are *sources.Blind for a missing
// privilege, a foreign table, and a sequential read above the budget.
func (s *Server) Rows(ctx context.Context, t *TableInfo, m Match, how Access) (*sources.Table, error) {
	q, err := rowsQuery(t, m, how)
	if err != nil {
		return nil, err
	}
	tab, err := s.Query(ctx, q)
	var b *sources.Blind
	if errors.As(err, &b) && strings.Contains(b.Opens, "SELECT ON "+catalog.QuoteIdent(t.Name)+" TO") {
		role := cmp.Or(how.As, s.cfg.User)
		return nil, &sources.Blind{Why: b.Why, Opens: grant("SELECT ON " + t.FullName() + " TO " + catalog.QuoteIdent(role))}
	}
	return tab, err
}

// rowsQuery is the query that Rows sends.
func rowsQuery(t *TableInfo, m Match, how Access) (sources.Query, error) {
	if t.Kind == "f" {
		return sources.Query{}, &sources.Blind{Why: t.DisplayName() + " is a foreign table; the rows are on another server, which is not entered from here", Opens: "name that server: --db"}
	}
	where, args := t.KeyCondition(m)
	columns := `t.tableoid::regclass::text as tableoid, t.ctid::text as ctid, t.xmin::text as xmin, t.xmax::text as xmax, t.*`
	switch {
	case t.Kind == "v":
		columns = "t.*"
	case how.As != "":
		quoted := make([]string, len(m.Columns))
		for i, c := range m.Columns {
			quoted[i] = "t." + catalog.QuoteIdent(c)
		}
		columns = strings.Join(quoted, ", ")
	}
	q := sources.Query{
		SQL:  fmt.Sprintf("select %s from %s t where %s", columns, t.FullName(), where),
		Args: args, MaxRows: mostRows, As: how.As, Settings: maps.Clone(how.Settings), Note: "the row by its key", Scans: true,
	}
	if how.NoIndex {
		q.Note = "the row by its key, without any index"
		if q.Settings == nil {
			q.Settings = map[string]string{}
		}
		for _, name := range []string{"enable_indexscan", "enable_bitmapscan", "enable_indexonlyscan"} {
			q.Settings[name] = "off"
		}
	}
	if how.As != "" {
		q.Note += ", as role " + how.As
	}
	return q, nil
}
