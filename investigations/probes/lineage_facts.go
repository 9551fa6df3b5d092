package probes

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources/wal"
)

// lineage is a stored lineage with the item it came from.
type lineage struct {
	wal.Lineage
	evidence, server string
	at               time.Time
	// branch names the history that a discarded lineage belongs to, "" for the
	// server's own.
	branch string
}

func (l lineage) noted(note string) bool { return slices.Contains(l.Notes, note) }

func lineagesOf(in inv.Input) []lineage {
	var out []lineage
	for _, e := range in.Evidence {
		if e.Kind != inv.EvidenceLineage {
			continue
		}
		l := lineage{evidence: e.ID, server: e.Source, at: e.CollectedAt}
		if e.Decode(&l.Lineage) == nil {
			out = append(out, l)
		}
	}
	return out
}

func readLineage(in inv.Input) inv.Reading {
	list := lineagesOf(in)
	if len(list) == 0 {
		return inv.BlindReading(in.Blind)
	}
	r := inv.Reading{Outcome: inv.Absent}
	for _, l := range list {
		switch {
		case l.noted(noteDiscarded):
			l.readDiscarded(in, list, &r)
		case l.noted(noteDropped):
			l.readDropped(in, &r)
		default:
			l.read(in, &r)
			l.serverSays(in, &r, answers(in, xactTag(l.server)))
			l.readBranches(in, &r)
		}
		r.Summary = joinLine(r.Summary, l.say())
	}
	if inv.Facts(r.Facts).Any(inv.TupleInserted, inv.TupleUpdated, inv.TupleDeleted, inv.TupleRekeyed, inv.TableTruncated, inv.TableDropped) {
		r.Outcome = inv.Found
	} else if !inv.Facts(r.Facts).Any(inv.WALKeyAbsent) {
		r.Outcome, r.Opens = inv.BlindOutcome, "name an archive of older segments with --wal"
	} else if slices.ContainsFunc(list, func(l lineage) bool { return len(l.altered()) > 0 }) {
		r.Outcome, r.Opens = inv.BlindOutcome, "a backup from before the change, started elsewhere and named with --db: its catalogue has the columns of then"
	}
	return r
}

func (l lineage) read(in inv.Input, r *inv.Reading) {
	first := len(r.Facts)
	l.events(in, r, nil)
	for _, e := range l.Relations {
		if f, ok := l.relationFact(e); ok {
			r.Facts = append(r.Facts, f)
		}
	}
	l.ends(in, r, first)
	l.peers(in, r)
	l.switches(r)
	l.restarts(r)
	l.covers(in, r)
	r.Recovered = append(r.Recovered, l.recovered()...)
}

// events states what happened to the key, but for the events that skip refuses.
func (l lineage) events(in inv.Input, r *inv.Reading, skip func(wal.Event) bool) {
	killed := l.killed()
	for _, e := range l.Events {
		if killed[e.Incarnation] && (e.Op == wal.OpSpeculative || e.Op == wal.OpInsert || e.Op == wal.OpKill || e.Op == wal.OpIndexLeaf) {
			continue // INSERT … ON CONFLICT took its own row back: nobody's delete
		}
		if skip != nil && skip(e) {
			continue
		}
		if f, ok := l.eventFact(e, in.Record.Values()); ok {
			if like := l.likeBefore(e, in.Record.Values()); like != "" {
				f.Attrs["like-before"] = like
			}
			r.Facts = append(r.Facts, f)
			r.Moments = append(r.Moments, l.eventMoment(e))
		}
	}
}

func (l lineage) killed() map[int]bool {
	out := map[int]bool{}
	for _, e := range l.Events {
		if e.Op == wal.OpKill {
			out[e.Incarnation] = true
		}
	}
	return out
}

