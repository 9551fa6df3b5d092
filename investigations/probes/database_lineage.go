package probes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
	"inquest/sources/catalog"
	"inquest/sources/wal"
)

// walHolder is the ability to hand out WAL segments.
type walHolder interface {
	WAL(ctx context.Context) (wal.Source, error)
}

func databaseLineage() inv.Probe {
	return inv.Probe{
		ID: "database.lineage", Step: inv.StepDatabase, Phase: inv.PhaseWAL, Title: "Row lineage (WAL)",
		Asks:     "When was a row with this key written, by which transaction, how did that end, and what became of the row?",
		Why:      "The write-ahead log is what the server itself would replay: it outranks every other log.",
		Negative: "WAL that was recycled before it was read; unlogged tables; other clusters.",
		Needs:    "WAL over SQL (pg_ls_waldir and pg_read_binary_file) or segments on disk (--wal), and the catalogue (--db)",
		Timeout:  10 * time.Minute,
		Collect:  collectLineage,
		Read:     readLineage,
	}
}

// collectLineage traces the key once for every server, in its own WAL together
// with the segments on disk; the first server's catalogue describes the tables.
func collectLineage(ctx context.Context, c *inv.Collector) error {
	servers := inv.With[catalogue](c)
	if len(servers) == 0 {
		return &sources.Blind{Why: "WAL can only be read with the catalogue of its database", Opens: "name the database with --db, even one restored elsewhere"}
	}
	for i, s := range servers {
		tables := ownTables(c, s.Source.Name())
		if len(tables) == 0 {
			c.Blind(s.Source.Name()+": no table with a key that the id fits is known", "name the table with --table")
			continue
		}
		if err := traceServer(ctx, c, s.Source, tables, i == 0); err != nil {
			return err
		}
	}
	return nil
}

func traceServer(ctx context.Context, c *inv.Collector, server sources.Source, tables []catalog.Table, withFiles bool) error {
	u, err := gather(ctx, c, server, withFiles)
	if err != nil {
		return err
	}
	defer u.Close()
	if len(u.parts) == 0 {
		return nil // each reason is recorded
	}
	targets := targetsOf(tables)
	l, err := wal.Trace(ctx, u, targets, wal.Options{
		Known:    knownTIDs(c, server.Name(), targets),
		MaxBytes: c.Options.Budget.Limits().WALBytes,
		Progress: func(done, total int64) { c.Progress(done, total, "WAL of "+server.Name()) },
	})
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		blindTo(c, server.Name(), err)
		return nil
	}
	for _, cov := range l.Covered {
		c.Cover(sources.Coverage{Source: "WAL of " + server.Name(), From: cov.FromTime, To: cov.ToTime, Format: "wal", Gaps: []sources.Gap{}})
	}
	if !u.live {
		l.Notes = append(l.Notes, noteFilesOnly)
	}
	if err := keepLineage(c, server.Name(), u.name(), l); err != nil {
		return err
	}
	return askXacts(ctx, c, server, l)
}

// gather unites the server's own WAL with the segments on disk.
func gather(ctx context.Context, c *inv.Collector, server sources.Source, withFiles bool) (*walUnion, error) {
	u := &walUnion{}
	holders := inv.With[walHolder](c)
	for _, h := range holders {
		onDisk := h.Source.Kind() == sources.KindWAL
		if h.Source.Name() != server.Name() && !(onDisk && withFiles) {
			continue
		}
		src, err := h.Ability.WAL(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			blindTo(c, h.Source.Name(), err)
			continue
		}
		u.add(h.Source.Name(), src)
		u.live = u.live || !onDisk
	}
	return u, nil
}

// knownTIDs are the addresses that raw pages showed to hold the key, so that a
// delete is recognised whose insert lies before the WAL.
func knownTIDs(c *inv.Collector, server string, targets []wal.Target) []wal.KnownTID {
	var out []wal.KnownTID
	for _, p := range pagesOf(c.Runs["database.versions"].Evidence) {
		if p.server != server {
			continue
		}
		for _, ps := range p.searches {
			target := slices.IndexFunc(targets, func(t wal.Target) bool { return t.OID == ps.OID })
			for _, v := range ps.Versions {
				holds := v.Key == "same" && v.Pointer == "normal" || v.Pointer == "dead" && v.Index != nil
				if target >= 0 && holds {
					out = append(out, wal.KnownTID{Target: target, Rel: v.Rel, TID: v.TID})
				}
			}
		}
	}
	return out
}

