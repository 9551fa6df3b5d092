package logformat

import (
	"bytes"
	"encoding/csv"
	"strings"

	"inquest/sources"
)

// csvHeader reads comma, semicolon or tab separated records whose first line
// names the columns, such as a client's own audit file.
func csvHeader() *Format {
	f := &Format{Name: "csv", Title: "CSV with a header", Samples: []Sample{
		{
			Text: "time,action,dtro_id,status,user\n2025-11-27T14:58:12Z,create,e7a4,201,ann",
			Time: "2025-11-27T14:58:12Z", Want: map[string]string{"dtro_id": "e7a4", "@status": "201", "@op": "create", "@actor": "ann"},
		},
		{
			Text: "Timestamp;Method;Path;StatusCode;Note\n27/11/2025 14:58:12;PUT;/dtros/x;404;\"not; found\"",
			Time: "2025-11-27T14:58:12", Want: map[string]string{"@method": "PUT", "@status": "404", "Note": "not; found"},
		},
	}}
	f.New = func(lines []string) *Parser {
		if len(lines) < 2 {
			return nil
		}
		comma, columns := header(lines[0])
		if columns == nil {
			return nil
		}
		head := []byte(lines[0])
		p := &Parser{Format: f, Fielded: true, Detail: strings.Join(columns, ",")}
		p.Begins = func(line []byte) bool { return beginsRow(line, head, comma, len(columns)) }
		p.Parse = func(rec []byte, c *Context, e *sources.Event) bool {
			return parseRow(rec, head, comma, columns, c, e)
		}
		p.TimeAt = csvTime(comma, timeColumn(lines, comma, columns))
		return p
	}
	return f
}

// header splits a first line that looks like column names: two or more plain
// words, none of them empty, none a number or a time.
func header(line string) (rune, []string) {
	line = strings.TrimPrefix(line, "\uFEFF")
	for _, comma := range []rune{',', ';', '\t', '|'} {
		if strings.Count(line, string(comma)) < 1 {
			continue
		}
		cols, ok := splitCSV(line, comma)
		if !ok || len(cols) < 2 {
			continue
		}
		seen := map[string]bool{}
		for i, c := range cols {
			cols[i] = strings.TrimSpace(c)
			if !columnName(cols[i]) || seen[cols[i]] {
				return 0, nil
			}
			seen[cols[i]] = true
		}
		return comma, cols
	}
	return 0, nil
}

func columnName(s string) bool {
	if s == "" || len(s) > 60 || (s[0] >= '0' && s[0] <= '9') {
		return false
	}
	return !strings.ContainsAny(s, "=\"'{}<>\\") && strings.Count(s, " ") <= 3
}

func splitCSV(line string, comma rune) ([]string, bool) {
	r := csv.NewReader(strings.NewReader(line))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = comma, true, -1
	row, err := r.Read()
	return row, err == nil
}

// beginsRow reports whether a line starts a row: it has all its columns, or
// fewer because a quotation goes on in the next line.
func beginsRow(line, head []byte, comma rune, n int) bool {
	if len(line) == 0 || bytes.Equal(line, head) {
		return false
	}
	commas := bytes.Count(line, []byte(string(comma)))
	if commas < n-1 {
		return bytes.Count(line, []byte{'"'})%2 == 1 && commas > 0
	}
	return true
}

func parseRow(rec, head []byte, comma rune, columns []string, c *Context, e *sources.Event) bool {
	if h := append(bytes.Clone(head), '\n'); bytes.HasPrefix(rec, h) {
		rec = rec[len(h):]
	}
	if bytes.Equal(rec, head) {
		return false
	}
	row, ok := splitCSV(string(rec), comma)
	if !ok || len(row) < 2 || len(row) > len(columns) {
		return false
	}
	e.Fields = map[string]string{}
	for i, v := range row {
		if v != "" {
			e.Fields[columns[i]] = v
		}
	}
	applyRoles(e, c)
	if e.Message == "" {
		e.Message = firstLine(string(rec))
	}
	return true
}

// timeColumn returns the index of the column that holds the time, or -1.
func timeColumn(lines []string, comma rune, columns []string) int {
	e := sources.Event{}
	for _, l := range lines[1:min(len(lines), 20)] {
		if !parseRow([]byte(l), []byte(lines[0]), comma, columns, &Context{}, &e) {
			continue
		}
		key := applyRoles(&e, &Context{})
		for i, c := range columns {
			if c == key {
				return i
			}
		}
	}
	return -1
}

func csvTime(comma rune, column int) func([]byte) (int, int, bool) {
	return func(line []byte) (int, int, bool) {
		at := 0
		for k := 0; k < column; k++ {
			i := bytes.IndexRune(line[at:], comma)
			if i < 0 {
				return 0, 0, false
			}
			at += i + 1
		}
		if column < 0 {
			return 0, 0, false
		}
		if at < len(line) && line[at] == '"' {
			at++
		}
		_, n, ok := ParseTime(string(line[at:min(len(line), at+48)]), nil)
		return at, at + n, ok
	}
}