// eventFact is the fact that one event of the key states; lock, prune and the
// like state none.
func (l lineage) eventFact(e wal.Event, asked []string) (inv.Fact, bool) {
	f := l.fact("", map[string]string{
		"table": e.Table, "xid": fmt.Sprint(e.XID), "lsn": e.LSN.String(), "tid": e.TID.String(), "op": string(e.Op),
		"from": "wal", "incarnation": itoa(e.Incarnation),
	})
	f.Time, f.Until = e.After, e.Before
	switch e.Op {
	case wal.OpInsert, wal.OpMultiInsert, wal.OpSpeculative:
		f.Kind = inv.TupleInserted
		f.Says = fmt.Sprintf("xid %d inserted the row into %s at %s (%s)", e.XID, e.Table, e.TID, e.LSN)
	case wal.OpIndexLeaf:
		f.Kind, f.Attrs["from"] = inv.TupleInserted, "index"
		f.Says = fmt.Sprintf("xid %d put the key into an index of %s for the row at %s (%s)", e.XID, e.Table, e.TID, e.LSN)
	case wal.OpImage:
		f.Kind, f.Attrs["from"], f.Attrs["xid"] = inv.TupleInserted, "image", fmt.Sprint(e.Xmin)
		f.Attrs["lsn"] = ""
		f.Says = fmt.Sprintf("a page image at %s shows the row in %s at %s, written by xid %d", e.LSN, e.Table, e.TID, e.Xmin)
	case wal.OpUpdate, wal.OpHotUpdate, wal.OpMove:
		f.Kind = inv.TupleUpdated
		f.Says = fmt.Sprintf("xid %d updated the row of %s at %s (%s)", e.XID, e.Table, e.TID, e.LSN)
		switch {
		case e.Op == wal.OpMove && !l.landed(e):
			// Its new version does not have the key: the partition key is a part of it.
			f.Kind, f.Attrs["old"], f.Attrs["new"], f.Attrs["moved"] = inv.TupleRekeyed, strings.Join(asked, ","), "", "true"
			f.Says = fmt.Sprintf("xid %d moved the row of %s to another partition, where its key is another (%s)", e.XID, e.Table, e.LSN)
		case e.KeyChanged && sameKey(e.NewKey, asked):
			f.Kind = inv.TupleInserted
			f.Says = fmt.Sprintf("xid %d gave a row of %s this key by an update, at %s (%s)", e.XID, e.Table, e.NewTID, e.LSN)
		case e.KeyChanged:
			f.Kind = inv.TupleRekeyed
			f.Attrs["old"], f.Attrs["new"] = strings.Join(e.OldKey, ","), strings.Join(e.NewKey, ",")
			f.Says = fmt.Sprintf("xid %d changed the key of the row of %s from %s to %s (%s)", e.XID, e.Table, f.Attrs["old"], f.Attrs["new"], e.LSN)
		}
	case wal.OpDelete:
		f.Kind = inv.TupleDeleted
		f.Says = fmt.Sprintf("xid %d deleted the row of %s at %s (%s)", e.XID, e.Table, e.TID, e.LSN)
	default:
		return f, false
	}
	return f, true
}

// landed reports whether a row that was moved to another partition was seen there
// under the same key.
func (l lineage) landed(move wal.Event) bool {
	return slices.ContainsFunc(l.Events, func(e wal.Event) bool {
		insert := e.Op == wal.OpInsert || e.Op == wal.OpMultiInsert || e.Op == wal.OpIndexLeaf
		return insert && e.XID == move.XID && e.Rel != move.Rel
	})
}

// sameKey compares the key of a row with the asked one, part by part; a single
// value of a composite key is the same when it is one of the parts.
func sameKey(key, asked []string) bool {
	same := func(a, b string) bool { return strings.EqualFold(bare(a), bare(b)) }
	if len(key) == len(asked) {
		return slices.EqualFunc(key, asked, same)
	}
	return len(asked) == 1 && slices.ContainsFunc(key, func(k string) bool { return same(k, asked[0]) })
}

func (l lineage) eventMoment(e wal.Event) inv.Moment {
	return inv.Moment{
		Time: cmpTime(e.After, e.Before), Until: e.Before, Source: "wal", Evidence: l.evidence,
		Summary: fmt.Sprintf("%s %s %s xid %d", e.Op, e.Table, e.TID, e.XID), Unordered: e.After.IsZero() && e.Before.IsZero(),
	}
}

func cmpTime(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}

func (l lineage) relationFact(e wal.RelationEvent) (inv.Fact, bool) {
	f := l.fact("", map[string]string{"table": e.Table, "xid": fmt.Sprint(e.XID), "lsn": e.LSN.String(), "from": "wal"})
	f.Time = e.Time
	switch e.Op {
	case wal.OpTruncate:
		f.Kind, f.Says = inv.TableTruncated, fmt.Sprintf("xid %d truncated %s (%s)", e.XID, e.Table, e.LSN)
	case wal.OpDrop, wal.OpDropDB:
		f.Kind, f.Says = inv.TableDropped, fmt.Sprintf("xid %d dropped %s (%s)", e.XID, e.Table, e.LSN)
	case wal.OpRewrite:
		f.Kind, f.Says = inv.TableRewritten, fmt.Sprintf("xid %d gave %s a new file with all rows (%s)", e.XID, e.Table, e.LSN)
	default:
		return f, false
	}
	return f, true
}

