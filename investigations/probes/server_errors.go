package probes

import (
	"fmt"
	"slices"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
)

// reasonOf returns the sqlstate by which a server log line can explain the end
// of a transaction, or "" when it cannot. Most prefixes carry no sqlstate, so the
// server's standard texts are known here.
func reasonOf(e sources.Event) string {
	msg := e.Message
	switch severity(e) {
	case "ERROR", "FATAL", "PANIC":
		for _, k := range knownReasons {
			if strings.Contains(msg, k.text) {
				return k.state
			}
		}
		if s := e.Field("state_code"); s != "" && s != "00000" {
			return s
		}
		return "XX000"
	case "LOG", "WARNING":
		return loggedReason(msg)
	}
	return ""
}

// loggedReason knows the lines at LOG and WARNING level that tell of an end. The
// text must stand at the start: a logged statement may quote anything.
func loggedReason(msg string) string {
	switch {
	case strings.HasPrefix(msg, "unexpected EOF on client connection with an open transaction"),
		strings.HasPrefix(msg, "could not receive data from client"), strings.HasPrefix(msg, "could not send data to client"):
		return "08006"
	case strings.HasPrefix(msg, "server process (PID ") && strings.Contains(msg, "was terminated by signal"):
		return "crash"
	case strings.HasPrefix(msg, "terminating connection because of crash of another server process"):
		return "57P02"
	}
	return ""
}

// knownReasons are message texts of the PostgreSQL server (13 to 18) with the
// sqlstate they belong to.
var knownReasons = []struct{ text, state string }{
	{"deadlock detected", "40P01"},
	{"could not serialize access", "40001"},
	{"canceling statement due to conflict with recovery", "40001"},
	{"canceling statement due to lock timeout", "55P03"},
	{"canceling statement due to", "57014"},
	{"terminating connection due to idle-in-transaction timeout", "25P03"},
	{"terminating connection due to transaction timeout", "25P04"},
	{"terminating connection due to administrator command", "57P01"},
	{"terminating connection because of crash of another server process", "57P02"},
	{"terminating connection due to unexpected postmaster exit", "57P01"},
	{"duplicate key value violates unique constraint", "23505"},
	{"violates foreign key constraint", "23503"},
	{"violates check constraint", "23514"},
	{"violates not-null constraint", "23502"},
	{"violates exclusion constraint", "23P01"},
	{"violates row-level security policy", "42501"},
	{"permission denied", "42501"},
	{"invalid input syntax", "22P02"},
	{"in a read-only transaction", "25006"},
	{"No space left on device", "53100"},
	{"out of memory", "53200"},
	{"too many clients already", "53300"},
	{"value too long for type", "22001"},
	{"out of range for type", "22003"},
}

// severity is the server's own word for the level, such as LOG or ERROR.
func severity(e sources.Event) string { return strings.ToUpper(e.Field("error_severity")) }

// abortErrors are the lines that can explain why a transaction was rolled back:
// tied by its xid, or standing within 20 ms of the ABORT record. A tie by time is
// unique when only one session logged such a line there; in a log of whole seconds
// it must name the record as well.
func abortErrors(in inv.Input, end inv.Fact, near []logged) []inv.Fact {
	n := newNaming(in)
	var byXid, byTime []logged
	pids := map[string]bool{}
	for _, e := range near {
		switch {
		case reasonOf(e.Event) == "":
		case sameXid(end, e.Field("txid")):
			byXid = append(byXid, e)
		case closeTo(end, e.Event) && unclaimed(e.Event):
			byTime = append(byTime, e)
			pids[e.Field("pid")] = true
		}
	}
	joins, list := "xid", byXid
	if len(byXid) == 0 {
		joins, list = "time", byTime
	}
	var out []inv.Fact
	for _, e := range list {
		f := errorFact(in, e)
		f.Attrs["of"], f.Attrs["joins"] = end.Attr("xid"), joins
		f.Attrs["unique"] = fmt.Sprint(joins == "xid" || len(pids) == 1 && (e.step < time.Second || n.inStatement(e.Event) && strings.Contains(e.Raw, n.values[0])))
		if joins == "time" {
			f.Says += " (tied to xid " + end.Attr("xid") + " by its time alone)"
		}
		out = append(out, f)
	}
	return out
}

// sameXid compares a logged xid with the transaction and its tree.
func sameXid(end inv.Fact, txid string) bool {
	if txid == "" || txid == "0" {
		return false
	}
	return txid == end.Attr("xid") || txid == end.Attr("top")
}

// unclaimed reports whether a line names no other transaction.
func unclaimed(e sources.Event) bool {
	x := e.Field("txid")
	return x == "" || x == "0"
}

// closeTo reports whether the line stands at the end of the transaction. A log
// in whole seconds is compared by the second.
func closeTo(end inv.Fact, e sources.Event) bool {
	if unclear(e) {
		return false
	}
	from, to := end.Time.Add(-errorNear), end.Time.Add(errorNear)
	if !end.Until.IsZero() {
		to = end.Until.Add(errorNear)
	}
	if e.Time.Nanosecond() == 0 {
		from = from.Truncate(time.Second)
	}
	return !e.Time.Before(from) && !e.Time.After(to)
}

