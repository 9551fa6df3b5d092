package logformat

import (
	"regexp"
	"strings"
)

// escapes maps each escape of log_line_prefix to its field (jsonlog's name) and
// what it looks like. Source: PostgreSQL's documentation of log_line_prefix.
var escapes = map[byte]struct{ field, re string }{
	'a': {"application_name", `[^\n]*?`}, 'u': {"user", `[^\n]*?`}, 'd': {"dbname", `[^\n]*?`},
	'r': {"remote", `\S*?`}, 'h': {"remote_host", `\S*?`}, 'b': {"backend_type", `[^\n]*?`},
	'p': {"pid", `\d+`}, 'P': {"leader_pid", `\d*`}, 't': {"time", pgTime}, 'm': {"time", pgTime},
	'n': {"time", `\d{10}\.\d{3}`}, 'i': {"ps", `[\w /]*?`}, 'e': {"state_code", `[0-9A-Z]{5}`},
	'c': {"session_id", `[0-9a-f]+\.[0-9a-f]+`}, 'l': {"line_num", `\d+`}, 's': {"session_start", pgTime},
	'v': {"vxid", `(?:-?\d+/\d+)?`}, 'x': {"txid", `\d+`}, 'Q': {"query_id", `-?\d+`},
}

const (
	pgTime     = `\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{3})? (?:[A-Z]{1,6}|[+-]\d\d(?::?\d\d)?|<[^>]+>)`
	pgSeverity = `(?P<error_severity>DEBUG[1-5]?|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|DETAIL|HINT|CONTEXT|STATEMENT|QUERY|LOCATION|BACKTRACE)`
)

// knownPrefixes are the prefixes of packages, clouds and handbooks; the more
// telling come first.
var knownPrefixes = []string{
	"%m [%p] %q%u@%d ",                         // Debian
	"%m [%p]: [%l-1] db=%d,user=%u ",           // Cloud SQL
	"%m [%p] ",                                 // PostgreSQL's default
	"%t:%r:%u@%d:[%p]:",                        // Amazon RDS
	"%m:%r:%u@%d:[%p]:%l:%e:%s:%v:%x:%c:%q%a:", // Amazon RDS, newer
	"%t-%c-", // Azure
	"%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ", // pgBadger's handbook
	"%t [%p]: user=%u,db=%d,app=%a,client=%h ",
	"%m [%p]: [%l] user=%u,db=%d,app=%a,client=%h ",
	"%t [%p]: [%l-1] %q%u@%d ",
	"%m [%p] %q%u@%d/%a ",
	"%m [%p] %u@%d ",
	"%m [%p] %q%a %u@%d %x ",
	"%m [%p] xid=%x vxid=%v %q%u@%d %a ",
	"%m [%p] %x %v %c %q%u@%d %a ",
	"%m %p %u %d %x %v %c ",
	"%t %u@%d [%p] ",
	"%t ",
	"%m ",
	"",
}

// prefix is a compiled log_line_prefix.
type prefix struct {
	template string
	re       *regexp.Regexp
	names    []string
}

// compilePrefix turns a log_line_prefix into an expression that also reads the
// severity and the message. Padding such as %-10u is understood.
func compilePrefix(template string) (*prefix, error) {
	var b strings.Builder
	b.WriteString(`^`)
	optional := false
	used := map[string]bool{}
	for i := 0; i < len(template); i++ {
		c := template[i]
		if c != '%' || i+1 >= len(template) {
			b.WriteString(regexp.QuoteMeta(string(c)))
			continue
		}
		i++
		padded := false
		for i < len(template)-1 && (template[i] == '-' || (template[i] >= '0' && template[i] <= '9')) {
			padded = true
			i++
		}
		switch esc, ok := escapes[template[i]]; {
		case template[i] == 'q' && !optional:
			optional = true
			b.WriteString(`(?:`)
		case template[i] == '%':
			b.WriteString(`%`)
		case ok:
			b.WriteString(group(esc.field, esc.re, padded, used))
		}
	}
	if optional {
		b.WriteString(`)?`)
	}
	b.WriteString(pgSeverity + `:  (?P<message>.*)$`)
	re, err := regexp.Compile(b.String())
	if err != nil {
		return nil, err
	}
	return &prefix{template: template, re: re, names: re.SubexpNames()}, nil
}

func group(field, re string, padded bool, used map[string]bool) string {
	if used[field] {
		return pad(`(?:`+re+`)`, padded)
	}
	used[field] = true
	return pad(`(?P<`+field+`>`+re+`)`, padded)
}

func pad(re string, padded bool) string {
	if padded {
		return ` *` + re + ` *`
	}
	return re
}

// match returns the prefix's fields, or nil when the line is not of this form.
func (p *prefix) match(line string) map[string]string {
	m := p.re.FindStringSubmatch(line)
	if m == nil {
		return nil
	}
	f := map[string]string{}
	for i, name := range p.names {
		if name != "" && m[i] != "" {
			f[name] = m[i]
		}
	}
	if r := f["remote"]; r != "" {
		delete(f, "remote")
		host, port, _ := strings.Cut(strings.TrimSuffix(r, ")"), "(")
		f["remote_host"] = host
		if port != "" {
			f["remote_port"] = port
		}
	}
	return f
}

var severityAt = regexp.MustCompile(`(?:^|[^A-Za-z0-9])(DEBUG[1-5]?|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|DETAIL|HINT|CONTEXT|STATEMENT|QUERY|LOCATION):  `)

// severityLines returns what stands before the severity in the lines that
// have one.
func severityLines(lines []string) (whole, before []string) {
	for _, l := range lines {
		if strings.HasPrefix(l, "\t") {
			continue
		}
		if m := severityAt.FindStringSubmatchIndex(l); m != nil && m[2] < 400 {
			whole = append(whole, l)
			before = append(before, l[:m[2]])
		}
	}
	return whole, before
}

// findPrefix works out the log_line_prefix of the lines: a known one when it
// fits almost all, else one inferred from their shape. It returns nil when the lines
// are not PostgreSQL's.
func findPrefix(lines []string) *prefix {
	whole, before := severityLines(lines)
	if len(whole) == 0 {
		return nil
	}
	candidates := knownPrefixes
	if t := inferTemplate(whole, before); t != "" {
		candidates = append([]string{t}, candidates...)
	}
	var best *prefix
	bestScore := 0
	for i, t := range candidates {
		p, err := compilePrefix(t)
		if err != nil {
			continue
		}
		// A known prefix names its fields for sure, so it wins a tie.
		if score := fit(p, whole)*2 + min(i, 1); score > bestScore {
			best, bestScore = p, score
		}
	}
	if best == nil || bestScore/2 < (len(whole)+1)/2 {
		return nil
	}
	return best
}

// fit counts the lines that a prefix reads with sound values.
func fit(p *prefix, lines []string) int {
	n := 0
	for _, l := range lines {
		f := p.match(l)
		if f == nil {
			continue
		}
		ok := true
		for _, k := range []string{"user", "dbname", "application_name"} {
			ok = ok && !strings.ContainsAny(f[k], "=,\t") && len(f[k]) <= 63
			if k != "application_name" {
				ok = ok && !strings.ContainsAny(f[k], " :")
			}
		}
		if _, timed := stampOf(f["time"], nil); timed || (f["time"] == "" && p.template == "") {
			n += b2i(ok)
		}
	}
	return n
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
