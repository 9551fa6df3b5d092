package postgres

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"inquest/sources"
	"inquest/sources/wal"
)

const (
	walChunk   = 1 << 20 // bytes of one row of an answer
	walFirst   = 2 << 20 // first read-ahead; grows while the line is fast
	walMost    = 16 << 20
	walSlow    = time.Second
	walTimeout = 30 * time.Second
	walKept    = 64 << 20 // bytes kept in memory for further passes; more are kept on disk
)

// WALSource reads the segments of pg_wal over SQL. It implements wal.Source and
// wal.HistorySource, reads ahead in large pieces, and trusts no byte beyond the
// position that the server had flushed (on a standby: replayed, or received and not
// replayed yet) when it listed its segments. It is not safe for concurrent use.
type WALSource struct {
	s     *Server
	facts *Facts
	flush wal.LSN
	size  int64
	ahead int64

	last window
	// kept are all pieces that were read, so that no byte travels twice although a
	// trace walks the WAL several times: the first ones in memory, the others in a
	// private temporary file.
	kept   map[wal.LSN][]window
	memory int // bytes that may still be kept in memory
	spill  spill
	buf    []byte

	// For WAL of which only a part is read, what was kept is kept in blocks.
	segments   []wal.Segment // as listed, by position
	listed     int64         // their bytes
	skimmed    bool
	skimOff    bool    // it is faster to read
	skimAlways bool    // whether it is or not: for tests
	readRate   float64 // bytes of WAL that arrive in a second
	block      map[blockKey]window
	page       []byte
	lastEnd    wal.LSN // of the piece asked for before
	inOrder    int64   // bytes asked for one after the other
	travelled  int64
	// Skipped lists files that look like segments but hold no WAL, with the reason.
	Skipped []string
}

// window is a piece of a segment.
type window struct {
	start wal.LSN // of the segment
	off   int64
	data  []byte
	// at and n say where the bytes are in the spill file when data is nil.
	at, n int64
}

// cut returns the bytes from off to end when the window holds them.
func (w *window) cut(start wal.LSN, off, end int64) ([]byte, bool) {
	if w.start != start || w.data == nil || off < w.off || end > w.off+int64(len(w.data)) {
		return nil, false
	}
	return w.data[off-w.off : end-w.off], true
}

var (
	_ wal.Source        = (*WALSource)(nil)
	_ wal.HistorySource = (*WALSource)(nil)
)

// WAL returns the server's WAL by the best way that this role may use: the files
// of pg_wal over SQL, else a physical replication stream, else pg_walinspect. The
// caller closes it when it is an io.Closer. It returns a *sources.Blind with what
// would open a way.
func (s *Server) WAL(ctx context.Context) (wal.Source, error) {
	f, err := s.Facts(ctx)
	if err != nil {
		return nil, err
	}
	files := f.walBlind()
	if files == nil {
		return s.OpenWAL(ctx)
	}
	streamed, err := s.OpenStream(ctx)
	if err == nil {
		return streamed, nil
	}
	var stream *sources.Blind
	if !errors.As(err, &stream) {
		return nil, err
	}
	if f.inspectBlind() == nil {
		return s.OpenInspect(ctx)
	}
	return nil, &sources.Blind{Why: files.Why + "; " + stream.Why, Opens: files.Opens + ", or " + stream.Opens}
}

// OpenWAL returns the server's WAL as a source, or a *sources.Blind with the exact
// GRANTs when this role may not read it. Nothing is read before it is asked for.
func (s *Server) OpenWAL(ctx context.Context) (*WALSource, error) {
	f, err := s.Facts(ctx)
	if err != nil {
		return nil, err
	}
	if b := f.walBlind(); b != nil {
		return nil, b
	}
	w := &WALSource{s: s, facts: f, size: f.SegmentSize, ahead: walFirst, memory: walKept, kept: map[wal.LSN][]window{}}
	s.streams.add(w)
	return w, nil
}

// Close removes what was kept on disk. The source can be read on.
func (w *WALSource) Close() error {
	w.s.streams.remove(w)
	for start, list := range w.kept {
		w.kept[start] = slices.DeleteFunc(list, func(k window) bool { return k.data == nil })
	}
	maps.DeleteFunc(w.block, func(_ blockKey, k window) bool { return k.data == nil })
	return w.spill.Close()
}

// Flushed is the position up to which the last List trusts the WAL.
func (w *WALSource) Flushed() wal.LSN { return w.flush }

const walListSQL = `with p as materialized (select case when pg_is_in_recovery() then greatest(pg_last_wal_replay_lsn(), pg_last_wal_receive_lsn()) else pg_current_wal_flush_lsn() end as lsn)
select p.lsn, w.name, w.size, encode(%s, 'hex') as head
from p, pg_ls_waldir() w where w.name ~ '^[0-9A-F]{24}(\.partial)?$' order by w.name collate "C"`

// List implements wal.Source.
func (w *WALSource) List(ctx context.Context) ([]wal.Segment, error) {
	tab, err := w.s.query(ctx, "WAL segments there are", fmt.Sprintf(walListSQL, w.facts.readWALFile("w.name", "0", "40")))
	if err != nil {
		return nil, err
	}
	w.Skipped, w.listed = nil, 0
	w.flush = parseLSN(tab.Text(0, "lsn"))
	var out []wal.Segment
	for i := range tab.Rows {
		head, _ := hex.DecodeString(tab.Text(i, "head"))
		seg, err := wal.SegmentFrom(tab.Text(i, "name"), head, w.s.name)
		if err != nil {
			w.Skipped = append(w.Skipped, err.Error())
			continue
		}
		seg.Avail = min(number(tab, i, "size"), seg.Size)
		if seg.Start >= w.flush {
			w.Skipped = append(w.Skipped, "segment "+seg.Name+": begins after the flushed position "+w.flush.String())
			continue
		}
		if seg.End() > w.flush {
			seg.Avail = min(seg.Avail, int64(w.flush-seg.Start))
		}
		out = append(out, seg)
		w.listed += seg.Size
	}
	w.segments = slices.Clone(out)
	slices.SortFunc(w.segments, func(a, b wal.Segment) int { return cmp.Compare(a.Start, b.Start) })
	return out, nil
}

