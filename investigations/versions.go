package investigations

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Version is one version of the record, or its end, as one item of evidence
// shows it.
type Version struct {
	Table string
	// From is where it was read: wal, page, row (an ordinary SELECT) or reference
	// (a row of another table that names the record, such as a history table).
	From string
	// Op is what happened: insert, update, delete, and other words of the WAL; seen
	// for a row that was read as it stood.
	Op string
	// XID is the transaction, 0 when it is not known, and End how that ended:
	// committed, aborted, …; empty when it is not known.
	XID uint32
	End string
	TID string
	LSN string
	// Time, or the stretch from Time to Until; both may be zero.
	Time, Until time.Time
	// Row holds the columns as text; nil pointers are NULL, a nil map means that
	// the content is not known. Unknown names columns that could not be read.
	Row      map[string]*string
	Unknown  []string
	Evidence string
}

// Versions lists the versions of the record that the newest runs of the probes
// show, in the order in which they were written; those without a time come last.
// Evidence that cannot be read is left out: its own screen says why.
func Versions(s State) []Version {
	var out []Version
	for _, probe := range slices.Sorted(maps.Keys(s.Runs)) {
		for _, e := range s.Runs[probe].Evidence {
			out = append(out, versionsIn(e)...)
		}
	}
	slices.SortStableFunc(out, func(a, b Version) int {
		return byTime(Moment{Time: a.Time}, Moment{Time: b.Time})
	})
	return out
}

func versionsIn(e Evidence) []Version {
	switch e.Kind {
	case EvidenceLineage:
		return lineageVersions(e)
	case EvidencePages:
		return pageVersions(e)
	case EvidenceTable:
		return rowVersions(e)
	}
	return nil
}

// writes are the WAL operations that make a version or end one; the others,
// such as locks and index entries, do neither.
var writes = []string{
	"insert", "multi-insert", "update", "hot-update", "delete", "partition-move", "image",
	"speculative-insert", "speculative-kill",
}

// lineageVersions reads a WAL lineage by the names of its JSON, so that the
// domain need not know the reader of WAL.
func lineageVersions(e Evidence) []Version {
	var l struct {
		Events []struct {
			LSN     string             `json:"lsn"`
			Op      string             `json:"op"`
			XID     uint32             `json:"xid"`
			TopXID  uint32             `json:"top_xid"`
			Xmin    uint32             `json:"xmin"`
			Table   string             `json:"table"`
			TID     string             `json:"tid"`
			NewTID  string             `json:"new_tid"`
			After   time.Time          `json:"after"`
			Before  time.Time          `json:"before"`
			Row     map[string]*string `json:"row"`
			Unknown []string           `json:"unknown"`
		} `json:"events"`
		Xacts map[string]struct {
			State  string    `json:"state"`
			TopXID uint32    `json:"top_xid"`
			Time   time.Time `json:"time"`
		} `json:"xacts"`
	}
	if e.Decode(&l) != nil {
		return nil
	}
	var out []Version
	for _, x := range l.Events {
		if !slices.Contains(writes, x.Op) {
			continue
		}
		v := Version{
			Table: x.Table, From: "wal", Op: x.Op, XID: cmp.Or(x.XID, x.Xmin), TID: cmp.Or(x.NewTID, x.TID), LSN: x.LSN,
			Time: x.After, Until: x.Before, Row: x.Row, Unknown: x.Unknown, Evidence: e.ID,
		}
		if v.Time.IsZero() {
			v.Time, v.Until = x.Before, time.Time{}
		}
		end := l.Xacts[strconv.FormatUint(uint64(v.XID), 10)]
		if top := cmp.Or(x.TopXID, end.TopXID); top != 0 && (end.State == "" || end.State == "unfinished") {
			end = l.Xacts[strconv.FormatUint(uint64(top), 10)]
		}
		v.End = end.State
		out = append(out, v)
	}
	return out
}

