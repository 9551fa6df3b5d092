package logformat

import (
	"regexp"
	"strconv"
	"strings"
)

// prefixKeys names the escapes behind the usual key= labels.
var prefixKeys = map[string]byte{
	"user": 'u', "usr": 'u', "role": 'u', "u": 'u', "db": 'd', "database": 'd', "dbname": 'd', "d": 'd',
	"app": 'a', "application": 'a', "application_name": 'a', "appname": 'a', "a": 'a',
	"client": 'h', "host": 'h', "remote": 'h', "ip": 'h', "h": 'h', "client_ip": 'h', "rhost": 'h', "r": 'r',
	"pid": 'p', "p": 'p', "xid": 'x', "tx": 'x', "txid": 'x', "trx": 'x', "x": 'x', "vxid": 'v', "vtx": 'v', "vtxid": 'v', "v": 'v',
	"sid": 'c', "session": 'c', "sess": 'c', "session_id": 'c', "c": 'c', "line": 'l', "l": 'l', "seq": 'l',
	"state": 'e', "sqlstate": 'e', "code": 'e', "err": 'e', "e": 'e', "cmd": 'i', "tag": 'i', "command": 'i',
	"backend": 'b', "type": 'b', "bt": 'b', "queryid": 'Q', "query_id": 'Q', "qid": 'Q', "start": 's', "leader": 'P',
}

// shapes are what a value without a label gives away about itself.
var shapes = []struct {
	re  func() *regexp.Regexp
	put string
}{
	{lazily(`^[0-9a-f]{7,}\.[0-9a-f]+`), "%c"},
	{lazily(`^-?\d+/\d+`), "%v"},
	{lazily(`^(?:\d{1,3}(?:\.\d{1,3}){3}|\[local\])\(\d*\)`), "%r"},
	{lazily(`^(?:\d{1,3}(?:\.\d{1,3}){3}|\[local\]|[0-9a-f]*::[0-9a-f:]+)`), "%h"},
	{lazily(`^(?:\[unknown\]|[A-Za-z_][\w.$-]*)@(?:\[unknown\]|[A-Za-z_][\w.$-]*)`), "%u@%d"},
	{lazily(`^(?:client backend|postmaster|checkpointer|background writer|startup|walwriter|autovacuum (?:launcher|worker)|logical replication (?:launcher|worker)|archiver|parallel worker|walsender|walreceiver|not initialized)`), "%b"},
	{lazily(`^(?:00000|[0-9][0-9A-Z]{2}[0-9A-Z]{2})\b`), "%e"},
}

var (
	loneZero  = lazily(`(?:^|[^\w.:/-])0(?:[^\w.:/-]|$)`)
	sessionID = lazily(`\b[0-9a-f]{7,}\.([0-9a-f]{1,8})\b`)
	labelled  = lazily(`^([A-Za-z_]+)=`)
	wordRun   = lazily(`^(?:\[unknown\]|[A-Za-z_][\w.$-]*)`)
)

// inferTemplate writes the lines' prefix as a log_line_prefix: the commonest
// shape, with %q where shorter ones end. Words that neither a label nor a connection line
// explains become the unnamed %W, so nothing is called a user that may be a database.
func inferTemplate(whole, before []string) string {
	votes, best := map[string]int{}, ""
	who := connectionWords(whole)
	zero := false
	for _, b := range before {
		zero = zero || loneZero().MatchString(b)
	}
	for _, b := range before {
		t := templateOf(b, who, zero)
		if votes[t]++; votes[t] > votes[best] || (votes[t] == votes[best] && len(t) > len(best)) {
			best = t
		}
	}
	short := ""
	for t, n := range votes {
		if len(t) < len(best) && len(t) > len(short) && n > 1 && strings.HasPrefix(best, t) && strings.Contains(t, "%") {
			short = t
		}
	}
	if short != "" {
		best = short + "%q" + best[len(short):]
	}
	return best
}

