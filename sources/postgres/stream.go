package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"

	"inquest/sources"
	"inquest/sources/catalog"
	"inquest/sources/scratch"
	"inquest/sources/wal"
)

// StreamSource is the server's WAL as it sends it to a standby. It implements
// wal.Source and wal.HistorySource over a private temporary file, to which WAL is
// streamed as far as it is read. It uses no slot, confirms nothing as flushed or
// applied, and so keeps no WAL back and can never be waited for by a commit.
// It is not safe for concurrent use; Close it.
type StreamSource struct {
	s        *Server
	line     *walSender
	folder   *scratch.Folder
	file     *os.File
	size     int64 // of a segment
	from     wal.LSN
	at       wal.LSN // received up to here
	end      wal.LSN // flushed when the stream was opened
	timeline uint32
	switches []wal.Switch
	history  []byte
	buf      []byte
	once     sync.Once
}

var (
	_ wal.Source        = (*StreamSource)(nil)
	_ wal.HistorySource = (*StreamSource)(nil)
	_ io.Closer         = (*StreamSource)(nil)
)

// streamAhead is how much WAL is streamed at a time.
const streamAhead = 64 << 20

// streams are the ways to the WAL that are open, so that closing the Server ends them.
type streams struct {
	mu   sync.Mutex
	open []io.Closer
}

func (l *streams) add(w io.Closer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = append(l.open, w)
}

func (l *streams) remove(w io.Closer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = slices.DeleteFunc(l.open, func(o io.Closer) bool { return o == w })
}

func (l *streams) close() {
	l.mu.Lock()
	open := slices.Clone(l.open)
	l.mu.Unlock()
	for _, w := range open {
		_ = w.Close() // temporary files of our own
	}
}

// streamBlind says why this role may not stream WAL, or nil when it may try.
func (f *Facts) streamBlind() *sources.Blind {
	if !f.Replication && !f.Superuser {
		role := catalog.QuoteIdent(f.Role)
		return &sources.Blind{
			Why:   "the role may not stream WAL",
			Opens: "ALTER ROLE " + role + " REPLICATION (afterwards: ALTER ROLE " + role + " NOREPLICATION)",
		}
	}
	return syncBlind(f.Settings["synchronous_standby_names"])
}

// OpenStream opens a replication connection beside the ordinary one and finds
// the oldest WAL that the server still has. It returns a *sources.Blind when the
// role may not, and when the server could take the stream for a synchronous standby.
func (s *Server) OpenStream(ctx context.Context) (*StreamSource, error) {
	f, err := s.Facts(ctx)
	if err != nil {
		return nil, err
	}
	if b := f.streamBlind(); b != nil {
		return nil, b
	}
	// The setting may have been changed since the facts were asked for.
	tab, err := s.query(ctx, "which standbys commits wait for", "select current_setting('synchronous_standby_names') as names")
	if err != nil {
		return nil, err
	}
	if b := syncBlind(tab.Text(0, "names")); b != nil {
		return nil, b
	}
	line, err := s.dialSender(ctx)
	if err != nil {
		return nil, err
	}
	w := &StreamSource{s: s, line: line, size: f.SegmentSize}
	if err := w.prepare(ctx, f); err != nil {
		_ = w.Close() // nothing was received
		return nil, s.streamError(ctx, err)
	}
	s.streams.add(w)
	return w, nil
}

// streamError tells what ended a stream.
func (s *Server) streamError(ctx context.Context, err error) error {
	var b *sources.Blind
	var pe *pgconn.PgError
	switch {
	case err == nil || errors.As(err, &b):
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", s.name, ctx.Err())
	case errors.As(err, &pe):
		return &sources.Blind{Why: fmt.Sprintf("the WAL stream of %s ended: %s (%s)", s.name, pe.Message, pe.Code), Opens: "run the step again, or name an archive: --wal DIR"}
	}
	return &sources.Blind{Why: fmt.Sprintf("the WAL stream of %s ended: %s", s.name, firstLine(rootCause(err).Error())), Opens: "run the step again, or name an archive: --wal DIR"}
}