// ends states how the transactions ended that the facts from index first on name.
func (l lineage) ends(in inv.Input, r *inv.Reading, first int) {
	var xids []uint32
	for _, f := range r.Facts[first:] {
		if xid := uint32(f.Number("xid")); xid != 0 && !slices.Contains(xids, xid) {
			xids = append(xids, xid)
		}
	}
	for _, xid := range xids {
		x, top := l.resolve(xid)
		if x == nil {
			continue
		}
		f := l.endFact(xid, top, x)
		r.Facts = append(r.Facts, f)
		if !f.Time.IsZero() {
			r.Moments = append(r.Moments, inv.Moment{Time: f.Time, Source: "wal", Summary: f.Says, Evidence: l.evidence})
		}
		if c, ok := l.contents(in, xid, top); ok {
			r.Facts = append(r.Facts, c)
		}
	}
}

// resolve finds the transaction whose end decides about xid: itself when it
// ended by itself, else its parent.
func (l lineage) resolve(xid uint32) (x *wal.Xact, top uint32) {
	x = l.Xacts[xid]
	if x == nil {
		return nil, 0
	}
	top = x.TopXID
	if x.State == wal.Unfinished && top != 0 && l.Xacts[top] != nil {
		return l.Xacts[top], top
	}
	return x, top
}

func (l lineage) endFact(xid, top uint32, x *wal.Xact) inv.Fact {
	f := l.fact("", map[string]string{"xid": fmt.Sprint(xid), "lsn": x.LSN.String(), "from": "wal"})
	if top != 0 {
		f.Attrs["top"] = fmt.Sprint(top)
	}
	if x.Origin != 0 {
		f.Attrs["origin"] = fmt.Sprint(x.Origin)
	}
	f.Time = x.Time
	switch x.State {
	case wal.Committed:
		f.Kind, f.Says = inv.XactCommitted, fmt.Sprintf("xid %d committed at %s (%s)", xid, clock(x.Time), x.LSN)
	case wal.Aborted:
		f.Kind, f.Attrs["record"] = inv.XactAborted, "true"
		f.Says = fmt.Sprintf("xid %d was rolled back at %s (%s)", xid, clock(x.Time), x.LSN)
	case wal.Crashed:
		f.Kind, f.Attrs["record"] = inv.XactAborted, "false"
		f.Time, f.Until = x.Time, time.Time{}
		f.Says = fmt.Sprintf("xid %d was cut off by a restart of the server and has no end in WAL", xid)
	case wal.Prepared:
		f.Kind, f.Attrs["gid"], f.Time = inv.XactPrepared, x.GID, cmpTime(x.Prepared, x.Time)
		f.Says = fmt.Sprintf("xid %d was prepared as %q at %s and has not been finished", xid, x.GID, clock(f.Time))
	default:
		f.Kind, f.Says = inv.XactUnfinished, fmt.Sprintf("xid %d has no end in the WAL that was read", xid)
	}
	return f
}

func (l lineage) restarts(r *inv.Reading) {
	for _, s := range l.Restarts {
		if len(s.Lost) == 0 {
			continue
		}
		f := l.fact(inv.CrashRecovery, map[string]string{"from": "wal", "lsn": s.LSN.String()})
		f.Time = s.Time
		f.Says = fmt.Sprintf("the server went through recovery at %s (%s) and cut off %s", clock(s.Time), s.LSN, plural(len(s.Lost), "transaction"))
		r.Facts = append(r.Facts, f)
		r.Moments = append(r.Moments, inv.Moment{Time: s.Time, Source: "wal", Summary: f.Says, Evidence: l.evidence})
	}
}

