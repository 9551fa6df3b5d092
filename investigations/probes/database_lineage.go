package probes

import (
	"context"
	"errors"
	"fmt"
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
		if err := missingServer(c); err != nil {
			return err
		}
		return &sources.Blind{Why: "WAL can only be read with the catalogue of its database", Opens: "name the database with --db, even one restored elsewhere"}
	}
	for i, s := range servers {
		tables := ownTables(c, s.Source.Name())
		if len(tables) == 0 {
			c.Blind(s.Source.Name()+": no table with a key that the id fits is known", "name the table with --table")
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
	t := tracing{c: c, server: server, targets: targetsOf(tables)}
	if len(t.targets) == 0 {
		if len(tables) > 0 {
			c.Blind(server.Name()+": the tables that fit have no file of their own", "")
		}
		return t.droppedFiles(ctx, u, tables, nil)
	}
	l, discarded, err := t.history(ctx, u)
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
	if err := keepLineage(c, server.Name(), u.name(), l); err != nil {
		return err
	}
	if discarded != nil {
		if err := keepLineage(c, server.Name(), u.name(), discarded); err != nil {
			return err
		}
	}
	if err := t.droppedFiles(ctx, u, tables, l); err != nil {
		return err
	}
	if err := askRelations(ctx, c, server, l); err != nil {
		return err
	}
	return askXacts(ctx, c, server, l)
}

// tracing is what the traces of one server share.
type tracing struct {
	c       *inv.Collector
	server  sources.Source
	targets []wal.Target
}

func (t tracing) trace(ctx context.Context, u *walUnion, targets []wal.Target) (*wal.Lineage, error) {
	l, err := wal.Trace(ctx, u, targets, wal.Options{
		Known:    knownTIDs(t.c, t.server.Name(), targets),
		MaxBytes: t.c.Options.Budget.Limits().WALBytes,
		Progress: func(done, total int64) { t.c.Progress(done, total, "WAL of "+t.server.Name()) },
	})
	if err == nil && !u.live() {
		l.Notes = append(l.Notes, noteFilesOnly)
	}
	if err == nil {
		l.Notes = append(l.Notes, u.notes...)
		u.qualify(l)
		if why := otherBytes(t.c.Facts, t.server.Name(), t.c.Record); why != "" {
			l.Missed = append(l.Missed, why)
		}
	}
	return l, err
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
		u.add(h.Source.Name(), src, !onDisk)
		if onDisk {
			u.remark(h.Source)
		}
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
					out = append(out, wal.KnownTID{Target: target, Rel: v.Rel, TID: v.TID, AsOf: v.PageLSN})
				}
			}
		}
	}
	return out
}

func targetsOf(tables []catalog.Table) []wal.Target {
	var out []wal.Target
	for _, t := range tables {
		match, ok := ownKey(t)
		for _, stored := range t.Stored() {
			m, fits := match, ok
			if stored.OID != t.OID {
				m, fits = match.InLeaf(stored)
			}
			if fits && !stored.File.Zero() {
				out = append(out, stored.WALTarget(m))
			}
		}
	}
	return out
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