func (w *StreamSource) prepare(ctx context.Context, f *Facts) error {
	var err error
	if w.timeline, w.end, err = w.line.identify(ctx); err != nil {
		return err
	}
	if w.timeline > 1 {
		if w.history, err = w.line.history(ctx, w.timeline); err != nil {
			return err
		}
		if w.switches, err = wal.ParseHistory(w.history); err != nil {
			return err
		}
	}
	if w.from, err = w.oldest(ctx, f); err != nil {
		return err
	}
	w.at = w.from
	if w.folder, err = scratch.New(); err != nil {
		return &sources.Blind{Why: "WAL cannot be streamed: " + err.Error(), Opens: "set TMPDIR to a folder with room"}
	}
	w.file, err = os.OpenFile(w.folder.File("wal"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	return err
}

// timelineAt is the timeline along the history that holds a position.
func (w *StreamSource) timelineAt(at wal.LSN) uint32 {
	for _, sw := range w.switches {
		if at < sw.At {
			return sw.TLI
		}
	}
	return w.timeline
}

// oldest finds the start of the oldest segment that the server still has, by
// asking for segments further and further back. What it lacks it refuses.
func (w *StreamSource) oldest(ctx context.Context, f *Facts) (wal.LSN, error) {
	return f.oldestWAL(w.end, w.s.walLeft(), func(at wal.LSN) (bool, error) { return w.line.has(ctx, at, w.timelineAt(at)) })
}

// List implements wal.Source.
func (w *StreamSource) List(context.Context) ([]wal.Segment, error) {
	var out []wal.Segment
	for start := w.from; start < w.end; start += wal.LSN(w.size) {
		// Where a timeline was left the newer one holds a copy of the older's pages.
		g := wal.Segment{TLI: w.timelineAt(start + wal.LSN(w.size) - 1), Start: start, Size: w.size, Origin: w.s.name + ", streamed"}
		g.Name = wal.SegmentName(g.TLI, start, w.size)
		if g.End() > w.end {
			g.Avail = int64(w.end - start)
		}
		out = append(out, g)
	}
	return out, nil
}

// ReadAt implements wal.Source. Beyond the budget's WALBytes it returns a
// *sources.Blind.
func (w *StreamSource) ReadAt(ctx context.Context, seg wal.Segment, off int64, n int) ([]byte, error) {
	from := seg.Start + wal.LSN(off)
	to := min(from+wal.LSN(n), seg.End(), w.end)
	if from >= to {
		return nil, nil
	}
	if w.file == nil {
		return nil, os.ErrClosed
	}
	for w.at < to {
		if err := w.more(ctx); err != nil {
			return nil, w.s.streamError(ctx, err)
		}
	}
	if cap(w.buf) < n {
		w.buf = make([]byte, n)
	}
	b := w.buf[:to-from]
	if _, err := w.file.ReadAt(b, int64(from-w.from)); err != nil {
		return nil, fmt.Errorf("read streamed WAL: %w", err)
	}
	return b, nil
}

// more streams the next piece into the file. A line that broke is opened anew, once for each piece.
func (w *StreamSource) more(ctx context.Context) error {
	upto := min(w.at+streamAhead, w.end)
	if room, ok := w.folder.Room(); ok && room < int64(upto-w.at) {
		return &sources.Blind{Why: "the disk of the temporary folder is nearly full", Opens: "set TMPDIR to a folder with room"}
	}
	if err := w.s.spendWAL(int64(upto - w.at)); err != nil {
		return err
	}
	if w.line.closed() {
		line, err := w.s.dialSender(ctx)
		if err != nil {
			return err
		}
		w.line = line
	}
	was := w.at
	err := w.line.stream(ctx, w.at, upto, w.timelineAt(w.at), func(at wal.LSN, b []byte) error {
		if at != w.at {
			return fmt.Errorf("the server sent WAL of %s, and %s was due", at, w.at)
		}
		if _, err := w.file.WriteAt(b, int64(at-w.from)); err != nil {
			return fmt.Errorf("keep streamed WAL: %w", err)
		}
		w.at += wal.LSN(len(b))
		return nil
	})
	if w.at > was {
		return nil // the rest is asked for again
	}
	if err == nil {
		err = fmt.Errorf("the server sent no WAL from %s on", w.at)
	}
	return err
}

// Histories implements wal.HistorySource.
func (w *StreamSource) Histories(context.Context) (map[uint32][]byte, error) {
	if w.history == nil {
		return map[uint32][]byte{}, nil
	}
	return map[uint32][]byte{w.timeline: w.history}, nil
}

// Close ends the connection and removes the file.
func (w *StreamSource) Close() error {
	var err error
	w.once.Do(func() {
		w.s.streams.remove(w)
		w.line.close()
		if w.file != nil {
			_ = w.file.Close() // it is removed next
		}
		if w.folder != nil {
			err = w.folder.Close()
		}
	})
	return err
}