// connectionWords learns which words are users, databases and applications
// from "connection authorized" lines.
func connectionWords(lines []string) map[string]string {
	who := map[string]string{}
	for _, l := range lines {
		_, m, ok := strings.Cut(l, "connection authorized: ")
		if !ok {
			continue
		}
		f := map[string]string{}
		connectionFields(f, m)
		for _, k := range []struct{ field, esc string }{{"application_name", "%a"}, {"dbname", "%d"}, {"user", "%u"}} {
			if v := f[k.field]; v != "" {
				who[v] = k.esc
			}
		}
		if f["user"] == f["dbname"] {
			delete(who, f["user"])
		}
	}
	return who
}

func templateOf(s string, who map[string]string, zero bool) string {
	var b strings.Builder
	seen := map[string]bool{}
	for _, m := range sessionID().FindAllStringSubmatch(s, 4) {
		if pid, err := strconv.ParseInt(m[1], 16, 64); err == nil {
			seen["pid "+strconv.FormatInt(pid, 10)], seen["session"] = true, true
		}
	}
	for i := 0; i < len(s); {
		put, n := token(s, i, who, seen, zero)
		if n == 0 {
			put, n = strings.ReplaceAll(s[i:i+1], "%", "%%"), 1
		}
		b.WriteString(put)
		i += n
	}
	return b.String()
}

// token names what stands at i and returns how long it is.
func token(s string, i int, who map[string]string, seen map[string]bool, zero bool) (string, int) {
	if i > 0 && isWordByte(s[i-1]) {
		return "", 0
	}
	if st, n, ok := ParseTime(s[i:], nil); ok {
		return timeToken(s[i:i+n], st, seen), n
	}
	rest := s[i:]
	known := ""
	for v := range who {
		if len(v) > len(known) && strings.HasPrefix(rest, v) && (len(v) == len(rest) || !isWordByte(rest[len(v)])) {
			known = v
		}
	}
	if known != "" {
		return who[known], len(known)
	}
	if m := labelled().FindStringSubmatch(rest); m != nil {
		for v, esc := range who {
			if strings.HasPrefix(rest[len(m[0]):], v+",") || strings.HasPrefix(rest[len(m[0]):], v+"]") {
				return m[0] + esc, len(m[0]) + len(v)
			}
		}
		esc, known := prefixKeys[strings.ToLower(m[1])]
		n := strings.IndexAny(rest[len(m[0]):], ", ]);|")
		if n < 0 {
			n = len(rest) - len(m[0])
		}
		if !known {
			return m[0] + "%W", len(m[0]) + n
		}
		return m[0] + "%" + string(esc), len(m[0]) + n
	}
	for _, sh := range shapes {
		if m := sh.re().FindString(rest); m != "" && !(len(m) < len(rest) && isWordByte(rest[len(m)])) && !(sh.put == "%e" && !seen["%p"] && m != "00000") {
			return sh.put, len(m)
		}
	}
	if n := digits(rest, 0); n > 0 {
		return numberToken(rest, n, seen, zero), n
	}
	if m := wordRun().FindString(rest); m != "" {
		return "%W", len(m)
	}
	return "", 0
}

func timeToken(text string, st Stamp, seen map[string]bool) string {
	if seen["time"] {
		return "%s"
	}
	seen["time"] = true
	switch {
	case text[4] != '-':
		return "%n"
	case st.Fraction > 0:
		return "%m"
	}
	return "%t"
}

// numberToken names the first number the process, and a later one the line of
// the session or, where zeros occur, the transaction.
func numberToken(rest string, n int, seen map[string]bool, zero bool) string {
	switch {
	case n < len(rest) && rest[n] == '-' && digits(rest, n+1) > 0:
		return "%l"
	case !seen["%p"] && (!seen["session"] || seen["pid "+rest[:n]]):
		seen["%p"] = true
		return "%p"
	case zero && !seen["%x"]:
		seen["%x"] = true
		return "%x"
	case !seen["%l"]:
		seen["%l"] = true
		return "%l"
	}
	return "%Q"
}
