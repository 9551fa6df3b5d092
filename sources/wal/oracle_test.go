package wal_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"inquest/sources/heap"
	"inquest/sources/pgserver"
	"inquest/sources/wal"
)

// history is one random history on one server and its settings.
type history struct {
	seed                    uint64
	major                   int
	compression, level, fpw string
}

func (h history) String() string {
	return fmt.Sprintf("pg%d seed %d wal_compression=%s wal_level=%s full_page_writes=%s", h.major, h.seed, h.compression, h.level, h.fpw)
}

// TestLineagesAgainstTheTruth compares lineages with what was really done. INQUEST_ORACLE=n adds n random histories for each combination
// of settings and for every server that is installed; INQUEST_ORACLE_SEED is their first seed.
func TestLineagesAgainstTheTruth(t *testing.T) {
	list := []history{
		{1, 15, "off", "replica", "on"},
		{2, 15, "lz4", "replica", "off"},
		{3, 15, "zstd", "logical", "on"},
		{4, 15, "pglz", "replica", "on"},
	}
	for _, major := range []int{13, 17, 18} {
		if installed(major) {
			list = append(list, history{5, major, "pglz", "replica", "on"})
		}
	}
	more, _ := strconv.Atoi(os.Getenv("INQUEST_ORACLE"))
	first, _ := strconv.ParseUint(os.Getenv("INQUEST_ORACLE_SEED"), 10, 64)
	for i := range uint64(max(more, 0)) {
		for _, major := range []int{13, 15, 17, 18} {
			if !installed(major) {
				continue
			}
			for _, c := range []string{"off", "pglz", "lz4", "zstd"} {
				if major < 15 && c != "off" && c != "pglz" {
					continue
				}
				for _, level := range []string{"replica", "logical"} {
					for _, fpw := range []string{"on", "off"} {
						list = append(list, history{100 + first + i, major, c, level, fpw})
					}
				}
			}
		}
	}
	for _, h := range list {
		t.Run(h.String(), h.check)
	}
}

func installed(major int) bool {
	return slices.ContainsFunc(pgserver.Find(), func(i pgserver.Installation) bool { return i.Major == major })
}

func (h history) compressionSetting() string {
	if h.major < 15 && h.compression != "off" {
		return "on"
	}
	return h.compression
}

// supported reports whether the server was built with the compression.
func (h history) supported() bool {
	if h.compression == "off" || h.compression == "pglz" {
		return true
	}
	for _, i := range pgserver.Find() {
		if i.Major == h.major {
			out, err := exec.Command(filepath.Join(i.Bin, "pg_config"), "--configure").Output()
			return err != nil && h.major == 15 || strings.Contains(string(out), "--with-"+h.compression)
		}
	}
	return false
}

