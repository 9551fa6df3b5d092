package logfile

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
	"go.uber.org/goleak"

	"inquest/sources"
	"inquest/sources/logscan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const id = "e7a4bff2-adc7-4847-a9d8-25734601b405"

var start = time.Date(2025, 11, 27, 14, 0, 0, 0, time.UTC)

func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	p := filepath.Join(dir, name)
	if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func open(t *testing.T, pattern string, opt Options) []sources.Source {
	t.Helper()
	s, err := Open(pattern, opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func search(t *testing.T, s sources.Source, q sources.LogQuery) *sources.LogResult {
	t.Helper()
	r, err := s.(sources.LogSearcher).SearchLogs(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func positions(r *sources.LogResult) []string {
	var out []string
	for _, e := range r.Events {
		out = append(out, e.Position)
	}
	return out
}

// jsonLog writes n lines a second apart; every one in each has the id.
func jsonLog(from time.Time, n, each int) string {
	var b strings.Builder
	for i := range n {
		path := fmt.Sprintf("/dtros/%08x", i)
		if each > 0 && i%each == each-1 {
			path = "/dtros/" + id
		}
		fmt.Fprintf(&b, `{"time":%q,"level":"info","msg":"served","path":%q,"n":%d}`+"\n", from.Add(time.Duration(i)*time.Second).Format(time.RFC3339Nano), path, i)
	}
	return b.String()
}

func TestFindsTheLinesThatNameTheID(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "app.log", jsonLog(start, 100, 40))
	s := open(t, filepath.Join(dir, "app.log"), Options{})[0]
	r := search(t, s, sources.LogQuery{Needles: sources.Spellings(id)})
	if diff := cmp.Diff([]string{"app.log:40", "app.log:80"}, positions(r)); diff != "" {
		t.Fatal(diff)
	}
	e := r.Events[0]
	if e.Why != "names the id" || e.Weak || e.Path != "/dtros/"+id || !e.Time.Equal(start.Add(39*time.Second)) || e.ZoneUnknown || e.Source != "log:app.log" {
		t.Errorf("%+v", e)
	}
	v := r.Coverage
	if v.Lines != 100 || v.Unparsed != 0 || !v.From.Equal(start) || !v.To.Equal(start.Add(99*time.Second)) || v.Format != "json" || len(v.Gaps) != 0 {
		t.Errorf("%+v", v)
	}
	if !strings.HasPrefix(r.Query, "grep -nF -e "+id) {
		t.Errorf("query %s", r.Query)
	}
	if got := s.Check(t.Context()); got.State != sources.StateReady || !strings.Contains(got.Summary, "JSON") {
		t.Errorf("%+v", got)
	}
}

func TestRotationsAreOneSourceInTheOrderOfTime(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "app.log", jsonLog(start.Add(300*time.Second), 100, 100))
	write(t, dir, "app.log.1", jsonLog(start.Add(200*time.Second), 100, 100))
	write(t, dir, "app.log.2.gz", pack(t, "gz", jsonLog(start.Add(100*time.Second), 100, 100)))
	write(t, dir, "app.log.4.zst", pack(t, "zst", jsonLog(start, 50, 50)))
	write(t, dir, "other-20251127.log", "2025-11-27 14:00:00 x\n")
	write(t, dir, "other-20251128.log", "2025-11-28 14:00:00 x\n")
	all := open(t, dir, Options{})
	if len(all) != 2 || all[0].Name() != "log:app.log" || all[1].Name() != "log:other.log" {
		t.Fatalf("%v", all)
	}
	r := search(t, all[0], sources.LogQuery{Needles: sources.Spellings(id)})
	want := []string{"app.log.4.zst:50", "app.log.2.gz:100", "app.log.1:100", "app.log:100"}
	if diff := cmp.Diff(want, positions(r)); diff != "" {
		t.Error(diff)
	}
	if g := r.Coverage.Gaps; len(g) != 1 || g[0].Reason != "rotation app.log.3 is missing" || !g[0].From.Equal(start.Add(49*time.Second)) || !g[0].To.Equal(start.Add(100*time.Second)) {
		t.Errorf("%+v", g)
	}
	if r.Coverage.Lines != 350 {
		t.Errorf("%d lines", r.Coverage.Lines)
	}
}

func pack(t *testing.T, how, s string) string {
	t.Helper()
	var b bytes.Buffer
	var w interface {
		Write([]byte) (int, error)
		Close() error
	}
	var err error
	switch how {
	case "gz":
		w = gzip.NewWriter(&b)
	case "zst":
		w, err = zstd.NewWriter(&b)
	case "xz":
		w, err = xz.NewWriter(&b)
	case "lz4":
		w = lz4.NewWriter(&b)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err = w.Write([]byte(s)); err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestEveryPackingGivesTheSame(t *testing.T) {
	dir := t.TempDir()
	content := jsonLog(start, 40_000, 9_000)
	plain := search(t, open(t, write(t, dir, "a.log", content), Options{})[0], sources.LogQuery{Needles: sources.Spellings(id)})
	if len(plain.Events) != 4 {
		t.Fatalf("%d events", len(plain.Events))
	}
	for _, how := range []string{"gz", "zst", "xz", "lz4"} {
		r := search(t, open(t, write(t, dir, "b.log."+how, pack(t, how, content)), Options{})[0], sources.LogQuery{Needles: sources.Spellings(id)})
		for i := range r.Events {
			r.Events[i].Position = strings.Replace(r.Events[i].Position, "b.log."+how, "a.log", 1)
			r.Events[i].Source = "log:a.log"
		}
		if diff := cmp.Diff(plain.Events, r.Events); diff != "" {
			t.Errorf("%s: %s", how, diff)
		}
		if r.Coverage.Lines != 40_000 || !r.Coverage.To.Equal(plain.Coverage.To) || !cmp.Equal(r.Coverage.Buckets, plain.Coverage.Buckets) {
			t.Errorf("%s: %+v", how, r.Coverage)
		}
	}
}

func TestBrokenTailIsSaid(t *testing.T) {
	dir := t.TempDir()
	z := pack(t, "gz", jsonLog(start, 50_000, 100))
	write(t, dir, "a.log.1.gz", z[:len(z)/2])
	write(t, dir, "a.log", jsonLog(start.Add(60_000*time.Second), 10, 0))
	r := search(t, open(t, filepath.Join(dir, "a.log*"), Options{})[0], sources.LogQuery{Needles: sources.Spellings(id)})
	if len(r.Events) < 100 || len(r.Coverage.Gaps) == 0 || !strings.Contains(r.Coverage.Gaps[0].Reason, "broken") || !strings.Contains(strings.Join(r.Coverage.Limits, ";"), "a.log.1.gz is broken") {
		t.Errorf("%d events, %+v, %q", len(r.Events), r.Coverage.Gaps, r.Coverage.Limits)
	}
}

func TestWhatCannotBeReadIsBlind(t *testing.T) {
	dir := t.TempDir()
	var b *sources.Blind
	if _, err := Open(filepath.Join(dir, "no.log"), Options{}); !errors.As(err, &b) || !strings.Contains(b.Why, "no such file") {
		t.Errorf("%v", err)
	}
	if _, err := Open(filepath.Join(dir, "*.nope"), Options{}); !errors.As(err, &b) {
		t.Errorf("%v", err)
	}
	if _, err := Open(dir, Options{}); !errors.As(err, &b) {
		t.Errorf("%v", err)
	}
	if _, err := Open(dir, Options{Options: logscan.Options{Format: "nonsense"}}); err == nil || !strings.Contains(err.Error(), "formats are") {
		t.Errorf("%v", err)
	}
	fifo := filepath.Join(dir, "pipe.log")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{
		write(t, dir, "bin.log", "abc\x00\x01\x02"+strings.Repeat("\x00x", 500)),
		write(t, dir, "zip.log", "PK\x03\x04rest"), write(t, dir, "bad.log.gz", "\x1f\x8brubbish"), fifo,
	} {
		s := open(t, p, Options{})[0]
		_, err := s.(sources.LogSearcher).SearchLogs(t.Context(), sources.LogQuery{Needles: sources.Spellings(id)})
		if !errors.As(err, &b) {
			t.Errorf("%s: %v", p, err)
			continue
		}
		if st := s.Check(t.Context()); st.State != sources.StateFailed || st.Problem == "" {
			t.Errorf("%+v", st)
		}
		t.Log(b)
	}
	r := search(t, open(t, write(t, dir, "empty.log", ""), Options{})[0], sources.LogQuery{Needles: sources.Spellings(id)})
	if r.Coverage.Lines != 0 || len(r.Events) != 0 || !r.Coverage.From.IsZero() {
		t.Errorf("%+v", r)
	}
}

func TestMultiLineRecordsStayOneEvent(t *testing.T) {
	dir := t.TempDir()
	p := write(t, dir, "postgresql.log", ""+
		"2025-11-27 14:58:12.104 UTC [30802] dtro@app LOG:  execute <unnamed>: INSERT INTO t VALUES ($1)\n"+
		"2025-11-27 14:58:12.104 UTC [30999] other@app LOG:  statement: SELECT 1\n"+
		"2025-11-27 14:58:12.104 UTC [30802] dtro@app DETAIL:  parameters: $1 = '"+id+"'\n"+
		"2025-11-27 14:58:13.104 UTC [30802] dtro@app ERROR:  bad\n"+
		"2025-11-27 14:58:13.104 UTC [30802] dtro@app STATEMENT:  DELETE FROM t\n\tWHERE id =\n\t'"+id+"'\n"+
		"2025-11-27 14:58:14.104 UTC [1] LOG:  checkpoint starting: time\n")
	r := search(t, open(t, p, Options{})[0], sources.LogQuery{Needles: sources.Spellings(id)})
	if diff := cmp.Diff([]string{"postgresql.log:1", "postgresql.log:4"}, positions(r)); diff != "" {
		t.Fatal(diff)
	}
	if e := r.Events[0]; e.Op != sources.OpCreate || e.Fields["parameters"] != "$1 = '"+id+"'" || strings.Contains(e.Raw, "30999") {
		t.Errorf("%+v", e)
	}
	if e := r.Events[1]; e.Op != sources.OpDelete || e.Fields["statement"] != "DELETE FROM t\nWHERE id =\n'"+id+"'" || e.Level != sources.LevelError {
		t.Errorf("%+v", e)
	}
	if f := r.Coverage.Format; f != "postgres (log_line_prefix %m [%p] %q%u@%d )" {
		t.Error(f)
	}
}

func TestWindowAndEmptyNeedles(t *testing.T) {
	dir := t.TempDir()
	s := open(t, write(t, dir, "a.log", jsonLog(start, 1000, 0)), Options{})[0]
	w := sources.Window{From: start.Add(100 * time.Second), To: start.Add(110 * time.Second)}
	r := search(t, s, sources.LogQuery{Window: w})
	if len(r.Events) != 10 || r.Events[0].Position != "a.log:101" {
		t.Fatalf("%v", positions(r))
	}
	r = search(t, s, sources.LogQuery{Window: w, Limit: 4})
	if len(r.Events) != 4 || r.Dropped != 6 {
		t.Errorf("%d, dropped %d", len(r.Events), r.Dropped)
	}
}

func TestZonelessTimes(t *testing.T) {
	dir := t.TempDir()
	p := write(t, dir, "API-logs-20251127.log", "[Time: 27-11-2025 14:58:12 | Level: INF | Source: X | Message: made "+id+" | Exception: ]\n")
	r := search(t, open(t, p, Options{})[0], sources.LogQuery{Needles: sources.Spellings(id), Window: sources.Around(start.Add(5*time.Hour), time.Hour)})
	if len(r.Events) != 1 || !r.Events[0].ZoneUnknown || !r.Coverage.ZoneUnknown {
		t.Fatalf("%+v", r)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	r = search(t, open(t, p, Options{Options: logscan.Options{Location: berlin}})[0], sources.LogQuery{Needles: sources.Spellings(id)})
	if e := r.Events[0]; e.ZoneUnknown || !e.Time.Equal(time.Date(2025, 11, 27, 13, 58, 12, 0, time.UTC)) || r.Coverage.ZoneUnknown {
		t.Errorf("%+v", r)
	}
}

func TestLinesWithoutTimeGetTheirNeighbours(t *testing.T) {
	dir := t.TempDir()
	line := `{"Type":"ERROR","Endpoint":"/dtros/` + id + `","Message":"TRO \u0027` + id + `\u0027 not found"}` + "\n"
	p := write(t, dir, "stdout.log", "[Time: 27-11-2025 14:58:12 | Level: INF | Source: X | Message: a | Exception: ]\n"+line+
		"[Time: 27-11-2025 15:10:00 | Level: INF | Source: X | Message: b | Exception: ]\n"+strings.Repeat(line, 3))
	r := search(t, open(t, p, Options{Options: logscan.Options{Location: time.UTC}})[0], sources.LogQuery{Needles: sources.Spellings(id)})
	if len(r.Events) != 4 {
		t.Fatalf("%v", positions(r))
	}
	e := r.Events[0]
	if !e.NoTime || !e.Time.Equal(time.Date(2025, 11, 27, 14, 58, 12, 0, time.UTC)) || !e.Until.Equal(time.Date(2025, 11, 27, 15, 10, 0, 0, time.UTC)) {
		t.Errorf("%+v", e)
	}
	if e.Message != "TRO '"+id+"' not found" || e.Level != sources.LevelError {
		t.Errorf("%+v", e)
	}
}

func TestNumbersAndFields(t *testing.T) {
	dir := t.TempDir()
	p := write(t, dir, "a.log", `{"time":"2025-11-27T14:00:00Z","order_id":42,"n":142}
{"time":"2025-11-27T14:00:01Z","order_id":7,"n":42}
{"time":"2025-11-27T14:00:02Z","order_id":"x","n":"4.42 42.5 2025-42"}
{"time":"2025-11-27T14:00:03Z","msg":"order \u002742\u0027 gone"}
`)
	s := open(t, p, Options{})[0]
	r := search(t, s, sources.LogQuery{Needles: sources.Spellings("42")})
	if diff := cmp.Diff([]string{"a.log:1", "a.log:2", "a.log:4"}, positions(r)); diff != "" {
		t.Error(diff)
	}
	n := sources.Spellings("42")
	n[0].Field = "order_id"
	if diff := cmp.Diff([]string{"a.log:1"}, positions(search(t, s, sources.LogQuery{Needles: n}))); diff != "" {
		t.Error(diff)
	}
	r = search(t, open(t, write(t, dir, "b.log", `{"m":"a\u0027b\u003cC"}`+"\n"), Options{})[0], sources.LogQuery{Needles: []sources.Needle{{Text: "a'b<C", How: "the id"}}})
	if len(r.Events) != 0 { // mixed case of escapes that no encoder writes
		t.Log("found", positions(r))
	}
	r = search(t, open(t, write(t, dir, "c.log", `{"m":"a\u0027b\u003CC"}`+"\n"), Options{})[0], sources.LogQuery{Needles: []sources.Needle{{Text: "a'b<C", How: "the id"}}})
	if len(r.Events) != 1 {
		t.Error("escaped text was not found")
	}
}

func TestCancelEndsTheSearch(t *testing.T) {
	dir := t.TempDir()
	p := write(t, dir, "a.log", strings.Repeat(jsonLog(start, 10_000, 0), 30))
	s := open(t, p, Options{})[0]
	packed := open(t, write(t, dir, "b.log.gz", pack(t, "gz", strings.Repeat(jsonLog(start, 10_000, 0), 30))), Options{})[0]
	for _, s := range []sources.Source{s, packed} {
		s.(*Stream).log.Chunk = 64 << 10 // far more of them than are read ahead of the first that is told
		ctx, cancel := context.WithCancel(t.Context())
		var last, total int64
		_, err := s.(sources.LogSearcher).SearchLogs(ctx, sources.LogQuery{Needles: sources.Spellings(id), Progress: func(done, all int64) {
			last, total = done, all
			if done > 0 {
				cancel()
			}
		}})
		cancel()
		if !errors.Is(err, context.Canceled) || last == 0 || last >= total*3/4 {
			t.Errorf("%s: %v, %d of %d bytes", s.Name(), err, last, total)
		}
	}
}

func TestHostileInput(t *testing.T) {
	dir := t.TempDir()
	long := strings.Repeat("x", 5<<20) + id + strings.Repeat("y", 5<<20)
	p := write(t, dir, "a.log", "2025-11-27 14:00:00 \x1b[31mred\x07 "+id+"\xff\xfe\n"+"2025-11-27 14:00:01 "+long+"\n\x00\x00\x002025-11-27 14:00:02 "+id+"\n"+jsonLog(start, 2000, 0)+"2025-11-27 15:00:03 end "+id)
	r := search(t, open(t, p, Options{})[0], sources.LogQuery{Needles: sources.Spellings(id)})
	if len(r.Events) < 4 {
		t.Fatalf("%v", positions(r))
	}
	for _, e := range r.Events {
		if len(e.Raw) > 3<<20 || !strings.Contains(e.Raw, id) {
			t.Errorf("%s: %d bytes of raw", e.Position, len(e.Raw))
		}
	}
	if len(r.Coverage.Limits) == 0 {
		t.Error("the cut is not said")
	}
}

func TestSilencesAreGapsOnlyWhenTheRhythmDoesNotExplainThem(t *testing.T) {
	dir := t.TempDir()
	p := write(t, dir, "a.log", jsonLog(start, 2000, 0)+jsonLog(start.Add(5*time.Hour), 2000, 0))
	r := search(t, open(t, p, Options{})[0], sources.LogQuery{})
	if g := r.Coverage.Gaps; len(g) != 1 || !g[0].From.Equal(start.Add(1999*time.Second)) || !g[0].To.Equal(start.Add(5*time.Hour)) {
		t.Errorf("%+v", g)
	}
	var quiet strings.Builder
	for day := range 4 { // every night is silent
		quiet.WriteString(jsonLog(start.AddDate(0, 0, day), 5000, 0))
	}
	if g := search(t, open(t, write(t, dir, "b.log", quiet.String()), Options{})[0], sources.LogQuery{}).Coverage.Gaps; len(g) != 0 {
		t.Errorf("%+v", g)
	}
}

func TestSeekAgreesWithTheWholeScan(t *testing.T) {
	dir := t.TempDir()
	p := write(t, dir, "a.log", jsonLog(start, 150_000, 1000))
	s := open(t, p, Options{})[0].(*Stream)
	w := sources.Window{From: start.Add(70_000 * time.Second), To: start.Add(72_500 * time.Second)}
	for _, q := range []sources.LogQuery{{Needles: sources.Spellings(id), Window: w}, {Window: w, Limit: 10_000}} {
		r := search(t, s, q)
		whole := search(t, s, sources.LogQuery{Needles: q.Needles, Limit: 1 << 30})
		var want []string
		for _, e := range whole.Events {
			if w.Contains(e.Time) {
				want = append(want, e.Raw)
			}
		}
		var got []string
		for _, e := range r.Events {
			got = append(got, e.Raw)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
		if r.Coverage.Bytes > 3<<20 || !r.Coverage.Covers(w) {
			t.Errorf("read %d bytes: %+v", r.Coverage.Bytes, r.Coverage)
		}
	}
}
