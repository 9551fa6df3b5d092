package probes

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
	"inquest/sources/wal"
)

func concurrencyOverlap() inv.Probe {
	return inv.Probe{
		ID: "concurrency.overlap", Step: inv.StepConcurrency, Phase: inv.PhaseLogs, Title: "Overlapping transactions",
		Asks:     "Which transactions that wrote the row, or deleted from its table, were running while it was created or removed?",
		Why:      "Two transactions at once may each have acted on what the other had not committed yet.",
		Negative: "Transactions that only read, and those that inserted or updated other rows: WAL tells of the first nothing, and the second are not followed.",
		Needs:    "WAL of that time (see Row lineage)",
		Timeout:  10 * time.Second,
		Sends:    "nothing: it reads the lineage that was collected",
		Collect:  collectOverlaps,
		Read:     readOverlaps,
	}
}

// overlap is a transaction that ran at the same time as one of the row's.
type overlap struct {
	Of      uint32    `json:"of"` // the row's
	XID     uint32    `json:"xid"`
	State   string    `json:"state"`
	Time    time.Time `json:"time,omitzero"` // of its end
	Touches bool      `json:"touches"`       // it wrote the row itself
	Deletes int       `json:"deletes"`       // of rows of the tables
	Older   bool      `json:"older"`         // its number is the smaller one
	FromLSN wal.LSN   `json:"from_lsn"`
	ToLSN   wal.LSN   `json:"to_lsn,omitzero"`
}

// overlaps is what was found in one server's WAL.
type overlaps struct {
	List []overlap `json:"list"`
	// Whole is true when the WAL of the row's own transactions was read completely.
	Whole bool   `json:"whole"`
	Why   string `json:"why,omitempty"`
	Own   int    `json:"own"` // transactions of the row
}

const evidenceOverlaps = "overlaps"

func collectOverlaps(_ context.Context, c *inv.Collector) error {
	for _, l := range lineagesOf(inv.Input{Evidence: c.Runs["database.lineage"].Evidence}) {
		if l.noted(noteDiscarded) || l.noted(noteDropped) {
			continue
		}
		found := l.overlaps()
		if found.Own == 0 {
			continue
		}
		for _, cov := range l.Covered {
			c.Cover(sources.Coverage{Source: "WAL of " + l.server, From: cov.FromTime, To: cov.ToTime, Format: "wal", Gaps: []sources.Gap{}})
		}
		if err := c.Keep(evidenceOverlaps, l.server, "transactions that overlap those of the row, by the WAL that was read for "+c.Record.ID, "", found); err != nil {
			return err
		}
	}
	return nil
}

// overlaps compares the stretches of WAL over which transactions wrote.
func (l lineage) overlaps() overlaps {
	out := overlaps{Whole: len(l.Missed) == 0 && len(l.Gaps) == 0, List: []overlap{}}
	if !out.Whole {
		out.Why = "WAL of that time was not read without a hole"
	}
	var own, all []*wal.Xact
	for _, x := range l.Xacts {
		if x.TopXID != 0 || x.FirstLSN == 0 {
			continue
		}
		all = append(all, x)
		if x.TouchesIt {
			own = append(own, x)
		}
	}
	byXID := func(a, b *wal.Xact) int { return cmp.Compare(a.FirstLSN, b.FirstLSN) }
	slices.SortFunc(own, byXID)
	slices.SortFunc(all, byXID)
	out.Own = len(own)
	for _, x := range own {
		for _, y := range all {
			if x.XID == y.XID || !overlapping(x, y) || y.TouchesIt && y.FirstLSN < x.FirstLSN {
				continue // told from the other side
			}
			deletes := 0
			for _, n := range y.Tables {
				deletes += n.Delete
			}
			out.List = append(out.List, overlap{
				Of: x.XID, XID: y.XID, State: string(y.State), Time: y.Time, Touches: y.TouchesIt, Deletes: deletes,
				Older: int32(y.XID-x.XID) < 0, FromLSN: y.FirstLSN, ToLSN: y.LSN,
			})
		}
	}
	return out
}

// overlapping reports whether two transactions wrote at the same time: each began
// before the other ended. One without an end has not ended.
func overlapping(x, y *wal.Xact) bool {
	return (y.LSN == 0 || x.FirstLSN < y.LSN) && (x.LSN == 0 || y.FirstLSN < x.LSN)
}

func readOverlaps(in inv.Input) inv.Reading {
	r := inv.Reading{Outcome: inv.Absent, Summary: "no transaction that wrote the row or deleted from its table ran beside those of the row"}
	looked := 0
	for _, e := range in.Evidence {
		var found overlaps
		if e.Kind != evidenceOverlaps || e.Decode(&found) != nil {
			continue
		}
		looked++
		for _, o := range found.List {
			r.Facts = append(r.Facts, o.fact(e))
		}
		if !found.Whole && r.Outcome == inv.Absent {
			r.Outcome, r.Summary = inv.BlindOutcome, found.Why
		}
	}
	switch {
	case looked == 0 && len(in.Blind) > 0:
		return inv.BlindReading(in.Blind)
	case looked == 0:
		return inv.Reading{Outcome: inv.NotApplicable, Summary: "no transaction of the row was read in WAL"}
	case len(r.Facts) > 0:
		r.Outcome, r.Summary = inv.Found, r.Facts[0].Says
		if n := len(r.Facts) - 1; n > 0 {
			r.Summary += fmt.Sprintf(" (and %d more)", n)
		}
	}
	return r
}

func (o overlap) fact(e inv.Evidence) inv.Fact {
	did := fmt.Sprintf("deleted %s of the table", plural(o.Deletes, "row"))
	if o.Touches {
		did = "wrote the row as well"
	}
	return inv.Fact{
		Kind: inv.XactOverlap, Ground: inv.GroundTruth, Time: o.Time, Evidence: []string{e.ID},
		Attrs: map[string]string{
			"xid": fmt.Sprint(o.XID), "of": fmt.Sprint(o.Of), "touches": fmt.Sprint(o.Touches), "deletes": itoa(o.Deletes), "older": fmt.Sprint(o.Older), "end": o.State, "server": e.Source,
		},
		Says: fmt.Sprintf("xid %d ran while xid %d did, and %s (%s %s)", o.XID, o.Of, did, o.State, clock(o.Time)),
	}
}
