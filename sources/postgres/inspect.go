package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"

	"inquest/sources"
	"inquest/sources/catalog"
	"inquest/sources/scratch"
	"inquest/sources/wal"
)

// InspectSource is WAL as the extension pg_walinspect tells it (16 and later),
// written down again as WAL in a private temporary file, so that it is read by
// the same reader. Records of heaps, btrees, transactions, new files, locks and
// databases are restored: position, transaction, blocks with their data and
// images, and what the descriptions tell of the rest. Everything else stands as
// an empty record. Not told, and so missing, are: old rows and keys in deletes and
// updates (wal_level logical), the times of checkpoints, origins of replication,
// and identifiers of prepared transactions. It is not safe for concurrent use;
// Close it.
type InspectSource struct {
	s      *Server
	schema string // of the extension, quoted
	folder *scratch.Folder
	file   *os.File
	out    *walWriter
	from   wal.LSN
	next   wal.LSN // records from here on are still to be asked for
	end    wal.LSN
	size   int64
	buf    []byte
	once   sync.Once
}

var _ wal.Source = (*InspectSource)(nil)

// inspectChunk is how much WAL one statement describes.
const inspectChunk = 16 << 20

var walMagic = map[int]uint16{16: 0xD113, 17: 0xD116, 18: 0xD118}

// inspectBlind says why WAL cannot be restored from pg_walinspect, or nil.
func (f *Facts) inspectBlind() *sources.Blind {
	if b := f.walInspectBlind(); b != nil {
		return b
	}
	if walMagic[f.Major()] == 0 {
		return &sources.Blind{Why: fmt.Sprintf("pg_walinspect of version %d does not show the content of rows", f.Major()), Opens: f.readBinaryGrant() + " and " + f.monitorGrant()}
	}
	return nil
}

