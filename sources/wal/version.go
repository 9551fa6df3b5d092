package wal

import (
	"slices"

	"inquest/sources/heap"
)

type place struct {
	rel RelFile
	tid heap.TID
}

// writing names one occupant of a place: the row version that the record at a position wrote there.
type writing struct {
	place
	at LSN
}

// sighting says that the last row version which was written to a place before asOf held the key. It says nothing of any version that
// was there before that one: places are used again.
type sighting struct {
	place
	asOf LSN
}

// seen is a sighting with the version it follows from, nil when a record showed it.
type seen struct {
	sighting
	from *version
}

// version is a row version that holds the key, or held it before an update changed it.
type version struct {
	place
	t           *target
	incarnation int
	tuple       heap.Tuple
	hasTuple    bool
	assumed     bool // by evidence from later
	until       LSN  // a write to the place before this position withdraws the assumption; 0: it is proved
	discarded   bool
	dead        bool     // pruned to a dead line pointer
	parent      *version // the version an update made this one from
	shadow      bool     // the row has another key now, or perhaps: nothing that happens to it is the key's
	change      int      // shadow: 1 + index of the event that changed the key, while the new key is not known
}

// withdrawn reports that the version, or one it came from, was assumed wrongly.
func (v *version) withdrawn() bool {
	for ; v != nil; v = v.parent {
		if v.discarded {
			return true
		}
	}
	return false
}

// keep copies a version's bytes out of the reader's buffers.
func keep(t heap.Tuple) heap.Tuple {
	t.Bitmap, t.Data = slices.Clone(t.Bitmap), slices.Clone(t.Data)
	return t
}

func (e *Event) setRow(t heap.Tuple) {
	e.tuple, e.hasTuple = t, true
}

// start begins to follow a version that the record wrote.
func (tr *tracer) start(p place, t *target, incarnation int, at LSN) *version {
	v := &version{place: p, t: t, incarnation: incarnation}
	tr.hold(p, v)
	if at != 0 {
		tr.followed[writing{p, at}] = true
	}
	return v
}

func (tr *tracer) nextIncarnation() int {
	tr.incarnation++
	return tr.incarnation
}

// vacate ends what was at an address before a write. Whatever later evidence says of the address, it says of what is written now.
func (tr *tracer) vacate(p place, at LSN, read bool) {
	if v := tr.live[p]; v != nil {
		v.discarded = v.discarded || v.until > at
		delete(tr.live, p)
	}
	if len(tr.watched) > 0 {
		delete(tr.watched, p)
	}
	if until, ok := tr.unsure[p]; ok && at < until {
		if read {
			delete(tr.blank, p)
		} else {
			tr.blank[p] = true
		}
	}
}

// sight notes that an address held the key after a record; a walk backwards finds out since when.
func (tr *tracer) sight(p place, at LSN, from *version) {
	if len(tr.sightings) < maxEvents {
		tr.sightings = append(tr.sightings, seen{sighting{p, at}, from})
	}
}
