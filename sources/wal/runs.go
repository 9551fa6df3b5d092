package wal

// beginRun takes up what later evidence says of places at the start of a run.
func (tr *tracer) beginRun(from LSN) {
	tr.run = from
	tr.started[from] = map[place]bool{}
	if tr.backed {
		for _, p := range tr.starts[from] {
			tr.assume(p, 0)
		}
		return
	}
	for k := range tr.known {
		until, p := k.AsOf, place{k.Rel, k.TID}
		if until == 0 {
			until = ^LSN(0)
		}
		if until <= from {
			continue
		}
		// The earliest sighting counts: a write after it is another row's affair, one before it withdraws them all.
		if old := tr.live[p]; old == nil || old.until > until {
			tr.assume(p, until)
		}
	}
}

func (tr *tracer) assume(p place, until LSN) {
	if r := tr.relation(p.rel); r != nil && r.index == nil {
		tr.hold(p, &version{place: p, t: r.t, assumed: true, until: until})
		tr.started[tr.run][p] = true
	}
}

// endRun forgets where the key is: what happened in the hole after the run is not known, and evidence from behind it says nothing of
// what was before.
func (tr *tracer) endRun(at LSN) {
	if tr.run != 0 {
		tr.before() // the run's last time
	}
	for p, v := range tr.live {
		v.discarded = v.until > at
		delete(tr.live, p)
	}
	for p := range tr.blank {
		if tr.unsure[p] > at {
			delete(tr.blank, p)
		}
	}
	clear(tr.watched)
	clear(tr.whole)
	tr.catalogue.forget()
}

// close ends the last run at a position: evidence from later than that counts only when it is from the present.
func (tr *tracer) close(at LSN) {
	if tr.run != 0 {
		tr.before()
	}
	for _, v := range tr.live {
		v.discarded = v.discarded || v.until > at && v.until != ^LSN(0)
	}
}

// undecided reports that the last write into a place that is known to hold the key could not be read: where the row was before has to
// be found out.
func (tr *tracer) undecided() bool { return !tr.backed && len(tr.blank) > 0 }
