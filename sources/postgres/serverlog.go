package postgres

import (
	"context"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"inquest/sources"
)

// ServerLog reads the server's own log files over SQL.
type ServerLog struct {
	s   *Server
	dir string
	// Prefix, Zone and Destination are log_line_prefix, log_timezone and
	// log_destination, which say how to read the files.
	Prefix, Zone, Destination string
}

// LogFile is one file of the server's log folder.
type LogFile struct {
	Name     string    `json:"name"`
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
}

// ServerLog returns the server's log, or a *sources.Blind with the GRANTs or
// with the flag that names the files when SQL cannot reach them.
func (s *Server) ServerLog(ctx context.Context) (*ServerLog, error) {
	f, err := s.Facts(ctx)
	if err != nil {
		return nil, err
	}
	if b := f.serverLogBlind(); b != nil {
		return nil, b
	}
	return &ServerLog{
		s: s, dir: strings.TrimSuffix(f.Settings["log_directory"], "/"), Prefix: f.Settings["log_line_prefix"],
		Zone: f.Settings["log_timezone"], Destination: f.Settings["log_destination"],
	}, nil
}

// Files lists the log files, the oldest change first.
func (l *ServerLog) Files(ctx context.Context) ([]LogFile, error) {
	tab, err := l.s.query(ctx, "log files there are", "select name, size, modification from pg_ls_logdir() order by modification, name")
	if err != nil {
		return nil, err
	}
	out := make([]LogFile, 0, len(tab.Rows))
	for i := range tab.Rows {
		out = append(out, LogFile{Name: tab.Text(i, "name"), Size: number(tab, i, "size"), Modified: parseTime(tab.Text(i, "modification"))})
	}
	return out, nil
}

// ReadAt returns n bytes of a file from an offset, fewer at its end. A file that
// was removed meanwhile is a *sources.Blind.
func (l *ServerLog) ReadAt(ctx context.Context, name string, off int64, n int) ([]byte, error) {
	const sql = `select pg_read_binary_file($1, o, least(1048576, $3::bigint - o), true) from generate_series($2::bigint, $3::bigint - 1, 1048576) o order by o`
	args := []string{l.dir + "/" + name, strconv.FormatInt(off, 10), strconv.FormatInt(off+int64(n), 10)}
	w := work{note: "log bytes", timeout: walTimeout, free: true}
	var out []byte
	gone := false
	err := l.s.within(ctx, w, func(ctx context.Context, t *tx) error {
		_, err := t.stream(ctx, sql, args, true, func(row [][]byte) error {
			gone = gone || row[0] == nil
			out = append(out, row[0]...)
			return nil
		})
		return err
	})
	if err == nil && gone {
		return nil, &sources.Blind{Why: "log file " + name + " was removed meanwhile", Opens: "run the step again"}
	}
	return out, l.s.blindFor(ctx, w, err)
}

// Open returns a file as a seekable reader over the bytes it has now; it reads a
// megabyte ahead and lives as long as ctx.
func (l *ServerLog) Open(ctx context.Context, f LogFile) *io.SectionReader {
	return io.NewSectionReader(&logReader{ctx: ctx, l: l, f: f}, 0, f.Size)
}

// logReader is an io.ReaderAt with a cache of one piece.
type logReader struct {
	ctx  context.Context //nolint:containedctx // io.ReaderAt has no other place for it
	l    *ServerLog
	f    LogFile
	off  int64
	data []byte
}

// ReadAt implements io.ReaderAt.
func (r *logReader) ReadAt(p []byte, off int64) (int, error) {
	end := min(off+int64(len(p)), r.f.Size)
	if off < r.off || end > r.off+int64(len(r.data)) {
		n := min(max(int64(len(p)), walChunk), r.f.Size-off)
		if n <= 0 {
			return 0, io.EOF
		}
		data, err := r.l.ReadAt(r.ctx, r.f.Name, off, int(n))
		if err != nil {
			return 0, err
		}
		r.off, r.data = off, data
	}
	n := copy(p, r.data[min(off-r.off, int64(len(r.data))):])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// FilesWith asks the server which log files hold one of the texts, without
// fetching them; a text that lies across two reads is found.
func (l *ServerLog) FilesWith(ctx context.Context, texts ...string) ([]LogFile, error) {
	files, err := l.Files(ctx)
	if err != nil {
		return nil, err
	}
	longest := 1
	for _, t := range texts {
		longest = max(longest, len(t))
	}
	var out []LogFile
	for _, f := range files {
		hit, err := l.holds(ctx, f, texts, longest)
		if err != nil {
			return out, err
		}
		if hit {
			out = append(out, f)
		}
	}
	return out, nil
}

func (l *ServerLog) holds(ctx context.Context, f LogFile, texts []string, longest int) (bool, error) {
	const sql = `select 1 from generate_series(0::bigint, $2::bigint, 1048576) o
cross join lateral (select pg_read_binary_file($1, o, 1048576 + $3::bigint, true) as c offset 0) r
where exists (select from unnest($4::text[]) n where position(convert_to(n, 'UTF8') in r.c) > 0) limit 1`
	hit := false
	w := work{note: "log files that name it", timeout: walTimeout}
	err := l.s.within(ctx, w, func(ctx context.Context, t *tx) error {
		args := []string{l.dir + "/" + f.Name, strconv.FormatInt(f.Size, 10), strconv.Itoa(longest - 1), textArray(texts)}
		_, err := t.stream(ctx, sql, args, false, func([][]byte) error {
			hit = true
			return nil
		})
		var pe *pgconn.PgError
		if asPgError(err, &pe) && pe.Code == "58P01" {
			return nil // rotated away
		}
		return err
	})
	return hit, l.s.blindFor(ctx, w, err)
}
