package logformat

import (
	"regexp"
	"strconv"
	"strings"
)

// escapes maps each escape of log_line_prefix to its field (jsonlog's name) and
// what it looks like. Source: PostgreSQL's documentation of log_line_prefix.
var escapes = map[byte]struct{ field, re string }{
	'a': {"application_name", `[^\n]*?`}, 'u': {"user", `[^\n]*?`}, 'd': {"dbname", `[^\n]*?`},
	'r': {"remote", `\S*?`}, 'h': {"remote_host", `\S*?`}, 'b': {"backend_type", `(?:client backend|background writer|not initialized|[\w.-]*|[\w.-]+(?: [\w.-]+){0,4} (?:launcher|worker|[Ss]cheduler))`},
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
	words := 0
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
		case template[i] == 'W':
			words++
			b.WriteString(group("prefix_"+strconv.Itoa(words), `\S*?`, padded, used))
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

var severityAt = lazily(`(?:^|[^A-Za-z0-9])(DEBUG[1-5]?|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|DETAIL|HINT|CONTEXT|STATEMENT|QUERY|LOCATION):  `)

// severityLines returns what stands before the severity in the lines that
// have one.
func severityLines(lines []string) (whole, before []string) {
	for _, l := range lines {
		if strings.HasPrefix(l, "\t") || strings.HasPrefix(l, "{") || !strings.Contains(l, ":  ") {
			continue
		}
		if m := severityAt().FindStringSubmatchIndex(l); m != nil && m[2] < 400 {
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
	var bestFit fitness
	for _, t := range candidates {
		p, err := compilePrefix(t)
		if err != nil {
			continue
		}
		if got := fit(p, whole); got.better(bestFit) {
			best, bestFit = p, got
		}
	}
	if best == nil || bestFit.lines < (len(whole)+1)/2 {
		return nil
	}
	return best
}

// fitness is how well a prefix reads some lines: how many, with how many named
// values, and how short it is; the unnamed count against it.
type fitness struct{ lines, named, brevity int }

func (a fitness) better(b fitness) bool {
	if a.lines != b.lines {
		return a.lines > b.lines
	}
	if a.named != b.named {
		return a.named > b.named
	}
	return a.brevity > b.brevity || b.lines == 0 && a.lines > 0
}

// fit counts the lines that a prefix reads with sound values.
func fit(p *prefix, lines []string) fitness {
	got := fitness{brevity: -len(p.template)}
	for _, l := range lines {
		f := p.match(l)
		if f == nil || !sound(p, f) {
			continue
		}
		got.lines++
		for k := range f {
			if !strings.HasPrefix(k, "prefix_") {
				got.named++
			}
		}
	}
	return got
}

// sound reports whether the values of a match can be what they are called.
func sound(p *prefix, f map[string]string) bool {
	for _, k := range []string{"user", "dbname", "application_name"} {
		v := f[k]
		if len(v) > 63 || strings.ContainsAny(v, "=,\t|") || (k != "application_name" && strings.ContainsAny(v, " :")) {
			return false
		}
	}
	_, timed := stampOf(f["time"], nil)
	return timed || (f["time"] == "" && p.template == "")
}
