package postgres

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"inquest/sources"
)

// statements lists what was sent.
type statements struct {
	mu   sync.Mutex
	list []sources.Statement
}

func (l *statements) add(st sources.Statement) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, st)
}

// take moves the statements of another list to the end of this one.
func (l *statements) take(o *statements) {
	o.mu.Lock()
	list := o.list
	o.list = nil
	o.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, list...)
}

// Statements lists every statement sent so far in order: the transaction guards
// too. Parameters stand after the text as "-- $1 = 'value'".
func (s *Server) Statements() []sources.Statement {
	s.sent.mu.Lock()
	defer s.sent.mu.Unlock()
	return slices.Clone(s.sent.list)
}

// record notes a statement that was sent at start.
func (s *Server) record(start time.Time, sql, note string, args []string, err error) {
	st := sources.Statement{Time: start.UTC(), Source: s.name, SQL: withArgs(sql, args), Note: note, Took: s.opt.Now().Sub(start)}
	if err != nil {
		st.Error = firstLine(err.Error())
	}
	s.sent.add(st)
}

const longestArg = 200

func withArgs(sql string, args []string) string {
	sql = strings.TrimSpace(sql)
	if len(args) == 0 {
		return sql
	}
	parts := make([]string, len(args))
	for i, a := range args {
		if len(a) > longestArg {
			a = a[:longestArg] + "…"
		}
		parts[i] = fmt.Sprintf("$%d = %s", i+1, quoteLiteral(a))
	}
	return sql + "\n-- " + strings.ReplaceAll(strings.Join(parts, ", "), "\n", " ")
}

// quoteLiteral quotes a text as an SQL literal under standard_conforming_strings.
func quoteLiteral(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