func pageVersions(e Evidence) []Version {
	var all []struct {
		Table    string `json:"table"`
		Versions []struct {
			TID     string             `json:"tid"`
			Key     string             `json:"key"`
			Xmin    uint32             `json:"xmin"`
			Hints   []string           `json:"hints"`
			Deleter uint32             `json:"deleter"`
			Row     map[string]*string `json:"row"`
			Unknown []string           `json:"unknown"`
		} `json:"versions"`
	}
	if e.Decode(&all) != nil {
		return nil
	}
	var out []Version
	for _, search := range all {
		for _, x := range search.Versions {
			if x.Row == nil || x.Key == "different" {
				continue
			}
			v := Version{Table: search.Table, From: "page", Op: "seen", XID: x.Xmin, TID: x.TID, Row: x.Row, Unknown: x.Unknown, Evidence: e.ID}
			switch {
			case slices.Contains(x.Hints, "xmin aborted"):
				v.End = "aborted"
			case slices.Contains(x.Hints, "xmin committed"), slices.Contains(x.Hints, "xmin frozen"):
				v.End = "committed"
			}
			out = append(out, v)
		}
	}
	return out
}

// rowVersions reads the answers of the probes that look for the row by its key
// ("key:" and "heap:") and for rows that name it ("reference:").
func rowVersions(e Evidence) []Version {
	kind, table, _ := strings.Cut(e.Tag, ":")
	from := map[string]string{"key": "row", "heap": "row", "reference": "reference"}[kind]
	if from == "" {
		return nil
	}
	var t struct {
		Columns []string    `json:"columns"`
		Rows    [][]*string `json:"rows"`
	}
	if e.Decode(&t) != nil {
		return nil
	}
	var out []Version
	for _, cells := range t.Rows {
		v := Version{Table: table, From: from, Op: "seen", End: "committed", Time: e.CollectedAt, Row: map[string]*string{}, Evidence: e.ID}
		for i, c := range t.Columns {
			if i >= len(cells) {
				break
			}
			switch {
			case c == "inquest.ctid" && cells[i] != nil:
				v.TID = *cells[i]
			case c == "inquest.xmin" && cells[i] != nil:
				n, _ := strconv.ParseUint(*cells[i], 10, 32)
				v.XID = uint32(n)
			case !strings.HasPrefix(c, "inquest."):
				v.Row[c] = cells[i]
			}
		}
		out = append(out, v)
	}
	return out
}

// Change is one column that differs between two versions. A nil pointer is
// NULL; Had and Has say whether the version has the column at all.
type Change struct {
	Column        string
	Before, After *string
	Had, Has      bool
}

// Diff returns what changed from one version to the next, column by column in
// order of their names. Columns that either could not read are left out.
func Diff(before, after Version) []Change {
	if before.Row == nil || after.Row == nil {
		return nil
	}
	var names []string
	for c := range before.Row {
		names = append(names, c)
	}
	for c := range after.Row {
		if _, both := before.Row[c]; !both {
			names = append(names, c)
		}
	}
	slices.Sort(names)
	var out []Change
	for _, c := range names {
		if slices.Contains(before.Unknown, c) || slices.Contains(after.Unknown, c) {
			continue
		}
		x, had := before.Row[c]
		y, has := after.Row[c]
		if had != has || (x == nil) != (y == nil) || x != nil && *x != *y {
			out = append(out, Change{Column: c, Before: x, After: y, Had: had, Has: has})
		}
	}
	return out
}

// Tables names the tables that the case has looked at or is about, in order.
func Tables(s State) []string {
	seen := map[string]bool{s.Record.Table: s.Record.Table != ""}
	for _, e := range s.Evidence {
		if e.Kind == "tables" && e.Tag != "" {
			seen[e.Tag] = true
		}
		if kind, table, ok := strings.Cut(e.Tag, ":"); ok && e.Kind == EvidenceTable && (kind == "key" || kind == "heap" || kind == "reference") {
			seen[table] = true
		}
	}
	delete(seen, "")
	return slices.Sorted(maps.Keys(seen))
}
