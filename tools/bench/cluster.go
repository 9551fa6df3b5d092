package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/jackc/pgx/v5"

	"inquest/sources/heap"
	"inquest/sources/pgserver"
	"inquest/sources/wal"
)

// cluster is a throwaway server whose WAL holds pgbench's work beside a table
// of uuids, in which the wanted one was inserted, updated and deleted.
type cluster struct {
	server *pgserver.Server
	bin    string // of pg_waldump and its like
	target string // a file with the wal.Target
	rel    string // the table as pg_waldump names it
	start  string // position of the first segment
	end    string // position behind the work
}

// walTools are the programs that the rows of WAL need.
var walTools = []string{"pgbench", "pg_waldump", "pg_receivewal", "psql"}

// cluster starts the server and makes the WAL when a row first asks for it.
func (s *store) cluster(ctx context.Context) (*cluster, error) {
	if s.walServer != nil {
		return s.walServer, nil
	}
	in, err := installation()
	if err != nil {
		return nil, err
	}
	s.say("making WAL with pgbench of PostgreSQL %s", in.Version)
	server, err := pgserver.Start(ctx, pgserver.Config{Bin: in.Bin, Settings: map[string]string{
		"fsync": "off", "synchronous_commit": "off", "autovacuum": "off", "checkpoint_timeout": "30s", "max_wal_size": "20GB", "wal_keep_size": "20GB",
		"shared_buffers": "256MB", "wal_level": "replica", "max_wal_senders": "4", "max_replication_slots": "16",
	}})
	if err != nil {
		return nil, err
	}
	c := &cluster{server: server, bin: in.Bin}
	c.target = s.path("target.json")
	if err = c.work(ctx, s.bytes(1500*mb)); err == nil {
		err = c.describe(ctx, c.target)
	}
	if err != nil {
		return nil, errors.Join(err, server.Close())
	}
	s.walServer = c
	return c, nil
}

// installation returns the newest PostgreSQL that has all the tools.
func installation() (pgserver.Installation, error) {
	for _, in := range pgserver.Find() {
		whole := true
		for _, t := range walTools {
			_, err := os.Stat(filepath.Join(in.Bin, t))
			whole = whole && err == nil
		}
		if whole {
			return in, nil
		}
	}
	return pgserver.Installation{}, &missing{"a PostgreSQL with pgbench, pg_waldump and pg_receivewal", "apt-get install postgresql"}
}

func (c *cluster) tool(name string) string { return filepath.Join(c.bin, name) }

func (c *cluster) dsn() string { return c.server.SocketDSN(c.server.Superuser(), "postgres") }

// work writes about size bytes of WAL.
func (c *cluster) work(ctx context.Context, size int64) error {
	conn, err := pgx.Connect(ctx, c.dsn())
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	script := filepath.Join(filepath.Dir(c.server.ScratchDir()), "uuids.sql")
	if err := os.WriteFile(script, []byte("insert into dtro values (gen_random_uuid(), 'made by pgbench');\n"), 0o600); err != nil {
		return err
	}
	defer os.Remove(script)
	pgbench := func(args ...string) error {
		cmd := exec.CommandContext(ctx, c.tool("pgbench"), append(args, c.dsn())...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("pgbench: %w: %s", err, out)
		}
		return nil
	}
	run := func(sql ...string) error {
		for _, s := range sql {
			if _, err := conn.Exec(ctx, s); err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
		}
		return nil
	}
	// What this connection does is on disk when it returns; pgbench's work need not be.
	err = run("set synchronous_commit = on", "select pg_create_physical_replication_slot('bench', true)", "create table dtro (id uuid primary key, note text)", "insert into dtro values ('"+wanted+"', 'created')")
	if err != nil {
		return err
	}
	if err := pgbench("-i", "-q", "-s", fmt.Sprint(1+size/(100*mb))); err != nil {
		return err
	}
	for written, updated := int64(0), false; written < size; {
		if err := pgbench("-n", "-M", "prepared", "-c", "4", "-T", "2", "--random-seed=20251127", "-b", "tpcb-like@9", "-f", script+"@1"); err != nil {
			return err
		}
		if err := conn.QueryRow(ctx, "select pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint from pg_replication_slots where slot_name = 'bench'").Scan(&written); err != nil {
			return err
		}
		if written > size/2 && !updated {
			updated = true
			if err := run("update dtro set note = 'changed' where id = '" + wanted + "'"); err != nil {
				return err
			}
		}
	}
	return run("delete from dtro where id = '"+wanted+"'", "create table marker()")
}

// describe notes where the WAL begins and ends, and writes the table down.
func (c *cluster) describe(ctx context.Context, path string) error {
	conn, err := pgx.Connect(ctx, c.dsn())
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	id, _ := heap.NewColumn("id", 1, 2950)
	note, _ := heap.NewColumn("note", 2, 25)
	t := wal.Target{Table: "dtro", Columns: []heap.Column{id, note}, Key: []heap.KeyPart{{AttNum: 1, Text: wanted}}}
	ix := wal.IndexTarget{KeyAttNums: []int16{1}}
	err = conn.QueryRow(ctx, `select 1663, (select oid from pg_database where datname = current_database()), pg_relation_filenode('dtro'),
		'dtro'::regclass::oid, pg_relation_filenode('dtro_pkey'), pg_current_wal_flush_lsn()::text`).
		Scan(&t.Rel.Spc, &t.Rel.DB, &t.Rel.Rel, &t.OID, &ix.Rel.Rel, &c.end)
	if err != nil {
		return err
	}
	ix.Rel.Spc, ix.Rel.DB = t.Rel.Spc, t.Rel.DB
	t.Indexes = []wal.IndexTarget{ix}
	c.rel = fmt.Sprintf("%d/%d/%d", t.Rel.Spc, t.Rel.DB, t.Rel.Rel)
	dir, err := wal.OpenDir(c.server.WALDir())
	if err != nil {
		return err
	}
	defer dir.Close()
	plan, err := wal.MakePlan(ctx, dir, 0)
	if err != nil {
		return err
	}
	c.start = plan.Segments[0].Start.String()
	b, err := json.Marshal(t)
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o600)
}

// close stops the server and removes it.
func (s *store) close() error {
	if s.walServer == nil {
		return nil
	}
	return s.walServer.server.Close()
}
