package probes

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	inv "inquest/investigations"
)

// Marks that tell former rows from current ones, and that an application may show all
// the same: a switch that is off, a validity that has ended.
var (
	switchName = regexp.MustCompile(`(?i)^(is_?)?(active|enabled|visible|current|live|published)(_?flag)?$`)
	endName    = regexp.MustCompile(`(?i)^(valid|effective|active|system|sys|row|record|scd|version)_?(to|until|till|thru|end|ended|upto)(_?(at|on|date|time|ts|dt))?$|^(deactivated|disabled|withdrawn|superseded|retired)_?(at|on|date|time|ts)$`)
	spanName   = regexp.MustCompile(`(?i)^(sys_period|system_period|system_time|validity|valid_(period|range|during|time)|period)$`)
	spanEnd    = regexp.MustCompile(`,"?(\d{4,}-\d\d-\d\d[^")\]]*)"?[)\]]$`)
)

// formerMark finds a column of the row by which it may be taken for a former one.
func formerMark(a answer, row int, marks []string) (column, value string, ok bool) {
	for _, name := range a.Columns {
		v, notNull := a.Cell(row, name)
		if !notNull || slices.Contains(marks, name) {
			continue
		}
		end := v
		switch {
		case switchName.MatchString(name):
			switch strings.ToLower(v) {
			case "f", "false", "0", "n", "no", "off", "inactive":
				return name, v, true
			}
			continue
		case spanName.MatchString(name):
			m := spanEnd.FindStringSubmatch(v)
			if m == nil {
				continue // open, or empty
			}
			end = m[1]
		case !endName.MatchString(name):
			continue
		}
		if at, known := endOf(end); known && !at.After(a.at) {
			return name, v, true
		}
	}
	return "", "", false
}

// endOf reads a timestamp or a date as PostgreSQL prints it; infinity is none.
func endOf(s string) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02 15:04:05.999999999-07", "2006-01-02 15:04:05.999999999-07:00", "2006-01-02 15:04:05.999999999", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// formerFact states that the row has such a mark.
func formerFact(table, column, value string, base func(inv.FactKind, string, ...string) inv.Fact) inv.Fact {
	return base(inv.TableProperty, fmt.Sprintf("the row of %s has %s = %s, as former rows have", table, column, value), "name", "perhaps-former", "column", column, "value", value)
}
