package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"inquest/sources/postgres"
	"inquest/sources/wal"
)

// walTrace follows a key through all of the WAL; pg_waldump only lists the
// records of the table's file.
func walTrace() row {
	return row{id: "10", work: "WAL: key → its whole lineage", goal: 0.15, run: func(ctx context.Context, b *bench) (result, error) {
		c, err := b.cluster(ctx)
		if err != nil {
			return result{}, err
		}
		return b.against(ctx, c.waldump("-R", c.rel), b.worker("wal-trace", c.target, c.server.WALDir()), positionsAmong)
	}}
}

// walCheck reads every record and checks its checksum.
func walCheck() row {
	return row{id: "11", work: "WAL: every record with its CRC", goal: 0.6, run: func(ctx context.Context, b *bench) (result, error) {
		c, err := b.cluster(ctx)
		if err != nil {
			return result{}, err
		}
		return b.against(ctx, c.waldump("-q"), b.worker("wal-check", c.server.WALDir()), func(_, ours []byte) error {
			var records, bad int
			if _, err := fmt.Sscanf(string(ours), "%d records, %d bad", &records, &bad); err != nil || records == 0 || bad > 0 {
				return fmt.Errorf("inquest says %q", ours)
			}
			return nil
		})
	}}
}

// walOverSQL fetches all segments through one ordinary connection.
func walOverSQL() row {
	return row{id: "12", work: "WAL over SQL, one connection: rate as a part of pg_receivewal's", goal: 0.6, least: true, run: func(ctx context.Context, b *bench) (result, error) {
		c, err := b.cluster(ctx)
		if err != nil {
			return result{}, err
		}
		// A copy of the slot begins where the work began.
		peer := shell(`set -e; n=bench_$$; d='` + b.path("received") + `'/$n; mkdir -p "$d"
` + c.tool("psql") + ` -qAtX "` + c.dsn() + `" -c "select 1 from pg_copy_physical_replication_slot('bench', '$n')"
` + c.tool("pg_receivewal") + ` -d "` + c.dsn() + `" -S $n -D "$d" --endpos=` + c.end + ` --no-loop --no-sync
cat "$d"/* | wc -c; rm -r "$d"
` + c.tool("psql") + ` -qAtX "` + c.dsn() + `" -c "select 1 from pg_drop_replication_slot('$n')"`)
		r, err := b.against(ctx, peer, b.worker("wal-fetch", c.dsn()), func(_, ours []byte) error {
			if len(ours) == 0 {
				return errors.New("nothing was fetched")
			}
			return nil
		})
		r.measure = 1 / max(r.measure, 1e-9)
		r.value = fmt.Sprintf("%.2f", r.measure)
		return r, err
	}}
}

// waldump is pg_waldump over the whole WAL. It is told the end, for it waits
// five seconds for a segment that is not there.
func (c *cluster) waldump(args ...string) command {
	return command{argv: append([]string{c.tool("pg_waldump"), "-p", c.server.WALDir(), "-s", c.start, "-e", c.end}, args...), ok: []int{1}}
}

// positionsAmong demands the key's insert, update and delete, and that each
// record of the lineage is one of the peer's.
func positionsAmong(peer, ours []byte) error {
	for _, op := range []string{"insert", "update", "delete"} {
		if n := bytes.Count(ours, []byte(" "+op+"\n")); n != 1 {
			return fmt.Errorf("inquest shows the key's %s %d times", op, n)
		}
	}
	for l := range bytes.Lines(ours) {
		lsn, op, _ := bytes.Cut(bytes.TrimSpace(l), []byte(" "))
		if !bytes.Contains(peer, append([]byte("lsn: "), padLSN(lsn)...)) {
			return fmt.Errorf("pg_waldump has no record at %s (%s)", lsn, op)
		}
	}
	return nil
}

// padLSN writes a position as pg_waldump does: eight digits behind the slash.
func padLSN(lsn []byte) []byte {
	hi, lo, _ := bytes.Cut(lsn, []byte("/"))
	return fmt.Appendf(nil, "%s/%08s", hi, lo)
}

func traceWAL(ctx context.Context, w io.Writer, target, dir string) error {
	b, err := os.ReadFile(target)
	if err != nil {
		return err
	}
	var t wal.Target
	if err := json.Unmarshal(b, &t); err != nil {
		return err
	}
	src, err := wal.OpenDir(dir)
	if err != nil {
		return err
	}
	defer src.Close()
	l, err := wal.Trace(ctx, src, []wal.Target{t}, wal.Options{})
	if err != nil {
		return err
	}
	for _, e := range l.Events {
		fmt.Fprintln(w, e.LSN, e.Op)
	}
	return nil
}

func checkWAL(ctx context.Context, w io.Writer, dir string) error {
	src, err := wal.OpenDir(dir)
	if err != nil {
		return err
	}
	defer src.Close()
	plan, err := wal.MakePlan(ctx, src, 0)
	if err != nil {
		return err
	}
	r := wal.NewReader(src, plan, wal.ReaderOptions{CheckCRC: true})
	for r.Next(ctx) {
		continue
	}
	_, err = fmt.Fprintf(w, "%d records, %d bad\n", r.Records, r.BadCRC)
	return errors.Join(err, r.Err())
}

// fetchWAL reads all that the server has in pg_wal.
func fetchWAL(ctx context.Context, w *bufio.Writer, dsn string) error {
	db, err := postgres.Open("db:bench", dsn, postgres.Options{Budget: postgres.Budget{WALBytes: -1}, Total: -1})
	if err != nil {
		return err
	}
	defer db.Close()
	src, err := db.OpenWAL(ctx)
	if err != nil {
		return err
	}
	defer src.Close()
	segments, err := src.List(ctx)
	if err != nil {
		return err
	}
	size := 0
	for _, g := range segments {
		for off := int64(0); off < g.Avail; off += 1 << 20 {
			b, err := src.ReadAt(ctx, g, off, int(min(1<<20, g.Avail-off)))
			if err != nil {
				return err
			}
			size += len(b)
		}
	}
	_, err = fmt.Fprintln(w, size)
	return err
}
