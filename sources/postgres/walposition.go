package postgres

import (
	"context"

	"inquest/sources/wal"
)

// WALPosition says where the server's WAL stands now, for those that look for
// more of it in an archive.
type WALPosition struct {
	Timeline    uint32
	LSN         wal.LSN
	SegmentSize int64
	Archived    string // name of the segment archived last; empty when unknown
	// Have is the start of the oldest segment that can be read from the server
	// itself and will not go at its next checkpoint; zero when none can.
	Have wal.LSN
}

const walPositionSQL = `select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_insert_lsn() end as lsn,
 (select last_archived_wal from pg_stat_archiver) as archived`

// WALPosition asks the server anew. It needs no privilege beyond the connection.
func (s *Server) WALPosition(ctx context.Context) (WALPosition, error) {
	f, err := s.Facts(ctx)
	if err != nil {
		return WALPosition{}, err
	}
	tab, err := s.query(ctx, "where the WAL stands", walPositionSQL)
	if err != nil {
		return WALPosition{}, err
	}
	p := WALPosition{Timeline: f.Timeline(), LSN: parseLSN(tab.Text(0, "lsn")), SegmentSize: f.SegmentSize}
	if name := tab.Text(0, "archived"); len(name) == 24 {
		p.Archived = name
	}
	if f.walBlind() == nil || f.streamBlind() == nil {
		p.Have = f.lasting()
	}
	return p, nil
}

// lasting is the start of the oldest segment that stays at least until the
// checkpoint after the next one; zero when that cannot be told.
func (f *Facts) lasting() wal.LSN {
	if f.Control == nil || f.SegmentSize == 0 {
		return 0
	}
	size := wal.LSN(f.SegmentSize)
	at := f.keptFrom() / size * size
	if oldest, ok := f.oldestLSN(); ok {
		at = max(at, oldest)
	}
	return at
}