func errorFact(in inv.Input, e logged) inv.Fact {
	f := inv.Fact{
		Kind: inv.LogError, Ground: inv.GroundLog, Time: factTime(e.Event), Until: e.until(), Evidence: []string{e.evidence},
		Attrs: map[string]string{
			"sqlstate": reasonOf(e.Event), "xid": e.Field("txid"), "pid": e.Field("pid"), "user": e.Field("user"),
			"application": e.Field("application_name"), "message": e.Message, "detail": e.Field("detail"),
			"op": string(e.Op), "source": e.Source,
		},
		Says: fmt.Sprintf("%s %s: %s", severity(e.Event), reasonOf(e.Event), short(e.Message, 160)),
	}
	if st, ok := parseStatement(statementText(e.Event)); ok {
		f.Attrs["statement-table"] = meantTable(in, st.table)
	}
	return f
}

// nameFacts are what server log lines that name the id say of it.
func nameFacts(in inv.Input, e logged) []inv.Fact {
	if reasonOf(e.Event) != "" {
		f := errorFact(in, e)
		f.Attrs["joins"], f.Attrs["unique"] = "id", "true"
		if st, ok := parseStatement(statementText(e.Event)); ok {
			f.Attrs["op"], f.Attrs["table"] = st.op, meantTable(in, st.table)
		}
		return []inv.Fact{f}
	}
	f, ok := statementFact(in, e)
	if !ok {
		return nil
	}
	f.Attrs["joins"] = "id"
	return []inv.Fact{f}
}

// passedOn is the server's refusal of a row with the id, as an application that
// got it wrote it down: the text of the error, with the failing row.
func passedOn(n naming, e logged) []inv.Fact {
	loud := e.Level == sources.LevelError || e.Level == sources.LevelFatal || e.Level == sources.LevelWarning || e.Level == ""
	_, row, failing := strings.Cut(e.Raw, "Failing row contains (")
	if !loud || !failing {
		return nil
	}
	row, _, _ = strings.Cut(row, ")")
	if !slices.ContainsFunc(strings.Split(row, ", "), n.isValue) {
		return nil
	}
	for _, k := range knownReasons {
		if !strings.Contains(e.Raw, k.text) {
			continue
		}
		f := inv.Fact{
			Kind: inv.LogError, Ground: inv.GroundLog, Time: factTime(e.Event), Until: e.until(), Evidence: []string{e.evidence},
			Attrs: map[string]string{
				"sqlstate": k.state, "message": short(lineWith(e.Raw, k.text), 300), "detail": "Failing row contains (" + short(row, 300), "op": "create",
				"source": e.Source, "joins": "id", "unique": "true", "request": e.RequestID, "by": "application",
			},
			Says: fmt.Sprintf("%s passed on that the server refused the row (%s): %s", e.Source, k.state, short(k.text, 80)),
		}
		return []inv.Fact{f}
	}
	return nil
}

// lineWith is the line of a text that holds the words.
func lineWith(text, words string) string {
	for l := range strings.Lines(text) {
		if strings.Contains(l, words) {
			return strings.TrimSpace(l)
		}
	}
	return text
}

// statementFact states a logged statement that writes or removes something.
func statementFact(in inv.Input, e logged) (inv.Fact, bool) {
	text := statementText(e.Event)
	st, ok := parseStatement(text)
	if !ok {
		return inv.Fact{}, false
	}
	f := inv.Fact{
		Kind: inv.LogStatement, Ground: inv.GroundLog, Time: factTime(e.Event), Until: e.until(), Evidence: []string{e.evidence},
		Attrs: map[string]string{
			"op": st.op, "table": meantTable(in, st.table), "pid": e.Field("pid"), "user": e.Field("user"), "application": e.Field("application_name"),
			"statement": short(text, 600), "source": e.Source, "session": sessionKey(e.Event),
		},
		Says: fmt.Sprintf("%s logged at %s, before it ran: %s", orElse(e.Field("user"), "a session"), clock(e.Time), short(text, 160)),
	}
	if st.op == "detach" {
		f.Attrs["part"] = meantTable(in, st.rest)
	}
	if st.op == "create" && doNothing.MatchString(st.rest) {
		f.Attrs["on-conflict"] = "nothing"
	}
	return f, true
}

// meantTable is the table that a name in a statement means: one that the id can
// be a key of, a part or a former part of such a one, else the name as written.
func meantTable(in inv.Input, name string) string {
	meant := tablesMeant(in)
	for _, f := range in.Facts.Of(inv.TableProperty).With("name", "partition") {
		meant = append(meant, f.Attr("table"))
	}
	for _, t := range meant {
		schema, table, found := strings.Cut(t, ".")
		if !found {
			schema, table = "public", t
		}
		if isTable(name, schema, table) {
			return t
		}
	}
	return strings.Join(nameParts(name), ".")
}

func statementText(e sources.Event) string {
	if s := e.Field("statement"); s != "" {
		return s
	}
	msg := e.Message
	for _, lead := range []string{"statement: ", "execute "} {
		if i := strings.Index(msg, lead); i >= 0 {
			msg = msg[i+len(lead):]
			if lead == "execute " {
				if _, rest, ok := strings.Cut(msg, ": "); ok {
					msg = rest
				}
			}
			return msg
		}
	}
	return ""
}

// inStatement reports whether the id stands as a value of its own in a
// statement, its parameters or an error's detail: quoted, or after = or (.
func (n naming) inStatement(e sources.Event) bool {
	if !isServerLog(e) || e.Weak {
		return false
	}
	if n.random {
		return true
	}
	text := statementText(e) + " " + e.Field("detail")
	for _, v := range n.values {
		for _, form := range []string{"'" + v + "'", "=(" + v + ")", "= " + v, "=" + v, "(" + v + ","} {
			if strings.Contains(text, form) {
				return true
			}
		}
	}
	return false
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