// ReadAt implements wal.Source. Beyond the budget's WALBytes it returns a
// *sources.Blind.
func (w *WALSource) ReadAt(ctx context.Context, seg wal.Segment, off int64, n int) ([]byte, error) {
	end := seg.Size
	if seg.Avail > 0 {
		end = min(end, seg.Avail)
	}
	want := min(off+int64(n), end)
	if off >= want {
		return nil, nil
	}
	if b, ok := w.last.cut(seg.Start, off, want); ok {
		return b, nil
	}
	for i := range w.kept[seg.Start] {
		k := &w.kept[seg.Start][i]
		if b, ok := k.cut(seg.Start, off, want); ok {
			return b, nil
		}
		if k.data == nil && off >= k.off && want <= k.off+k.n {
			return w.spill.read(&w.buf, k.at+off-k.off, int(want-off))
		}
	}
	if w.skimmed {
		b, err := w.blocks(ctx, seg, off, want, end)
		if err != nil {
			return nil, fmt.Errorf("read segment %s over SQL: %w", seg.Name, err)
		}
		return b, nil
	}
	data, err := w.fetch(ctx, seg.Name, off, min(max(w.ahead, want-off), end-off))
	if err != nil {
		return nil, fmt.Errorf("read segment %s over SQL: %w", seg.Name, err)
	}
	w.keep(window{start: seg.Start, off: off, data: data})
	return data[:min(want-off, int64(len(data)))], nil
}

func (w *WALSource) keep(piece window) {
	w.last = piece
	if n := len(piece.data); n <= w.memory {
		w.memory -= n
	} else {
		at, ok := w.spill.write(piece.data)
		if !ok {
			return // it is read again when it is wanted again
		}
		piece.at, piece.n, piece.data = at, int64(n), nil
	}
	w.kept[piece.start] = append(w.kept[piece.start], piece)
}

const walReadSQL = `select %s from generate_series($2::bigint, $3::bigint - 1, $4::bigint) o order by o`

// fetch reads n bytes of a file from off.
func (w *WALSource) fetch(ctx context.Context, name string, off, n int64) ([]byte, error) {
	if err := w.s.spendWAL(n); err != nil {
		return nil, err
	}
	data := make([]byte, 0, n)
	start := time.Now()
	job := work{note: "WAL bytes", timeout: walTimeout, free: true}
	err := w.s.within(ctx, job, func(ctx context.Context, t *tx) error {
		args := []string{name, strconv.FormatInt(off, 10), strconv.FormatInt(off+n, 10), strconv.Itoa(walChunk)}
		_, err := t.stream(ctx, fmt.Sprintf(walReadSQL, w.facts.readWALFile("$1", "o", "least($4::bigint, $3::bigint - o)")), args, true, func(row [][]byte) error {
			data = append(data, row[0]...)
			return nil
		})
		return err
	})
	if err != nil {
		return nil, w.gone(name, w.s.blindFor(ctx, job, err))
	}
	if len(data) == 0 {
		return nil, segmentGone(name)
	}
	w.travelled += int64(len(data))
	if took := time.Since(start); took < walSlow {
		w.ahead = min(2*w.ahead, walMost)
	} else if took > 4*walSlow {
		w.ahead = max(w.ahead/2, walChunk)
	}
	return data, nil
}

func segmentGone(name string) error {
	return &sources.Blind{Why: "segment " + name + " was removed by the server meanwhile", Opens: "run the step again, or name an archive: --wal DIR"}
}

func (w *WALSource) gone(name string, err error) error {
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.Code == "58P01" {
		return segmentGone(name)
	}
	return err
}

// walLeft is how many bytes of WAL may still be read; negative means no bound.
func (s *Server) walLeft() int64 {
	limit := s.opt.Budget.WALBytes
	if limit < 0 {
		return -1
	}
	return max(limit-s.walBytes.Load(), 0)
}

func (s *Server) spendWAL(n int64) error {
	limit := s.opt.Budget.WALBytes
	if used := s.walBytes.Add(n); limit >= 0 && used > limit {
		s.walBytes.Add(-n)
		return &sources.Blind{Why: fmt.Sprintf("the %d MB of WAL that may be read from %s are used up", limit>>20, s.name), Opens: "--budget large, or --wal DIR on the server"}
	}
	return nil
}

// Histories implements wal.HistorySource.
func (w *WALSource) Histories(ctx context.Context) (map[uint32][]byte, error) {
	tab, err := w.s.query(ctx, "timeline histories", `select w.name, encode(`+w.facts.readWALFile("w.name", "0", "1048576")+`, 'hex') as content
from pg_ls_waldir() w where w.name ~ '^[0-9A-F]{8}\.history$'`)
	if err != nil {
		return nil, err
	}
	out := map[uint32][]byte{}
	for i := range tab.Rows {
		tli, err := strconv.ParseUint(strings.TrimSuffix(tab.Text(i, "name"), ".history"), 16, 32)
		content, err2 := hex.DecodeString(tab.Text(i, "content"))
		if err == nil && err2 == nil {
			out[uint32(tli)] = content
		}
	}
	return out, nil
}