func (h history) check(t *testing.T) {
	t.Parallel()
	if !h.supported() {
		t.Skipf("\n*** SKIPPED, NOT PASSED: the server %d that is installed was built without %s ***", h.major, h.compression)
	}
	d := start(t, pgserver.Config{Major: h.major, WALSegSizeMB: 1, Settings: map[string]string{
		"wal_compression": h.compressionSetting(), "wal_level": h.level, "full_page_writes": h.fpw, "max_prepared_transactions": "5", "wal_keep_size": "1GB",
		"max_wal_size": "2GB", "checkpoint_timeout": "1h",
	}})
	w := newWorld(d, h.seed)
	w.run(180)
	c := checker{t: t, w: w, targets: map[string]wal.Target{}, columns: map[string][]heap.IndexColumn{}, paths: map[uint32]string{}}
	c.catalogue(d)
	if err := d.s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.data = d.s.DataDir()
	whole := d.s.WALDir()
	for _, k := range w.sample(50) {
		c.compare(whole, k, false, true)
		c.compare(whole, k, true, true)
	}
	segs := segments(t, whole)
	for _, share := range []int{3, 2} {
		from := w.begin + (segs[len(segs)-1].End()-w.begin)/wal.LSN(share)
		part := t.TempDir()
		for _, s := range segs {
			if s.End() > from {
				if err := os.Symlink(filepath.Join(whole, s.Name), filepath.Join(part, s.Name)); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, k := range w.sample(30) {
			c.compare(part, k, false, false)
			c.compare(part, k, true, false)
		}
	}
	holed := t.TempDir()
	for i, s := range segs {
		if i%4 != 2 {
			if err := os.Symlink(filepath.Join(whole, s.Name), filepath.Join(holed, s.Name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, k := range w.sample(30) {
		c.compare(holed, k, false, false)
		c.compare(holed, k, true, false)
	}
	t.Logf("%d keys, %d segments, flagged %d, silent and rightly so %d, events under later keys %d", len(w.truth), len(segs), c.flagged, c.silent, c.followed)
}

// checker holds what is needed to trace the keys of a stopped server.
type checker struct {
	t                         *testing.T
	w                         *world
	data                      string
	targets                   map[string]wal.Target
	columns                   map[string][]heap.IndexColumn
	paths                     map[uint32]string
	flagged, silent, followed int
	traces                    int
}

func (c *checker) catalogue(d *db) {
	for _, name := range tables {
		tg := d.target(name)
		for i, n := range keyColumns[name] {
			j := slices.IndexFunc(tg.Columns, func(c heap.Column) bool { return c.Name == n })
			tg.Key = append(tg.Key, heap.KeyPart{AttNum: int16(j + 1)})
			c.columns[name] = append(c.columns[name], heap.IndexColumn{Column: tg.Columns[j]})
			_ = i
		}
		// The first index is the primary key's.
		slices.SortFunc(tg.Indexes, func(a, b wal.IndexTarget) int { return strings.Compare(b.Name, a.Name) })
		tg.Indexes = slices.DeleteFunc(tg.Indexes, func(ix wal.IndexTarget) bool { return ix.Name != name+"_pkey" })
		c.targets[name] = tg
		for _, f := range []uint32{tg.Rel.Rel, tg.Indexes[0].Rel.Rel} {
			c.paths[f] = filepath.Join("base", fmt.Sprint(tg.Rel.DB), fmt.Sprint(f))
		}
	}
}

func (c *checker) target(k rowKey) wal.Target {
	tg := c.targets[k.table]
	tg.Key = slices.Clone(tg.Key)
	for i, text := range k.parts() {
		tg.Key[i].Text = text
	}
	return tg
}

func (c *checker) block(file, n uint32) ([]byte, error) {
	f, err := os.Open(filepath.Join(c.data, c.paths[file]))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, heap.PageSize)
	_, err = f.ReadAt(b, int64(n)*heap.PageSize)
	return b, err
}

// known searches the primary key's index on raw pages and follows redirects and HOT chains, as the probes do.
func (c *checker) known(k rowKey, tg wal.Target) []wal.KnownTID {
	m, err := heap.NewMatcher(tg.Columns, tg.Key)
	if err != nil {
		c.t.Fatal(err)
	}
	read := func(_ context.Context, n uint32) ([]byte, error) { return c.block(tg.Indexes[0].Rel.Rel, n) }
	found, err := heap.SearchIndex(c.t.Context(), read, c.columns[k.table], k.parts(), 1000)
	if err != nil {
		c.t.Fatal(err)
	}
	var out []wal.KnownTID
	for _, hit := range found.Hits {
		raw, err := c.block(tg.Rel.Rel, hit.TID.Block)
		if err != nil {
			c.t.Fatal(err)
		}
		p, err := heap.DecodePage(raw)
		if err != nil {
			continue
		}
		off := hit.TID.Offset
		for range 300 {
			lp := p.Pointer(int(off))
			tid := heap.TID{Block: hit.TID.Block, Offset: off}
			if lp.State == heap.PointerRedirect {
				off = lp.Offset
				continue
			}
			if lp.State == heap.PointerDead && tid == hit.TID {
				out = append(out, wal.KnownTID{TID: tid})
			}
			tup, ok := p.Tuple(int(off))
			if !ok || m.Match(tup) != heap.Same {
				break
			}
			out = append(out, wal.KnownTID{TID: tid})
			if !tup.HotUpdated() || tup.Ctid.Block != tid.Block {
				break
			}
			off = tup.Ctid.Offset
		}
	}
	return out
}

// compare checks one lineage. whole says that the WAL has all of the history, so that nothing may be missing.
func (c *checker) compare(dir string, k rowKey, known, whole bool) {
	c.t.Helper()
	tg := c.target(k)
	opt := wal.Options{SkipCRC: true}
	if known {
		opt.Known = c.known(k, tg)
	}
	l := traceOnce(c.t, dir, opt, tg)
	ways := 2
	if wal.Raced {
		ways = 4
	}
	switch c.traces++; c.traces % ways {
	case 0:
		sameWhenSkimmed(c.t, dir, opt, l, tg)
	case 1:
		sameInOrder(c.t, dir, opt, l, tg)
	}
	got, want := c.tokens(l, k), c.w.truth[k]
	fail := func(why string) {
		c.t.Errorf("%s, known %v, whole %v: %s\n got %v\nwant %v\nmissed %v unread %+v gaps %v known %v\n%s", k, known, whole, why, got, want, l.Missed, l.Unread, l.Gaps, opt.Known, raw(l))
	}
	c.onward(l, k, whole, fail)
	if len(l.Missed) > 0 {
		c.flagged++
		if whole && testing.Verbose() {
			c.t.Logf("%s: %v", k, l.Missed)
		}
	}
	if whole && len(l.Missed) == 0 {
		if !slices.EqualFunc(got, want, told.is) {
			fail("not the truth")
		}
		return
	}
	at := 0
	for _, g := range got {
		for at < len(want) && !g.is(want[at]) {
			at++
		}
		if at == len(want) {
			fail("an event that never was: " + g.String())
			return
		}
		at++
	}
	if len(got) > 0 || len(want) == 0 || len(l.Missed) > 0 || l.Unread != (wal.Unread{}) || len(l.Gaps) > 0 {
		return
	}
	// Silence is an answer too.
	if last := want[len(want)-1]; last.at > l.Covered[0].From {
		fail("silent about what the WAL holds")
	} else {
		c.silent++
	}
}

// raw prints all events, for a failure.
func raw(l *wal.Lineage) string {
	var out strings.Builder
	for _, e := range l.Events {
		fmt.Fprintf(&out, "      %s %s %s %s>%s xid %d %v>%v assumed=%v %s\n", e.LSN, e.Op, e.Rel, e.TID, e.NewTID, e.XID, e.OldKey, e.NewKey, e.Assumed, e.Note)
	}
	for _, r := range l.Relations {
		fmt.Fprintf(&out, "      %s %s xid %d %v>%v %s\n", r.LSN, r.Op, r.XID, r.Dropped, r.Created, r.Note)
	}
	return out.String()
}

// told is an event of the key as lineage and truth have in common.
type told struct {
	kind    string // insert, update, delete, from (another key), to (another key)
	state   string
	xid     uint32 // of the top transaction; 0 when the lineage cannot tell
	own     uint32 // of the record, in a lineage
	at      wal.LSN
	next    rowKey // to: the key that the row got
	comment string
}

func (e told) String() string {
	return fmt.Sprintf("%s:%s:%d@%s%s", e.kind, e.state, e.xid, e.at, e.comment)
}

// is reports that an event of a lineage is one of the truth.
func (e told) is(truth told) bool {
	// ROLLBACK TO writes the same record as ROLLBACK: what it names as the outer transaction of another may be a savepoint's own.
	inside := e.state == string(wal.Aborted) && truth.xid < e.xid && e.xid < e.own
	sameXid := e.xid == 0 || e.xid == truth.xid || inside
	sameKind := e.kind == truth.kind || e.kind == "update or from" && (truth.kind == "update" || truth.kind == "from")
	return sameKind && sameXid && (e.state == truth.state || e.state == "unfinished") && e.at >= truth.at
}

func (c *checker) tokens(l *wal.Lineage, k rowKey) []told {
	var out []told
	for _, e := range l.Events {
		if e.Under != nil {
			continue // told of another key
		}
		if g, ok := c.token(l, e, k); ok {
			out = append(out, g)
		}
	}
	return out
}

// token is what lineage and truth have in common of an event, as the row had the key k.
func (c *checker) token(l *wal.Lineage, e wal.Event, k rowKey) (told, bool) {
	g := told{at: e.LSN, comment: " " + string(e.Op) + e.TID.String()}
	switch e.Op {
	case wal.OpInsert, wal.OpMultiInsert, wal.OpSpeculative:
		g.kind = "insert"
	case wal.OpDelete:
		g.kind = "delete"
	case wal.OpUpdate, wal.OpHotUpdate:
		g.kind = "update"
		if e.Note == wal.NoteMayBeRekeyed {
			g.kind = "update or from"
		}
		if e.KeyChanged {
			g.kind = "to"
			if slices.Equal(e.NewKey, k.parts()) {
				g.kind = "from"
			}
		}
	case wal.OpTruncate, wal.OpDrop, wal.OpKill, wal.OpMove:
		g.kind = string(e.Op)
	default:
		return g, false
	}
	x := l.Xacts[e.XID]
	if x == nil {
		c.t.Errorf("%s: event of xid %d without a transaction", k, e.XID)
		return g, false
	}
	g.state, g.xid, g.own = string(x.State), x.TopXID, e.XID
	if x.TopXID == 0 && x.State != wal.Aborted && x.State != wal.Unfinished {
		g.xid = x.XID
	}
	return g, true
}

// sample returns keys of every table and fate, in an order that the seed sets.
func (w *world) sample(n int) []rowKey {
	if wal.Raced {
		n /= 2
	}
	byFate := map[string][]rowKey{}
	var fates []string
	for _, k := range w.order {
		ops := w.truth[k]
		f := k.table + ops[len(ops)-1].kind + ops[len(ops)-1].state
		if len(byFate[f]) == 0 {
			fates = append(fates, f)
		}
		byFate[f] = append(byFate[f], k)
	}
	rnd := rand.New(rand.NewPCG(w.seed, uint64(n)))
	var out []rowKey
	for len(out) < n {
		took := false
		for _, f := range fates {
			if list := byFate[f]; len(list) > 0 && len(out) < n {
				i := rnd.IntN(len(list))
				out = append(out, list[i])
				byFate[f] = slices.Delete(list, i, i+1)
				took = true
			}
		}
		if !took {
			break
		}
	}
	return out
}
