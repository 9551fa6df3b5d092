package wal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"inquest/sources/heap"
)

const (
	maxRounds = 5
	maxEvents = 20000
)

// Trace finds every version of a key in WAL and follows each to its end. Several targets are for a table that is not known. The walk is
// repeated, at most five times, when a walk backwards shows that a later record reveals where the key lived before; a last walk describes
// the transactions. Errors
// come from the source, the context, or a key that fits no target; damage in WAL is reported in the Lineage.
func Trace(ctx context.Context, src Source, targets []Target, opt Options) (*Lineage, error) {
	plan, err := MakePlan(ctx, src, opt.TLI)
	if err != nil {
		return nil, err
	}
	l, err := traceTimeline(ctx, src, plan, targets, opt)
	if err != nil {
		return nil, err
	}
	for _, f := range plan.Forks {
		if err := l.addBranch(ctx, src, f, targets, opt); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// addBranch traces the discarded end of an older timeline, which needs what came before it, and keeps what lies past the fork.
func (l *Lineage) addBranch(ctx context.Context, src Source, f Fork, targets []Target, opt Options) error {
	plan, err := MakePlan(ctx, src, f.TLI)
	if err != nil {
		return err
	}
	b, err := traceTimeline(ctx, src, plan, targets, opt)
	if err != nil {
		return err
	}
	b.Events = slices.DeleteFunc(b.Events, func(e Event) bool { return e.LSN < f.From })
	b.Relations = slices.DeleteFunc(b.Relations, func(e RelationEvent) bool { return e.LSN < f.From })
	b.Restarts = slices.DeleteFunc(b.Restarts, func(e Restart) bool { return e.LSN < f.From })
	maps.DeleteFunc(b.Xacts, func(_ uint32, x *Xact) bool { return x.LSN < f.From && x.LastLSN < f.From })
	l.Branches = append(l.Branches, Branch{Fork: f, Lineage: b})
	return nil
}

// traceTimeline traces the key on one timeline, and the rows that it was taken from under the keys they got.
func traceTimeline(ctx context.Context, src Source, plan Plan, targets []Target, opt Options) (*Lineage, error) {
	w, err := walkKey(ctx, src, plan, targets, opt, nil)
	if err != nil {
		return nil, err
	}
	l := w.l
	if err := w.onward(ctx, src, plan, targets, opt); err != nil {
		return nil, err
	}
	if err := describe(ctx, src, plan, w.s, l, w.notes, w.sieve); err != nil {
		return nil, err
	}
	if n := w.sieve.passed(); n > 0 {
		l.Passed = n
		l.Notes = append(l.Notes, fmt.Sprintf("%d MB of WAL hold nothing that matters here, as the server found: they were not read, and the checksums of their records not verified", n>>20))
	}
	return l, nil
}

// walked is the lineage of a key without what its transactions did besides.
type walked struct {
	l     *Lineage
	s     *setup
	notes notes
	sieve *sieve
}

// walkKey walks over the WAL until nothing more of the key is found. Files of the targets that an earlier walk learned of may be given.
func walkKey(ctx context.Context, src Source, plan Plan, targets []Target, opt Options, earlier *setup) (*walked, error) {
	s, err := newSetup(targets, opt)
	if err != nil {
		return nil, err
	}
	s.inherit(earlier)
	l := &Lineage{TLI: plan.TLI, Switches: plan.Switches, Segments: len(plan.Segments), Notes: s.notes}
	for _, t := range s.targets {
		l.Targets = append(l.Targets, t.Table)
	}
	var v *sieve
	if !opt.ReadAll {
		v = newSieve(src, &plan)
	}
	var tr *tracer
	for round := 1; ; round++ {
		var r *Reader
		if tr, r, err = s.forward(ctx, src, plan, l, v); err != nil {
			return nil, err
		}
		l.take(r, tr, round == 1)
		again, err := s.learn(ctx, src, plan, l, tr, v)
		if err != nil {
			return nil, err
		}
		if !again {
			break
		}
		if round == maxRounds {
			l.miss("the key has a longer history than the walks over WAL follow; earlier versions may be missing")
			break
		}
	}
	tr.finish(l)
	return &walked{l, s, tr.notes, v}, nil
}

// forward walks over the WAL from its start to its end, again as long as what it finds tells of more that has to be read.
func (s *setup) forward(ctx context.Context, src Source, plan Plan, l *Lineage, v *sieve) (*tracer, *Reader, error) {
	if v.active() {
		patterns, ok := s.patterns(&plan)
		if v.off = !ok; ok {
			if _, err := v.search(ctx, patterns); err != nil {
				return nil, nil, err
			}
		}
	}
	if v != nil {
		v.walks = 0
	}
	for {
		tr := newTracer(s)
		opt := s.reader()
		var r *Reader
		opt.tracer, opt.sieve, opt.hold = tr, v, func() bool { return tr.waiting < len(tr.events) || tr.span == nil || tr.spanFrom != r.runFrom }
		r = NewReader(src, plan, opt)
		for r.Next(ctx) {
			tr.record(r)
		}
		if err := r.Err(); err != nil {
			return nil, nil, err
		}
		tr.close(r.pos)
		l.Passes++
		l.Bytes += r.Bytes
		if more, err := v.wider(ctx, tr); err != nil {
			return nil, nil, err
		} else if !more {
			return tr, r, nil
		}
	}
}

// setup is what all walks share: the targets in a form made for comparing, and what earlier walks learned.
type setup struct {
	targets []*target
	opt     Options
	rels    map[RelFile]*relation
	oids    map[uint32]int // target by table oid
	dbs     map[uint32]bool
	indexed map[RelFile]bool // heap files of which an index is known
	known   map[KnownTID]bool
	filter  [1024]uint64 // of file numbers, to pass over other relations cheaply
	notes   []string

	backed    bool // a walk backwards has resolved the sightings: claims and starts hold all that follows from them
	open      bool // some are not resolved yet
	sightings map[sighting]bool
	claims    map[writing]bool // writes whose content is not in the record and that wrote the key
	starts    map[LSN][]place  // by run: places that held the key when the run began
	watch     map[place]bool   // places whose content is needed to read an update
	unsure    map[place]LSN    // places of known with their latest sighting: the last write before it counts
}

type target struct {
	Target
	index   int
	match   *heap.Matcher
	retyped map[RelFile]bool // older files in which the columns' types may be others
}

// mayRekey reports that an update may have changed the key: the key does not lie in what the new version has in common with the old, and
// nothing that the record says excludes it. One that changes a column of a unique index says so, and one that changes an indexed column
// is no HOT update (access/heapam.c, heap_update).
func (t *target) mayRekey(c *Change) bool {
	switch {
	case c.HasNew && t.match.KeptBy(c.Prefix):
		return false
	case t.NotIndexed:
		return c.Op == heapUpdate || c.Op == heapHotUpdate
	case t.NotUnique:
		return c.Op == heapUpdate
	}
	return c.KeyChanged() && c.Op == heapUpdate
}

type relation struct {
	file  RelFile
	t     *target
	index *indexInfo // nil for heap files
	heap  RelFile    // index: the file whose rows it points at
	guess bool       // an earlier or later file of the table, by its rank among the files that a transaction replaced
}

type indexInfo struct {
	name   string
	nkeys  int
	match  *heap.Matcher
	needle []byte // stands in every entry that has the key; nil: not known
}

func newSetup(targets []Target, opt Options) (*setup, error) {
	s := &setup{
		opt: opt, rels: map[RelFile]*relation{}, oids: map[uint32]int{}, dbs: map[uint32]bool{}, indexed: map[RelFile]bool{}, known: map[KnownTID]bool{},
		sightings: map[sighting]bool{}, unsure: map[place]LSN{},
	}
	if s.opt.MaxXacts == 0 {
		s.opt.MaxXacts = 200
	}
	var errs []error
	usable := 0
	for i := range targets {
		t := &target{Target: targets[i], index: i, retyped: map[RelFile]bool{}}
		s.targets = append(s.targets, t)
		m, err := heap.NewMatcher(t.Columns, t.Key)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", t.Table, err))
			s.notes = append(s.notes, fmt.Sprintf("%s cannot hold the key: %v", t.Table, err))
			continue
		}
		usable++
		t.match = m
		s.addTarget(t)
	}
	if usable == 0 {
		return nil, fmt.Errorf("trace: no table can hold the key: %w", errors.Join(errs...))
	}
	for _, k := range opt.Known {
		if k.Target < 0 || k.Target >= len(targets) || s.targets[k.Target].match == nil {
			continue
		}
		if k.Rel.Zero() {
			k.Rel = targets[k.Target].Rel
		}
		s.known[k] = true
		p, until := place{k.Rel, k.TID}, k.AsOf
		if until == 0 {
			until = ^LSN(0)
		}
		s.unsure[p] = max(s.unsure[p], until)
	}
	return s, nil
}

func (s *setup) addTarget(t *target) {
	s.dbs[t.Rel.DB] = true
	s.add(&relation{file: t.Rel, t: t})
	for _, r := range t.OldRels {
		s.add(&relation{file: r, t: t})
	}
	if t.OID != 0 {
		s.oids[t.OID] = t.index
	}
	for _, ix := range t.Indexes {
		if info := t.indexInfo(ix); info != nil {
			s.add(&relation{file: ix.Rel, t: t, index: info, heap: t.Rel})
		}
	}
}

// indexInfo prepares the comparison of index entries with the key, or returns nil when the index lacks a key column.
func (t *target) indexInfo(ix IndexTarget) *indexInfo {
	cols := make([]heap.Column, len(ix.KeyAttNums))
	for i, a := range ix.KeyAttNums {
		if a < 1 || int(a) > len(t.Columns) {
			return nil
		}
		cols[i] = t.Columns[a-1]
	}
	var parts []heap.KeyPart
	for _, k := range t.Key {
		if i := slices.Index(ix.KeyAttNums, k.AttNum); i >= 0 {
			parts = append(parts, heap.KeyPart{AttNum: int16(i + 1), Text: k.Text})
		}
	}
	if len(parts) != len(t.Key) {
		return nil
	}
	m, err := heap.NewMatcher(cols, parts)
	if err != nil {
		return nil
	}
	return &indexInfo{name: ix.Name, nkeys: len(cols), match: m, needle: m.Needle()}
}

func (s *setup) add(r *relation) bool {
	if r.file.Zero() || s.rels[r.file] != nil {
		return false
	}
	s.rels[r.file] = r
	if r.index != nil {
		s.indexed[r.heap] = true
	}
	s.filter[r.file.Rel>>6&1023] |= 1 << (r.file.Rel & 63)
	return true
}

// inherit takes over the files of the targets that a walk for another key in the same tables learned of.
func (s *setup) inherit(earlier *setup) {
	if earlier == nil {
		return
	}
	for _, file := range earlier.files() {
		r := *earlier.rels[file]
		if r.t = s.targets[r.t.index]; r.t.match == nil {
			continue
		}
		if r.index != nil {
			i := slices.IndexFunc(r.t.Indexes, func(ix IndexTarget) bool { return ix.Name == r.index.name })
			if i < 0 {
				continue
			}
			if r.index = r.t.indexInfo(r.t.Indexes[i]); r.index == nil {
				continue
			}
		}
		s.add(&r)
	}
}

// foreign reports that a row cannot be of the target's table though it lies in a file that changed hands with the table's: it has
// the shape of a TOAST chunk.
func (r *relation) foreign(t heap.Tuple) bool {
	return r.guess && t.Natts() == 3 && len(r.t.Columns) != 3
}

// judge compares a row with the key. Where the columns were of other types, a row that seems to have another key tells nothing.
func (r *relation) judge(t heap.Tuple) heap.Match {
	m := r.t.match.Match(t)
	if m == heap.Different && r.t.retyped[r.file] {
		return heap.Undecided
	}
	return m
}

func (s *setup) relation(f RelFile) *relation {
	if s.filter[f.Rel>>6&1023]>>(f.Rel&63)&1 == 0 {
		return nil
	}
	return s.rels[f]
}

func (s *setup) reader() ReaderOptions {
	return ReaderOptions{
		From: s.opt.From, To: s.opt.To, CheckCRC: !s.opt.SkipCRC, MaxBytes: s.opt.MaxBytes, Progress: s.opt.Progress, chunk: s.opt.chunk,
	}
}

// learn takes over what a walk revealed and reports whether another can show more.
func (s *setup) learn(ctx context.Context, src Source, plan Plan, l *Lineage, tr *tracer, v *sieve) (bool, error) {
	again := false
	s.open = s.open || tr.undecided()
	for _, r := range tr.newRels {
		again = s.add(r) || again
	}
	for _, t := range s.targets {
		for f := range tr.retyped[t] {
			again = again || !t.retyped[f]
			t.retyped[f] = true
		}
	}
	for _, g := range tr.sightings {
		if !g.from.withdrawn() && !s.sightings[g.sighting] {
			s.sightings[g.sighting], s.open = true, true
		}
	}
	if !s.open || again { // the next walk, which knows the files, sees more
		return again, nil
	}
	s.open = false
	return s.trackBack(ctx, src, plan, l, tr, v)
}

func (l *Lineage) take(r *Reader, tr *tracer, first bool) {
	if first {
		l.Records = r.Records
	}
	l.BadCRC, l.Gaps, l.End, l.Damaged = r.BadCRC, r.Gaps(), r.End(), tr.damaged
	l.Unread = tr.unread
	l.Covered = nil
	for _, c := range r.Covered() {
		cov := Coverage{Range: c}
		if t := tr.times[c.From]; t != nil {
			cov.FromTime, cov.ToTime = timeOf(t.first), timeOf(t.last)
		}
		l.Covered = append(l.Covered, cov)
	}
	l.LastCommit = timeOf(tr.lastCommit)
}
