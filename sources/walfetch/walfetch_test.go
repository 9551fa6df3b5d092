package walfetch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"inquest/sources"
	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
	"inquest/sources/wal"
	"inquest/sources/walfetch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// archived is a server that archives into a folder.
func archived(t *testing.T) (s *pgserver.Server, dir string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "inquest-archive-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	s = pgservertest.New(t, pgserver.Config{WALSegSizeMB: 1, Settings: map[string]string{
		"archive_mode": "on", "archive_command": archiving(dir), "autovacuum": "off", "max_wal_size": "4MB", "min_wal_size": "2MB",
	}})
	return s, dir
}

func archiving(dir string) string {
	return "cp %p " + dir + "/%f.tmp && mv " + dir + "/%f.tmp " + dir + "/%f"
}

func connect(t *testing.T, s *pgserver.Server) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), s.SocketDSN(s.Superuser(), "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.WithoutCancel(t.Context())) })
	return c
}

func run(t *testing.T, c *pgx.Conn, stmts ...string) {
	t.Helper()
	for _, s := range stmts {
		if _, err := c.Exec(t.Context(), s); err != nil {
			t.Fatal(s, err)
		}
	}
}

// write makes n segments of WAL and waits until they are in the archive.
func write(t *testing.T, c *pgx.Conn, dir string, n int) {
	t.Helper()
	var last string
	for range n {
		run(t, c, "insert into filler select g, repeat('x', 200) from generate_series(1, 1000) g")
		if err := c.QueryRow(t.Context(), "select pg_walfile_name(pg_switch_wal())").Scan(&last); err != nil {
			t.Fatal(err)
		}
	}
	wait(t, filepath.Join(dir, last))
}