// covers states what was read without a hole, and that the key is not in it when
// nothing of it was seen. A primary's WAL reaches up to the moment it was read; a
// standby's ends at what it had received.
func (l lineage) covers(in inv.Input, r *inv.Reading) {
	untold := l.untouched()
	now := l.live() && !l.standby(in)
	for i, c := range l.Covered {
		last := i == len(l.Covered)-1
		f := l.fact(inv.WALCovered, map[string]string{"from": c.From.String(), "to": c.To.String(), "tables": strings.Join(l.Targets, ", "), "last": fmt.Sprint(last && now)})
		f.Time, f.Until = c.FromTime, c.ToTime
		if last && now {
			f.Until = l.at
		}
		if n := l.Unread.Deletes + l.Unread.Updates + len(l.altered()); n > 0 {
			f.Attrs["unread"] = itoa(n)
		}
		since := l.sinceInitdb(in, c)
		if since != "" {
			f.Attrs["since"] = since
		}
		f.Says = fmt.Sprintf("WAL was read without a hole from %s to %s (%s to %s)", c.From, c.To, clock(f.Time), clock(f.Until))
		r.Facts = append(r.Facts, f)
		if last && len(untold) > 0 && len(l.Missed) == 0 {
			f = l.fact(inv.WALKeyAbsent, map[string]string{"from": c.From.String(), "to": c.To.String(), "tables": strings.Join(untold, ", ")})
			f.Time, f.Until = c.FromTime, c.ToTime
			if at := l.readableSince(untold); !at.IsZero() {
				f.Time, since = at, ""
			}
			if since != "" {
				f.Attrs["since"] = since
			}
			if now {
				f.Until = l.at
			}
			f.Says = fmt.Sprintf("WAL from %s to %s holds no row version of the key in %s", clock(f.Time), clock(f.Until), strings.Join(untold, ", "))
			r.Facts = append(r.Facts, f)
		}
	}
}

// columnsChanged is how wal notes a rewrite by which a table got other columns
// (ALTER TABLE … TYPE): its former file cannot be read with the columns of today.
const columnsChanged = "columns changed with it"

// altered are the rewrites before which a table's WAL could not be decoded.
func (l lineage) altered() []wal.RelationEvent {
	return filter(l.Relations, func(e wal.RelationEvent) bool {
		return e.Op == wal.OpRewrite && strings.Contains(e.Note, columnsChanged)
	})
}

// readableSince is when the last of these tables got the columns of today; WAL from
// before it tells nothing of the key. Zero: always.
func (l lineage) readableSince(tables []string) time.Time {
	var out time.Time
	for _, e := range l.altered() {
		if slices.Contains(tables, e.Table) && e.Time.After(out) {
			out = e.Time
		}
	}
	return out
}

// sinceInitdb is when the cluster was made, in RFC 3339, when the stretch begins
// with the first record that initdb writes, and "" otherwise: nothing can have been
// written to this cluster before it. initdb begins WAL with its second segment,
// behind the 40 bytes of a long page header (xlog_internal.h); the upper half of the
// system identifier is the second in which it ran (xlog.c, BootStrapXLOG).
func (l lineage) sinceInitdb(in inv.Input, c wal.Coverage) string {
	const segment, header = 16 << 20, 40
	size := uint64(segment)
	var made time.Time
	for _, f := range in.Facts.Of(inv.Setting).With("server", l.server) {
		switch f.Attr("name") {
		case "wal_segment_size":
			if n := f.Number("value"); n > 0 {
				size = uint64(n)
			}
		case "server.system_identifier":
			if id, err := strconv.ParseUint(f.Attr("value"), 10, 64); err == nil {
				made = time.Unix(int64(id>>32), 0).UTC()
			}
		}
	}
	if from := uint64(c.From); made.IsZero() || from != size && from != size+header {
		return ""
	}
	return made.Format(time.RFC3339)
}

// untouched are the tables that WAL holds no version of the key in.
func (l lineage) untouched() []string {
	return filter(l.Targets, func(t string) bool {
		return !slices.ContainsFunc(l.Events, func(e wal.Event) bool { return e.Table == t })
	})
}

// live reports whether the WAL came from a running server and so reaches up to
// the moment it was read.
func (l lineage) live() bool { return strings.HasPrefix(l.server, "db:") && !l.onlyFiles() }

func (l lineage) standby(in inv.Input) bool {
	return len(in.Facts.Of(inv.Setting).With("name", "server.in_recovery").With("server", l.server).With("value", "t")) > 0
}

func (l lineage) onlyFiles() bool { return l.Notes != nil && slices.Contains(l.Notes, noteFilesOnly) }

// noteFilesOnly marks a lineage whose WAL came from files alone.
const noteFilesOnly = "read from files only"

