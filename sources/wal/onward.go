package wal

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"inquest/sources/heap"
)

const (
	maxOnward = 12 // keys under which rows are followed, in one lineage
	maxLives  = 2  // lives of the key whose row is followed under the key that it got
)

// onward follows the rows that committed updates took the key from, under the keys that these gave them, to the row's end or the end of
// the WAL. Each key is a walk of its own, from the update on; what happened to the row joins the lineage's events with Under set.
func (k *walked) onward(ctx context.Context, src Source, plan Plan, targets []Target, opt Options) error {
	l := k.l
	w := wanderer{l: l, setup: k.s, src: src, plan: plan, targets: targets, opt: opt, left: maxOnward}
	lives := map[int]int{}
	for _, start := range w.departures() {
		e := &l.Events[start]
		if lives[e.Target]++; lives[e.Target] > maxLives {
			e.NotFollowed = "the key was taken from more rows of the table than are followed"
			continue
		}
		if err := w.follow(ctx, start); err != nil {
			return err
		}
	}
	slices.SortStableFunc(l.Events, func(a, b Event) int { return cmp.Compare(a.LSN, b.LSN) })
	return nil
}

// wanderer follows rows from key to key.
type wanderer struct {
	l       *Lineage
	setup   *setup // of the walk for the asked key
	src     Source
	plan    Plan
	targets []Target
	opt     Options
	left    int // walks
}

// departures returns, latest first, the events by which the last update of a life took the key from its row.
func (w *wanderer) departures() []int {
	var out []int
	seen := map[int]bool{}
	for i := len(w.l.Events) - 1; i >= 0; i-- {
		if e := &w.l.Events[i]; w.departs(e, w.asked(e)) && !seen[e.Incarnation] {
			seen[e.Incarnation] = true
			out = append(out, i)
		}
	}
	return out
}

// asked is the key that is traced, in the table of an event.
func (w *wanderer) asked(e *Event) []string { return w.targets[e.Target].wanted() }

// departs reports that an event took a key from the row, and was not undone as far as the WAL tells.
func (w *wanderer) departs(e *Event, key []string) bool {
	update := e.Op == OpUpdate || e.Op == OpHotUpdate || e.Op == OpMove && !e.NewRel.Zero()
	return e.KeyChanged && update && !w.targets[e.Target].sameKey(e.NewKey, key) && !w.l.undone(e.XID)
}

// undone reports that a transaction is known not to have committed.
func (l *Lineage) undone(xid uint32) bool {
	x := l.Xacts[xid]
	if x == nil {
		return false
	}
	if top := l.Xacts[x.TopXID]; x.State == Unfinished && top != nil {
		x = top
	}
	return x.State == Aborted || x.State == Crashed
}

// follow goes with a row from the update that took the asked key from it.
func (w *wanderer) follow(ctx context.Context, at int) error {
	left := w.l.Events[at].LSN
	for at >= 0 {
		e := &w.l.Events[at]
		switch {
		case e.NewKey == nil:
			e.NotFollowed = "the key that the row got is not known"
			return nil
		case w.targets[e.Target].sameKey(e.NewKey, w.asked(e)):
			return nil // back under the asked key: the lineage itself tells
		case w.left == 0:
			e.NotFollowed = fmt.Sprintf("keys changed more than %d times", maxOnward)
			return nil
		}
		w.left--
		next, err := w.step(ctx, at, left)
		if err != nil {
			return err
		}
		at = next
	}
	return nil
}

// step follows the row under the key that an event gave it, and returns the event that took this key from it again, or -1.
func (w *wanderer) step(ctx context.Context, at int, left LSN) (int, error) {
	gave := w.l.Events[at]
	opt := w.opt
	opt.From = max(gave.LSN, opt.From)
	opt.Known = []KnownTID{{Target: gave.Target, Rel: gave.Rel, TID: gave.NewTID, AsOf: gave.LSN + 1}}
	switch {
	case gave.Op == OpMove: // the insert that follows it holds the row
		opt.Known = nil
	case gave.hasTuple && gave.tuple.To == 0:
		opt.wrote = map[writing]heap.Tuple{{gave.to(), gave.LSN}: gave.tuple}
	}
	walk, err := walkKey(ctx, w.src, w.plan, rekeyed(w.targets, &gave), opt, w.setup)
	if err != nil {
		return -1, fmt.Errorf("follow the row under its new key: %w", err)
	}
	w.l.Passes, w.l.Bytes = w.l.Passes+walk.l.Passes, w.l.Bytes+walk.l.Bytes
	return w.join(walk.l, at, left), nil
}

