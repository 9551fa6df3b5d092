package when

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// parser collects the pieces of a time in whatever order they come.
type parser struct {
	now  time.Time
	loc  *time.Location
	text string

	days                       []date
	hour, minute, second, nano int // hour -1: none given
	day, year                  int
	month                      time.Month
	zoned                      bool
}

var (
	clock   = regexp.MustCompile(`^(\d{1,2})(?::(\d{2}))?(?::(\d{2})(?:[.,](\d{1,9}))?)?(am|pm|a\.m\.|p\.m\.)?(z|[+-]\d{2}(?::?\d{2})?)?$`)
	ymd     = regexp.MustCompile(`^(\d{4})([-/.])(\d{1,2})([-/.])(\d{1,2})$`)
	dmy     = regexp.MustCompile(`^(\d{1,2})([-/.])(\d{1,2})(?:[-/.](\d{4}|\d{2}))?$`)
	offset  = regexp.MustCompile(`^(?:utc|gmt)?([+-])(\d{1,2})(?::?(\d{2}))?$`)
	joined  = regexp.MustCompile(`^(\d{4}-\d{1,2}-\d{1,2})[tT_](\d.*)$`)
	ordinal = regexp.MustCompile(`^(\d{1,2})(?:st|nd|rd|th)?$`)
)

func (p *parser) read() error {
	tokens := strings.Fields(strings.NewReplacer(",", " ", "(", " ", ")", " ").Replace(commas.ReplaceAllString(p.text, "$1.$2")))
	var flat []string
	for _, tok := range tokens {
		if m := joined.FindStringSubmatch(tok); m != nil {
			flat = append(flat, m[1], m[2])
			continue
		}
		flat = append(flat, tok)
	}
	for i := 0; i < len(flat); i++ {
		tok := strings.ToLower(flat[i])
		if next := i + 1; next < len(flat) && isHalf(flat[next]) && clock.MatchString(tok) {
			tok += strings.ToLower(flat[next])
			i++
		}
		if err := p.token(tok, flat[min(i, len(flat)-1)]); err != nil {
			return err
		}
	}
	return p.named()
}

// commas finds the decimal comma of log times: 14:58:03,412.
var commas = regexp.MustCompile(`(\d:\d{2}),(\d)`)

func isHalf(s string) bool {
	s = strings.ToLower(s)
	return s == "am" || s == "pm" || s == "a.m." || s == "p.m."
}

func (p *parser) token(tok, raw string) error {
	switch tok {
	case "at", "on", "of", "the", "last", "um":
		return nil
	case "now":
		p.days = []date{dateOf(p.now)}
		return p.setClock(p.now.Hour(), p.now.Minute(), p.now.Second(), 0)
	case "today":
		p.days = []date{dateOf(p.now)}
		return nil
	case "yesterday":
		p.days = []date{p.daysAgo(1)}
		return nil
	case "noon":
		return p.setClock(12, 0, 0, 0)
	case "midnight":
		return p.setClock(0, 0, 0, 0)
	}
	for _, try := range []func(tok, raw string) (bool, error){p.zone, p.ymd, p.dmy, p.word, p.number, p.clock} {
		if ok, err := try(tok, raw); ok || err != nil {
			return err
		}
	}
	return p.unknown(raw)
}

func (p *parser) daysAgo(n int) date {
	y, m, d := p.now.Date()
	return dateOf(time.Date(y, m, d-n, 12, 0, 0, 0, time.UTC))
}

func (p *parser) ymd(tok, _ string) (bool, error) {
	m := ymd.FindStringSubmatch(tok)
	if m == nil || m[2] != m[4] {
		return false, nil
	}
	return true, p.setDays(date{number(m[1]), time.Month(number(m[3])), number(m[5])})
}

// dmy reads day and month in either order. With dots it is day first, as that
// is the only way in which it is written so.
func (p *parser) dmy(tok, _ string) (bool, error) {
	m := dmy.FindStringSubmatch(tok)
	if m == nil || m[4] == "" && m[2] == "-" {
		return false, nil
	}
	a, b := number(m[1]), number(m[3])
	forms := []date{{0, time.Month(b), a}}
	if m[2] != "." && a != b {
		forms = append(forms, date{0, time.Month(a), b})
	}
	for i := range forms {
		forms[i].year = p.yearOf(m[4], forms[i])
	}
	return true, p.setDays(forms...)
}

func (p *parser) yearOf(text string, d date) int {
	switch len(text) {
	case 4:
		return number(text)
	case 2:
		return 2000 + number(text)
	}
	y := p.now.Year()
	if time.Date(y, d.month, d.day, 0, 0, 0, 0, p.now.Location()).After(p.now) {
		y--
	}
	return y
}

// setDays keeps the readings that are on the calendar.
func (p *parser) setDays(forms ...date) error {
	if len(p.days) > 0 {
		return fmt.Errorf("%q holds two dates: type one such as %s", p.text, Examples)
	}
	for _, d := range forms {
		if d.valid() {
			p.days = append(p.days, d)
		}
	}
	if len(p.days) == 0 {
		return fmt.Errorf("%q is no day of the calendar between 1970 and 2199", p.text)
	}
	return nil
}

func (p *parser) setClock(h, m, s, n int) error {
	if p.hour >= 0 {
		return fmt.Errorf("%q holds two clock times: type one such as %s", p.text, Examples)
	}
	if h > 23 || m > 59 || s > 60 {
		return fmt.Errorf("%02d:%02d:%02d is no time of day", h, m, s)
	}
	p.hour, p.minute, p.second, p.nano = h, m, min(s, 59), n
	return nil
}

func (p *parser) clock(tok, _ string) (bool, error) {
	m := clock.FindStringSubmatch(tok)
	if m == nil || m[2] == "" && m[5] == "" {
		return false, nil
	}
	h := number(m[1])
	if m[5] != "" {
		if h < 1 || h > 12 {
			return true, fmt.Errorf("%q: with am or pm the hour is 1 to 12", tok)
		}
		h %= 12
		if m[5][0] == 'p' {
			h += 12
		}
	}
	if err := p.setClock(h, number(m[2]), number(m[3]), nanos(m[4])); err != nil {
		return true, err
	}
	if m[6] != "" {
		return p.zone(m[6], m[6])
	}
	return true, nil
}

func nanos(digits string) int { return number((digits + "000000000")[:9]) }

func number(s string) int { n, _ := strconv.Atoi(s); return n }