func wait(t *testing.T, path string) {
	t.Helper()
	for range 1000 {
		if _, err := os.Stat(path); err == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("not archived:", path)
}

// position asks the server itself.
func position(c *pgx.Conn) func(context.Context) (walfetch.Position, error) {
	return func(ctx context.Context) (walfetch.Position, error) {
		var p walfetch.Position
		var lsn, name string
		err := c.QueryRow(ctx, "select pg_current_wal_insert_lsn()::text, pg_walfile_name(pg_current_wal_insert_lsn()), setting::bigint from pg_settings where name = 'wal_segment_size'").Scan(&lsn, &name, &p.SegmentSize)
		if err != nil {
			return p, err
		}
		p.Timeline, _, _ = wal.ParseSegmentName(name, p.SegmentSize)
		p.LSN, err = wal.ParseLSN(lsn)
		return p, err
	}
}

func open(t *testing.T, command string, opt walfetch.Options) *walfetch.Source {
	t.Helper()
	s, err := walfetch.Open(command, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// stretch reads all records and says what was covered.
func stretch(t *testing.T, src wal.Source) (records int, from, to wal.LSN, gaps []wal.Gap) {
	t.Helper()
	plan, err := wal.MakePlan(t.Context(), src, 0)
	if err != nil {
		t.Fatal(err)
	}
	r := wal.NewReader(src, plan, wal.ReaderOptions{CheckCRC: true})
	for r.Next(t.Context()) {
		if records == 0 {
			from = r.Record().LSN
		}
		records++
		to = r.Record().LSN
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return records, from, to, r.Gaps()
}

func fetched(t *testing.T, s *walfetch.Source) wal.Source {
	t.Helper()
	src, err := s.WAL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = src.(io.Closer).Close() })
	return src
}

func isBlind(err error, want ...string) bool {
	var b *sources.Blind
	if !errors.As(err, &b) {
		return false
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			return false
		}
	}
	return true
}

func TestTheArchiveIsReadAsIfItWereAFolder(t *testing.T) {
	s, dir := archived(t)
	c := connect(t, s)
	run(t, c, "create table filler (g int, pad text)")
	write(t, c, dir, 12)
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	for name, command := range map[string]string{"plain": "cp " + dir + "/%f %p", "quoted": "cp '" + dir + "/%f' \"%p\"", "noisy": "echo working; cp " + dir + "/%f %p; echo done >&2"} {
		t.Run(name, func(t *testing.T) {
			src := open(t, command, walfetch.Options{Position: position(c)})
			if st := src.Check(t.Context()); st.State != sources.StateReady {
				t.Fatal(st.Problem)
			}
			want, err := wal.OpenDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = want.Close() }()
			wn, wf, wt, _ := stretch(t, want)
			for range 2 { // the second fetches nothing new
				n, f, to, gaps := stretch(t, fetched(t, src))
				if n != wn || f != wf || to != wt || len(gaps) > 0 || n < 10000 {
					t.Errorf("%d records %s to %s, gaps %v; want %d, %s to %s", n, f, to, gaps, wn, wf, wt)
				}
			}
			if err := src.Close(); err != nil {
				t.Fatal(err)
			}
			if left, err := filepath.Glob(filepath.Join(tmp, "inquest-*")); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
		})
	}
	t.Run("a hostile temporary folder", func(t *testing.T) {
		odd := filepath.Join(tmp, `it's "odd" $(touch no)`)
		if err := os.Mkdir(odd, 0o700); err != nil {
			t.Fatal(err)
		}
		t.Setenv("TMPDIR", odd)
		for _, command := range []string{"cp " + dir + "/%f %p", "cp " + dir + "/%f \"%p\"", "cp " + dir + "/%f '%p'"} {
			if n, _, _, _ := stretch(t, fetched(t, open(t, command, walfetch.Options{Position: position(c)}))); n < 10000 {
				t.Errorf("%s: %d records", command, n)
			}
		}
	})
	t.Run("only what the server lacks", func(t *testing.T) {
		at := func(ctx context.Context) (walfetch.Position, error) {
			p, err := position(c)(ctx)
			p.Have = p.LSN/(1<<20)*(1<<20) - 5<<20
			return p, err
		}
		src := open(t, "cp "+dir+"/%f %p", walfetch.Options{Position: at})
		_, _, to, _ := stretch(t, fetched(t, src))
		p, err := at(t.Context())
		if err != nil || to >= p.Have || to < p.Have-2<<20 {
			t.Errorf("read to %s, the server has it from %s: %v", to, p.Have, err)
		}
	})
	t.Run("budget", func(t *testing.T) {
		src := open(t, "cp "+dir+"/%f %p", walfetch.Options{Position: position(c), MaxBytes: 5 << 20})
		n, _, _, gaps := stretch(t, fetched(t, src))
		if n == 0 || len(gaps) > 0 || !strings.Contains(fmt.Sprint(src.Notes()), "budget") {
			t.Errorf("%d records, %v, %v", n, gaps, src.Notes())
		}
	})
	t.Run("window", func(t *testing.T) {
		src := open(t, "cp "+dir+"/%f %p", walfetch.Options{Position: position(c), From: time.Now().Add(2 * time.Hour)})
		wn, _, _, _ := stretch(t, fetched(t, open(t, "cp "+dir+"/%f %p", walfetch.Options{Position: position(c)})))
		n, _, _, _ := stretch(t, fetched(t, src))
		if n == 0 || n >= wn || !strings.Contains(fmt.Sprint(src.Notes()), "before the window") {
			t.Errorf("%d of %d records, %v", n, wn, src.Notes())
		}
	})
	t.Run("a gap ends it", func(t *testing.T) {
		p, err := position(c)(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		hole := wal.SegmentName(1, p.LSN/(1<<20)*(1<<20)-4<<20, 1<<20)
		if err := os.Rename(filepath.Join(dir, hole), filepath.Join(dir, "hidden")); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.Rename(filepath.Join(dir, "hidden"), filepath.Join(dir, hole)) }()
		src := open(t, "cp "+dir+"/%f %p", walfetch.Options{Position: position(c)})
		n, f, _, gaps := stretch(t, fetched(t, src))
		// What was asked for beside the missing one is kept; the hole is told.
		if n == 0 || f < p.LSN-8<<20 || len(gaps) > 1 || !strings.Contains(fmt.Sprint(src.Notes()), "nothing older") {
			t.Errorf("%d records from %s, gaps %v, %v", n, f, gaps, src.Notes())
		}
	})
}

