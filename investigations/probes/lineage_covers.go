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
		if last && len(untold) > 0 && len(l.Missed) == 0 && !cutShort(in) {
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
			f.Says = fmt.Sprintf("WAL from %s to %s holds no row version of the key in %s", clock(f.Time), clock(f.Until), firstOf(untold))
			r.Facts = append(r.Facts, f)
		}
	}
}

// cutShort reports whether there are more tables or partitions that fit the id than
// were followed: what was not followed may hold it.
func cutShort(in inv.Input) bool { return len(in.Facts.Of(inv.TableProperty).With("name", "cut")) > 0 }

// firstOf names the first few of a list.
func firstOf(names []string) string {
	const few = 5
	if len(names) <= few+1 {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:few], ", ") + fmt.Sprintf(" and %d more", len(names)-few)
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