// likeBefore compares a row that was inserted with the last one that had its key
// before: how many of the columns that both have a value of are the same, such as
// 1/4; "" when there was none. Keys, times and short values are left out.
func (l lineage) likeBefore(e wal.Event, asked []string) string {
	const telling = 3 // characters; flags and small numbers are often the same by chance
	if e.Incarnation < 2 || len(e.Row) == 0 {
		return ""
	}
	for _, o := range slices.Backward(l.Events) {
		if o.Table != e.Table || o.Incarnation != e.Incarnation-1 || len(o.Row) == 0 {
			continue
		}
		same, of := 0, 0
		for name, v := range e.Row {
			w, ok := o.Row[name]
			if !ok || v == nil || w == nil || slices.Contains(asked, *v) || len(*v) < telling || looksLikeTime(*v) || slices.Contains(e.Unknown, name) {
				continue
			}
			of++
			if *v == *w {
				same++
			}
		}
		if of > 0 {
			return fmt.Sprintf("%d/%d", same, of)
		}
	}
	return ""
}

// looksLikeTime reports a value that is a time as PostgreSQL prints it.
func looksLikeTime(v string) bool {
	return len(v) >= 19 && v[4] == '-' && v[7] == '-' && v[13] == ':'
}

// recovered are the last contents that could be read of the rows with the key, for
// each table: that of the newest life, and that of the last one which was ended by
// a committed delete when it is another.
func (l lineage) recovered() []inv.Recovered {
	ended := map[string]int{} // the last life that a committed delete ended, by table
	newest := map[string]int{}
	for _, e := range l.Events {
		newest[e.Table] = max(newest[e.Table], e.Incarnation)
		if x, _ := l.resolve(e.XID); e.Op == wal.OpDelete && x != nil && x.State == wal.Committed {
			ended[e.Table] = max(ended[e.Table], e.Incarnation)
		}
	}
	type life struct {
		table string
		n     int
	}
	seen := map[life]bool{}
	var out []inv.Recovered
	for _, e := range slices.Backward(l.Events) {
		k := life{e.Table, e.Incarnation}
		if len(e.Row) == 0 || seen[k] || e.Incarnation != newest[e.Table] && e.Incarnation != ended[e.Table] {
			continue
		}
		seen[k] = true
		rec := inv.Recovered{Table: e.Table, Row: e.Row, Origin: "wal", Unknown: e.Unknown, Evidence: []string{l.evidence}}
		rec.Standing = e.Incarnation > ended[e.Table]
		out = append(out, rec)
	}
	return out
}

func (l lineage) fact(kind inv.FactKind, attrs map[string]string) inv.Fact {
	attrs["server"] = l.server
	if l.branch != "" {
		attrs["branch"] = l.branch
	}
	return inv.Fact{Kind: kind, Ground: inv.GroundTruth, Attrs: attrs, Evidence: []string{l.evidence}}
}

// say sums the lineage up in one line.
func (l lineage) say() string {
	var parts []string
	killed := l.killed()
	for _, e := range l.Events {
		if killed[e.Incarnation] {
			continue
		}
		switch e.Op {
		case wal.OpLock, wal.OpPrune, wal.OpVacuum, wal.OpConfirm, wal.OpShrink, wal.OpIndexLeaf:
			continue
		}
		parts = append(parts, fmt.Sprintf("%s %s xid %d", e.Op, e.LSN, e.XID)+l.sayEnd(e.XID))
	}
	switch n := len(parts); {
	case n == 0 && len(l.Covered) == 0:
		return "no WAL could be read"
	case n == 0 && len(l.altered()) > 0:
		e := l.altered()[len(l.altered())-1]
		return fmt.Sprintf("the columns of %s were changed by xid %d, committed %s, which gave it a new file: WAL from before cannot be read with the columns of today, and WAL since then holds no row version of the key", e.Table, e.XID, clock(e.Time))
	case n == 0:
		c := l.Covered[len(l.Covered)-1]
		return fmt.Sprintf("no row version of the key in WAL from %s to %s", clock(c.FromTime), clock(c.ToTime))
	case n > 4:
		parts = append(append(parts[:2:2], fmt.Sprintf("… %d more …", n-4)), parts[n-2:]...)
	}
	return strings.Join(parts, "; ")
}

func (l lineage) sayEnd(xid uint32) string {
	x, _ := l.resolve(xid)
	if x == nil {
		return ""
	}
	s := " → " + strings.ToUpper(string(x.State))
	if !x.Time.IsZero() {
		s += " " + x.Time.UTC().Format("2006-01-02 15:04:05.000")
	}
	return s
}
