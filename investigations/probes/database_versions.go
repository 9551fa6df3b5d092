package probes

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
	"inquest/sources/catalog"
)

// pageReader is the ability to find every version of a key on raw pages.
type pageReader interface {
	SearchPages(ctx context.Context, t *catalog.Table, m catalog.Match) ([]catalog.PageSearch, error)
}

func databaseVersions() inv.Probe {
	return inv.Probe{
		ID: "database.versions", Step: inv.StepDatabase, Phase: inv.PhasePages, Title: "Row versions on raw pages",
		Asks:     "Which versions of the row, dead ones too, are still on the table's pages, and who wrote and ended them?",
		Why:      "A deleted or rolled-back row stays on its page until vacuum or the next reader prunes it: an ordinary SELECT can destroy this evidence.",
		Negative: "Versions that were vacuumed or pruned before anyone looked.",
		Needs:    "superuser with pageinspect, or EXECUTE on pg_read_binary_file",
		Timeout:  2 * time.Minute,
		Sends:    "for each table that can hold the id: the pages that its index leads to, with\nSELECT get_raw_page(table, block)   -- or pg_read_binary_file(file, offset, length)",
		Collect:  collectVersions,
		Read:     readVersions,
	}
}

func collectVersions(ctx context.Context, c *inv.Collector) error {
	servers := inv.With[pageReader](c)
	if len(servers) == 0 {
		return noServer(c)
	}
	for _, s := range standbysFirst(c, servers) {
		if err := searchServer(ctx, c, s); err != nil {
			return err
		}
	}
	return nil
}