// OpenInspect returns the server's WAL by way of pg_walinspect, or a
// *sources.Blind.
func (s *Server) OpenInspect(ctx context.Context) (*InspectSource, error) {
	f, err := s.Facts(ctx)
	if err != nil {
		return nil, err
	}
	if b := f.inspectBlind(); b != nil {
		return nil, b
	}
	tab, err := s.query(ctx, "end of the WAL", "select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_flush_lsn() end as lsn")
	if err != nil {
		return nil, err
	}
	w := &InspectSource{s: s, schema: catalog.QuoteIdent(f.Extensions["pg_walinspect"]), size: f.SegmentSize, end: parseLSN(tab.Text(0, "lsn"))}
	w.from, err = f.oldestWAL(w.end, s.walLeft(), func(at wal.LSN) (bool, error) { return w.has(ctx, at) })
	if err != nil {
		return nil, err
	}
	w.next = w.from
	if w.folder, err = scratch.New(); err != nil {
		return nil, &sources.Blind{Why: "WAL cannot be read by pg_walinspect: " + err.Error(), Opens: "set TMPDIR to a folder with room"}
	}
	if w.file, err = os.OpenFile(w.folder.File("wal"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		_ = w.Close()
		return nil, fmt.Errorf("keep WAL: %w", err)
	}
	s.streams.add(w)
	w.out = newWALWriter(w.file, w.from, uint32(f.SegmentSize), walMagic[f.Major()], max(f.Timeline(), 1))
	return w, nil
}

func (w *InspectSource) has(ctx context.Context, at wal.LSN) (bool, error) {
	_, err := w.s.query(ctx, "oldest WAL", "select 1 from "+w.schema+".pg_get_wal_records_info($1::pg_lsn, $1::pg_lsn + 8192) limit 1", at.String())
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.Code == "58P01" {
		return false, nil
	}
	return err == nil, err
}

// List implements wal.Source.
func (w *InspectSource) List(context.Context) ([]wal.Segment, error) {
	var out []wal.Segment
	for start := w.from; start < w.end; start += wal.LSN(w.size) {
		g := wal.Segment{TLI: w.out.timeline, Start: start, Size: w.size, Origin: w.s.name + ", by pg_walinspect"}
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
func (w *InspectSource) ReadAt(ctx context.Context, seg wal.Segment, off int64, n int) ([]byte, error) {
	from := seg.Start + wal.LSN(off)
	to := min(from+wal.LSN(n), seg.End(), w.end)
	if w.file == nil {
		return nil, os.ErrClosed
	}
	for w.out.at < to && w.next < w.end {
		if err := w.more(ctx); err != nil {
			return nil, err
		}
	}
	to = min(to, w.out.at)
	if from >= to {
		return nil, nil
	}
	if cap(w.buf) < n {
		w.buf = make([]byte, n)
	}
	b := w.buf[:to-from]
	if _, err := w.file.ReadAt(b, int64(from-w.from)); err != nil {
		return nil, fmt.Errorf("read WAL: %w", err)
	}
	return b, nil
}

// Inexact is the number of records that stand a little behind their true
// position, because an image could not be packed as tightly as the server had.
func (w *InspectSource) Inexact() int { return w.out.inexact }

// Limits says what this way of reading does not show.
func (w *InspectSource) Limits() []string {
	return []string{"WAL was read by pg_walinspect, which does not tell of old keys in updates and deletes, and of the names of prepared transactions"}
}

// Close removes the file.
func (w *InspectSource) Close() error {
	var err error
	w.once.Do(func() {
		w.s.streams.remove(w)
		if w.file != nil {
			_ = w.file.Close() // it is removed next
		}
		err = w.folder.Close()
	})
	return err
}

// told is one record as pg_walinspect tells it.
type told struct {
	start, end  wal.LSN
	xid         uint32
	rmgr, kind  string
	main        int // bytes of main data
	description string
	blocks      []toldBlock
}

type toldBlock struct {
	id, fork byte
	rel      wal.RelFile
	block    uint32
	data     []byte
	page     []byte // image, decompressed
	info     string
}

const inspectRecordsSQL = `select r.start_lsn, r.end_lsn, r.xid, r.resource_manager, r.record_type, r.main_data_length,
 case when r.resource_manager in ('Heap', 'Heap2', 'Btree', 'Transaction', 'Storage', 'Database') or r.record_type in ('CHECKPOINT_SHUTDOWN', 'END_OF_RECOVERY') or r.resource_manager = 'Standby' and r.record_type = 'LOCK' then r.description end
 from %s.pg_get_wal_records_info($1::pg_lsn, $2::pg_lsn) r`

const inspectBlocksSQL = `select b.start_lsn, b.block_id, b.reltablespace, b.reldatabase, b.relfilenode, b.relforknumber, b.relblocknumber, b.block_data,
 case when b.relforknumber = 0 then b.block_fpi_data end, array_to_string(b.block_fpi_info, ' ')
 from %s.pg_get_wal_block_info($1::pg_lsn, $2::pg_lsn, true) b where b.resource_manager in ('Heap', 'Heap2', 'Btree', 'XLOG')`

// more asks for the next piece and writes it down.
func (w *InspectSource) more(ctx context.Context) error {
	for span := wal.LSN(inspectChunk); ; span *= 2 {
		upto := min(w.next+span, w.end)
		if err := w.s.spendWAL(int64(upto - w.next)); err != nil {
			return err
		}
		list, err := w.ask(ctx, w.next, upto)
		if err != nil {
			return err
		}
		if len(list) == 0 && upto < w.end {
			continue // one record is longer than the piece
		}
		for i := range list {
			if err := w.out.record(&list[i]); err != nil {
				return fmt.Errorf("keep WAL: %w", err)
			}
		}
		w.next = w.end
		if n := len(list); n > 0 && upto < w.end {
			w.next = list[n-1].end
		}
		if w.next >= w.end {
			return w.out.finish(w.end)
		}
		return w.out.flush()
	}
}

// ask reads the records that lie whole in a range, with their blocks.
func (w *InspectSource) ask(ctx context.Context, from, to wal.LSN) ([]told, error) {
	job := work{note: "WAL by pg_walinspect", timeout: walTimeout, free: true}
	var list []told
	args := []string{from.String(), to.String()}
	err := w.s.within(ctx, job, func(ctx context.Context, t *tx) error {
		_, err := t.stream(ctx, fmt.Sprintf(inspectRecordsSQL, w.schema), args, true, func(row [][]byte) error {
			list = append(list, told{
				start: lsnOf(row[0]), end: lsnOf(row[1]), xid: uint32(intOf(row[2])), rmgr: string(row[3]), kind: string(row[4]), main: int(intOf(row[5])), description: string(row[6]),
			})
			return nil
		})
		if err != nil {
			return err
		}
		i := 0
		_, err = t.stream(ctx, fmt.Sprintf(inspectBlocksSQL, w.schema), args, true, func(row [][]byte) error {
			at := lsnOf(row[0])
			for i < len(list) && list[i].start < at {
				i++
			}
			if i == len(list) || list[i].start != at {
				return nil
			}
			list[i].blocks = append(list[i].blocks, toldBlock{
				id: byte(intOf(row[1])), rel: wal.RelFile{Spc: uint32(intOf(row[2])), DB: uint32(intOf(row[3])), Rel: uint32(intOf(row[4]))}, fork: byte(intOf(row[5])),
				block: uint32(intOf(row[6])), data: append([]byte(nil), row[7]...), page: append([]byte(nil), row[8]...), info: string(row[9]),
			})
			return nil
		})
		return err
	})
	if err != nil {
		return nil, w.s.blindFor(ctx, job, err)
	}
	return list, nil
}

func lsnOf(b []byte) wal.LSN {
	if len(b) != 8 {
		return 0
	}
	return wal.LSN(binary.BigEndian.Uint64(b))
}

// intOf reads an integer of any size in binary form.
func intOf(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

func (b *toldBlock) packed() bool { return strings.Contains(b.info, "COMPRESS_") }