func TestCommandsThatFail(t *testing.T) {
	at := func(context.Context) (walfetch.Position, error) {
		return walfetch.Position{Timeline: 1, LSN: 0x5000100, SegmentSize: 16 << 20}, nil
	}
	for name, c := range map[string]struct {
		command string
		opt     walfetch.Options
		want    []string
	}{
		"not there":      {"false %f %p", walfetch.Options{}, []string{"brought no segment", "000000010000000000000005"}},
		"no program":     {"no-such-program-here %f %p", walfetch.Options{}, []string{"127", "not found"}},
		"says why":       {"echo no bucket password=hunter2 >&2; exit 74 # %f %p", walfetch.Options{}, []string{"74", "no bucket"}},
		"writes nothing": {"true %f %p", walfetch.Options{}, []string{"wrote nothing"}},
		"writes rubbish": {"echo %f > %p", walfetch.Options{}, []string{"not this segment"}},
		"too slow":       {"sleep 60; : %f %p", walfetch.Options{Timeout: 100 * time.Millisecond}, []string{"within 100ms"}},
		"killed":         {"kill -9 $$; : %f %p", walfetch.Options{}, []string{"killed"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.opt.Position = at
			src := open(t, c.command, c.opt)
			start := time.Now()
			_, err := src.WAL(t.Context())
			if !isBlind(err, c.want...) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v, want %v", err, c.want)
			}
			if st := src.Check(t.Context()); st.State != sources.StateFailed || st.Problem == "" {
				t.Errorf("%+v", st)
			}
			if took := time.Since(start); took > 8*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
	t.Run("without a server", func(t *testing.T) {
		if _, err := open(t, "cp %f %p", walfetch.Options{}).WAL(t.Context()); !isBlind(err, "--db") {
			t.Error(err)
		}
	})
	t.Run("template", func(t *testing.T) {
		if _, err := walfetch.Open("cp %f", walfetch.Options{}); err == nil {
			t.Error("accepted")
		}
	})
}

// A command that is cut off takes its children with it.
func TestCancelEndsTheWholeGroup(t *testing.T) {
	dir := t.TempDir()
	mark := filepath.Join(dir, "mark")
	command := "(sh -c 'echo started > " + mark + "; sleep 2; echo late >> " + mark + "') & wait; : %f %p"
	src := open(t, command, walfetch.Options{Position: func(context.Context) (walfetch.Position, error) {
		return walfetch.Position{Timeline: 1, LSN: 0x5000100, SegmentSize: 16 << 20}, nil
	}})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for range 200 {
			if _, err := os.Stat(mark); err == nil {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
	}()
	start := time.Now()
	if _, err := src.WAL(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 1900*time.Millisecond {
		t.Errorf("took %s", took)
	}
	time.Sleep(2300*time.Millisecond - time.Since(start))
	if b, err := os.ReadFile(mark); err != nil || strings.Contains(string(b), "late") {
		t.Errorf("a child lived on: %q %v", b, err)
	}
}

// After a failover the archive holds two timelines, and on the older one what was lost.
func TestTimelinesInTheArchive(t *testing.T) {
	s, dir := archived(t)
	c := connect(t, s)
	run(t, c, "create table filler (g int, pad text)")
	write(t, c, dir, 4)
	sb, err := s.Standby(t.Context(), pgserver.Config{Settings: map[string]string{"archive_mode": "on", "archive_command": archiving(dir)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sb.Close() })
	if err := sb.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	write(t, c, dir, 3) // on the old primary: lost
	nc := connect(t, sb)
	write(t, nc, dir, 3)
	wait(t, filepath.Join(dir, "00000002.history"))
	src := open(t, "cp "+dir+"/%f %p", walfetch.Options{Position: position(nc)})
	got, err := wal.MakePlan(t.Context(), fetched(t, src), 0)
	if err != nil {
		t.Fatal(err)
	}
	d, err := wal.OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	want, err := wal.MakePlan(t.Context(), d, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got.TLI != 2 || len(got.Switches) != 1 || len(got.Segments) != len(want.Segments) || len(got.Forks) != 1 || fmt.Sprint(got.Forks) != fmt.Sprint(want.Forks) {
		t.Errorf("timeline %d, %d segments, switches %v, forks %v; want %d, %v", got.TLI, len(got.Segments), got.Switches, got.Forks, len(want.Segments), want.Forks)
	}
	if _, _, _, gaps := stretch(t, fetched(t, src)); len(gaps) > 0 {
		t.Errorf("gaps %v", gaps)
	}
}