func searchServer(ctx context.Context, c *inv.Collector, s inv.Able[pageReader]) error {
	var all []catalog.PageSearch
	tables := ownTables(c, s.Source.Name())
	for i, t := range tables {
		match, _ := ownKey(t)
		c.Progress(int64(i), int64(len(tables)), t.DisplayName())
		found, err := s.Ability.SearchPages(ctx, &t, match)
		all = append(all, found...)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			blindTo(c, s.Source.Name(), err)
			if len(found) == 0 && i == 0 {
				break // the privilege is missing, or the server is away: the next table will not do better
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	query := fmt.Sprintf("raw pages of %s: every version of the key %s", plural(len(all), "relation"), c.Record.ID)
	if err := c.Keep(inv.EvidencePages, s.Source.Name(), query, "", all); err != nil {
		return err
	}
	return askVersionXacts(ctx, c, s.Source, all)
}

// askVersionXacts asks the server how the transactions of the versions ended.
func askVersionXacts(ctx context.Context, c *inv.Collector, server sources.Source, all []catalog.PageSearch) error {
	var xids []string
	for _, ps := range all {
		for _, v := range ps.Versions {
			for _, x := range []uint32{v.Xmin, v.Deleter} {
				if s := fmt.Sprint(x); x > 2 && !(x == v.Xmin && frozen(v)) && !slices.Contains(xids, s) {
					xids = append(xids, s)
				}
			}
		}
	}
	return askStatus(ctx, c, server, xids, "how the transactions of the row versions ended")
}

// frozen reports a version whose inserter committed so long ago that its number may
// be another transaction's by now.
func frozen(v catalog.RowVersion) bool { return slices.Contains(v.Hints, catalog.HintXminFrozen) }

// pagesOf returns the stored page searches with their item and server.
func pagesOf(evidence []inv.Evidence) []pageEvidence {
	var out []pageEvidence
	for _, e := range evidence {
		if e.Kind != inv.EvidencePages {
			continue
		}
		p := pageEvidence{evidence: e.ID, server: e.Source}
		if e.Decode(&p.searches) == nil {
			out = append(out, p)
		}
	}
	return out
}

type pageEvidence struct {
	searches         []catalog.PageSearch
	evidence, server string
}

func readVersions(in inv.Input) inv.Reading {
	stored := pagesOf(in.Evidence)
	if len(stored) == 0 {
		return inv.BlindReading(in.Blind)
	}
	r := inv.Reading{Outcome: inv.Absent, Summary: "no version of the row on the pages of its tables"}
	complete, dead, files := true, 0, false
	var said, old []string
	for _, p := range stored {
		for _, ps := range p.searches {
			complete = complete && ps.Complete
			files = files || ps.Via == catalog.ViaFile
			for _, v := range ps.Versions {
				if v.Pointer == "dead" && v.Index != nil {
					dead++
				}
				if v.Key != "same" || v.Pointer != "normal" {
					continue
				}
				r.Facts = append(r.Facts, versionFacts(v, p)...)
				if frozen(v) {
					old = append(old, fmt.Sprint(v.Xmin))
				}
				said = append(said, sayVersion(v))
				if rec := recoveredFrom(v, p.evidence); rec != nil {
					if v.Next == nil {
						r.Recovered = slices.Insert(r.Recovered, 0, *rec) // the last version of its chain
					} else {
						r.Recovered = append(r.Recovered, *rec)
					}
				}
			}
		}
		for _, a := range answers(in, xactTag(p.server)) {
			r.Facts = append(r.Facts, filter(statusFacts(a), func(f inv.Fact) bool { return !slices.Contains(old, f.Attr("xid")) })...)
		}
	}
	switch {
	case len(said) > 0:
		r.Outcome, r.Summary = inv.Found, plural(len(said), "version")+": "+short(strings.Join(said, "; "), 240)
	case dead > 0:
		r.Outcome, r.Summary = inv.Found, fmt.Sprintf("an index still points at %s whose bytes were pruned: a row with this key was written here once", plural(dead, "address"))
	case files:
		r.Outcome, r.Summary = inv.BlindOutcome, "no version found in the files, which are as old as the last checkpoint; what came later is in WAL"
		r.Opens = "a superuser with pageinspect sees the pages in memory as well"
	case otherBytes(in.Facts, stored[0].server, in.Record) != "":
		r.Outcome, r.Summary = inv.BlindOutcome, "no version found, but "+otherBytes(in.Facts, stored[0].server, in.Record)
	case !complete:
		r.Outcome, r.Summary = inv.BlindOutcome, "no version found, but not every page could be searched"
	}
	return r
}

func versionFacts(v catalog.RowVersion, p pageEvidence) []inv.Fact {
	base := func(kind inv.FactKind, xid uint32, says string) inv.Fact {
		return inv.Fact{
			Kind: kind, Ground: inv.GroundTruth, Evidence: []string{p.evidence},
			Attrs: map[string]string{"table": v.Table, "xid": fmt.Sprint(xid), "tid": v.TID.String(), "from": "heap", "server": p.server},
			Says:  says,
		}
	}
	out := []inv.Fact{base(inv.TupleInserted, v.Xmin, fmt.Sprintf("a row version at %s of %s was written by xid %d", v.TID, v.Table, v.Xmin))}
	if slices.Contains(v.Hints, catalog.HintUpdated) {
		out[0].Kind = inv.TupleUpdated
	}
	if frozen(v) {
		out = append(out, base(inv.XactCommitted, v.Xmin, fmt.Sprintf("the row version at %s of %s is frozen: xid %d, which wrote it, committed long ago", v.TID, v.Table, v.Xmin)))
		delete(out[1].Attrs, "table")
	}
	if v.Deleter == 0 {
		return out
	}
	if slices.Contains(v.Hints, catalog.HintMovedPartition) {
		moved := base(inv.TupleUpdated, v.Deleter, fmt.Sprintf("the row version at %s of %s was moved to another partition by xid %d", v.TID, v.Table, v.Deleter))
		moved.Attrs["moved"] = "true"
		return append(out, moved)
	}
	if v.Next == nil {
		return append(out, base(inv.TupleDeleted, v.Deleter, fmt.Sprintf("the row version at %s of %s was deleted by xid %d", v.TID, v.Table, v.Deleter)))
	}
	return append(out, base(inv.TupleUpdated, v.Deleter, fmt.Sprintf("the row version at %s of %s was updated by xid %d to %s", v.TID, v.Table, v.Deleter, *v.Next)))
}

func sayVersion(v catalog.RowVersion) string {
	s := fmt.Sprintf("%s %s written by xid %d", v.Table, v.TID, v.Xmin)
	if slices.Contains(v.Hints, catalog.HintMovedPartition) {
		s += fmt.Sprintf(", moved to another partition by xid %d", v.Deleter)
	} else if v.Deleter != 0 && v.Next == nil {
		s += fmt.Sprintf(", deleted by xid %d", v.Deleter)
	} else if v.Deleter != 0 {
		s += fmt.Sprintf(", updated by xid %d", v.Deleter)
	}
	return s
}

func recoveredFrom(v catalog.RowVersion, evidence string) *inv.Recovered {
	if len(v.Row) == 0 {
		return nil
	}
	return &inv.Recovered{Table: v.Table, Row: v.Row, Origin: "heap", Unknown: v.Unknown, Evidence: []string{evidence}}
}