// rekeyed returns the tables with the key that an event gave: its own, and those that a row of it can move to. The others get none.
func rekeyed(targets []Target, gave *Event) []Target {
	out := slices.Clone(targets)
	for i := range out {
		t := &out[i]
		fits := len(t.Key) == len(gave.NewKey) && t.alike(&targets[gave.Target])
		t.Key = slices.Clone(t.Key)
		if !fits {
			t.Key = nil
		}
		for j := range t.Key {
			t.Key[j].Text, t.Key[j].Also = gave.NewKey[j], nil
		}
	}
	return out
}

// join takes over what happened to the row under a key, out of the key's lineage.
func (w *wanderer) join(next *Lineage, at int, left LSN) int {
	l, gave := w.l, w.l.Events[at]
	life, found := next.lifeFrom(&gave)
	if !found {
		next.miss("the version that the update wrote was not found again")
	}
	on, ended := -1, false
	for _, e := range next.Events {
		if !found || e.Incarnation != life {
			continue
		}
		if e.LSN == gave.LSN { // the same event, told from the other side
			if kept := &l.Events[at]; !kept.hasTuple && e.hasTuple {
				kept.setRow(e.tuple)
			}
			continue
		}
		ended = ended || e.ends() && !next.undone(e.XID)
		e.Incarnation, e.Under, e.Left = gave.Incarnation, gave.NewKey, left
		l.adopt(next, &e)
		if w.departs(&e, gave.NewKey) {
			on = len(l.Events)
		}
		l.Events = append(l.Events, e)
	}
	if len(next.Missed) > 0 && !ended && on < 0 {
		l.Events[at].NotFollowed = strings.Join(next.Missed, "; ")
	}
	return on
}

func (e *Event) ends() bool {
	return e.Op == OpDelete || e.Op == OpTruncate || e.Op == OpDrop || e.Op == OpDropDB
}

// lifeFrom returns the life of the key that began when this event gave it to the row.
func (l *Lineage) lifeFrom(gave *Event) (int, bool) {
	for _, e := range l.Events {
		updated := gave.Op != OpMove && e.LSN == gave.LSN && e.NewTID == gave.NewTID
		landed := gave.Op == OpMove && e.inserts() && e.Rel == gave.NewRel && e.TID == gave.NewTID && e.XID == gave.XID
		if updated || landed {
			return e.Incarnation, true
		}
	}
	return 0, false
}

// adopt takes over the transactions of an event.
func (l *Lineage) adopt(from *Lineage, e *Event) {
	take := func(id uint32) *Xact {
		x := from.Xacts[id]
		if x == nil {
			return l.Xacts[id]
		}
		if l.Xacts[id] == nil {
			l.Xacts[id] = x
		}
		for _, r := range from.Restarts {
			i := slices.IndexFunc(l.Restarts, func(o Restart) bool { return o.LSN == r.LSN })
			if slices.Contains(r.Lost, id) && i >= 0 && !slices.Contains(l.Restarts[i].Lost, id) {
				l.Restarts[i].Lost = append(l.Restarts[i].Lost, id)
			}
		}
		return l.Xacts[id]
	}
	take(e.Xmin)
	take(e.Xmax)
	if x := take(e.XID); x != nil {
		x.TouchesIt = true
		if top := take(x.TopXID); top != nil {
			top.TouchesIt = true
		}
	}
}

// wanted returns the texts of the key.
func (t *Target) wanted() []string {
	var out []string
	for _, k := range t.Key {
		out = append(out, k.Text)
	}
	return out
}

// sameKey compares two keys of the table as its types do.
func (t *Target) sameKey(a, b []string) bool {
	if len(a) != len(b) || len(a) != len(t.Key) {
		return false
	}
	for i, k := range t.Key {
		c := t.Columns[k.AttNum-1]
		if !heap.EqualText(cmp.Or(c.Base, c.TypeOID), a[i], b[i]) {
			return false
		}
	}
	return true
}

// alike reports that two tables can be partitions of one: they have the same columns by name and type, and the key in the same ones.
func (t *Target) alike(o *Target) bool {
	columns := func(t *Target) []string {
		var out []string
		for _, c := range t.Columns {
			if !c.Dropped {
				out = append(out, fmt.Sprintf("%s %d", c.Name, c.TypeOID))
			}
		}
		slices.Sort(out)
		return out
	}
	key := func(t *Target) []string {
		var out []string
		for _, k := range t.Key {
			if k.AttNum >= 1 && int(k.AttNum) <= len(t.Columns) {
				out = append(out, t.Columns[k.AttNum-1].Name)
			}
		}
		return out
	}
	return slices.Equal(columns(t), columns(o)) && slices.Equal(key(t), key(o))
}
