package probes

import (
	"slices"
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
	if len(list) == 0 && len(serversOf(in)) == 0 {
		return inv.BlindReading(in.Blind)
	}
	r := inv.Reading{Outcome: inv.Absent}
	for _, l := range list {
		switch {
		case l.noted(noteDiscarded):
			l.readDiscarded(in, list, &r)
		case l.noted(noteDropped):
			l.readDropped(in, &r)
		case l.noted(noteGone):
			l.readGone(in, &r)
		case l.noted(noteAltered):
			l.readAltered(in, &r)
		default:
			l.read(in, &r)
			l.serverSays(in, &r, answers(in, xactTag(l.server)))
			l.readBranches(in, &r)
		}
		if !l.noted(noteGone) || len(l.Events) > 0 {
			r.Summary = joinLine(r.Summary, l.say())
		}
	}
	for _, server := range serversOf(in) {
		unseenGone(in, server, &r)
	}
	if inv.Facts(r.Facts).Any(inv.TupleInserted, inv.TupleUpdated, inv.TupleDeleted, inv.TupleRekeyed, inv.TableTruncated, inv.TableDropped) {
		r.Outcome = inv.Found
	} else if !inv.Facts(r.Facts).Any(inv.WALKeyAbsent) {
		r.Outcome, r.Opens = inv.BlindOutcome, "name an archive of older segments with --wal"
		if cutShort(in) {
			r.Summary = joinLine(r.Summary, "more tables or partitions fit the id than were followed")
			r.Opens = "name the table or the partition with --table"
		}
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
			if l.standby(in) {
				delete(f.Attrs, "followed") // its WAL ends where it has replayed
			}
			r.Facts = append(r.Facts, f)
			r.Moments = append(r.Moments, l.eventMoment(e))
		} else if wrote(e) && e.Under != nil && !e.KeyChanged {
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

func (l lineage) fact(kind inv.FactKind, attrs map[string]string) inv.Fact {
	attrs["server"] = l.server
	if l.branch != "" {
		attrs["branch"] = l.branch
	}
	return inv.Fact{Kind: kind, Ground: inv.GroundTruth, Attrs: attrs, Evidence: []string{l.evidence}}
}

// wrote reports an event that changed the row.
func wrote(e wal.Event) bool {
	switch e.Op {
	case wal.OpInsert, wal.OpMultiInsert, wal.OpUpdate, wal.OpHotUpdate, wal.OpDelete, wal.OpMove, wal.OpTruncate, wal.OpDrop:
		return true
	}
	return false
}

// serversOf are the servers whose WAL tells of dropped tables.
func serversOf(in inv.Input) []string {
	var out []string
	for _, e := range in.Evidence {
		if e.Kind == evidenceGone && !slices.Contains(out, e.Source) {
			out = append(out, e.Source)
		}
	}
	return out
}