func targetsOf(tables []catalog.Table) []wal.Target {
	var out []wal.Target
	for _, t := range tables {
		for _, stored := range t.Stored() {
			match, ok := ownKey(t)
			if stored != &t && len(stored.Matches) > 0 {
				match, ok = ownKey(*stored)
			}
			if !ok || stored.File == (wal.RelFile{}) {
				continue
			}
			out = append(out, targetOf(*stored, match))
		}
	}
	return out
}

func targetOf(t catalog.Table, match catalog.Match) wal.Target {
	target := wal.Target{Rel: t.File, OID: t.OID, Table: t.DisplayName(), Columns: t.Columns, Key: match.Parts}
	if t.Toast != nil {
		target.ToastRel = t.Toast.File
	}
	for _, ix := range t.Indexes {
		if ix.Method != "btree" {
			continue
		}
		it := wal.IndexTarget{Rel: ix.File, OID: ix.OID, Name: ix.Name}
		for _, col := range ix.Columns {
			it.KeyAttNums = append(it.KeyAttNums, col.AttNum)
		}
		target.Indexes = append(target.Indexes, it)
	}
	return target
}

// keepLineage stores the lineage, with less of the bystanders where all of it
// does not fit into one item.
func keepLineage(c *inv.Collector, server, origin string, l *wal.Lineage) error {
	query := fmt.Sprintf("WAL of %s, timeline %d, %d segments: every record of the key %s", origin, l.TLI, l.Segments, c.Record.ID)
	for _, trim := range []func(*wal.Lineage){nil, dropBystanderSteps, dropBystanders, keepOneRow} {
		if trim != nil {
			trim(l)
		}
		err := c.Keep(inv.EvidenceLineage, server, query, origin, l)
		var tooLarge *sources.Blind
		if !errors.As(err, &tooLarge) {
			return err
		}
	}
	return &sources.Blind{Why: "the lineage of the key is larger than a case keeps of one item", Opens: "narrow the window with --from and --to"}
}

func dropBystanderSteps(l *wal.Lineage) {
	for _, x := range l.Xacts {
		if !x.TouchesIt {
			x.Steps, x.StepsCut = nil, len(x.Steps) > 0
		}
	}
}

func dropBystanders(l *wal.Lineage) {
	for xid, x := range l.Xacts {
		if !x.TouchesIt && x.TopXID == 0 {
			delete(l.Xacts, xid)
		}
	}
	l.Notes = append(l.Notes, "transactions that did not touch the key are left out, to keep the item small")
}

func keepOneRow(l *wal.Lineage) {
	for i := range l.Events {
		if i != len(l.Events)-1 {
			l.Events[i].Row = nil
		}
		for col, v := range l.Events[i].Row {
			if v != nil && len(*v) > 4096 {
				cut := strings.ToValidUTF8((*v)[:4096], "") + "…"
				l.Events[i].Row[col] = &cut
				l.Events[i].Unknown = append(l.Events[i].Unknown, col)
			}
		}
	}
}

// walUnion is one Source over several that hold WAL of the same cluster: the
// server's own segments and archived ones beside them.
type walUnion struct {
	parts  []wal.Source
	names  []string
	origin map[wal.Segment]int
	live   bool // one part is the running server's own WAL
}

func (u *walUnion) add(name string, s wal.Source) {
	u.parts = append(u.parts, s)
	u.names = append(u.names, name)
}

func (u *walUnion) name() string { return strings.Join(u.names, " and ") }

// List implements wal.Source.
func (u *walUnion) List(ctx context.Context) ([]wal.Segment, error) {
	u.origin = map[wal.Segment]int{}
	var out []wal.Segment
	for i, p := range u.parts {
		list, err := p.List(ctx)
		if err != nil {
			return nil, err
		}
		for _, s := range list {
			u.origin[s] = i
		}
		out = append(out, list...)
	}
	return out, nil
}

// ReadAt implements wal.Source.
func (u *walUnion) ReadAt(ctx context.Context, seg wal.Segment, off int64, n int) ([]byte, error) {
	i, ok := u.origin[seg]
	if !ok {
		return nil, fmt.Errorf("segment %s is not in the list", seg.Name)
	}
	return u.parts[i].ReadAt(ctx, seg, off, n)
}

// Histories implements wal.HistorySource.
func (u *walUnion) Histories(ctx context.Context) (map[uint32][]byte, error) {
	out := map[uint32][]byte{}
	for _, p := range u.parts {
		h, ok := p.(wal.HistorySource)
		if !ok {
			continue
		}
		m, err := h.Histories(ctx)
		if err != nil {
			return nil, err
		}
		for tli, text := range m {
			out[tli] = text
		}
	}
	return out, nil
}

// Close closes the parts that want to be closed.
func (u *walUnion) Close() {
	for _, p := range u.parts {
		if c, ok := p.(io.Closer); ok {
			c.Close()
		}
	}
}
