package pgservertest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"inquest/sources/pgserver"
)

// Wind sets the next transaction id of a server, epoch included, as pg_resetwal -x and -e do, which not every installation has: the server is
// stopped cleanly, its last checkpoint says another number, in WAL and in pg_control, and it is started again. Whatever transactions wrote
// before must be frozen, or less than 2^31 behind.
func Wind(t testing.TB, s *pgserver.Server, next uint64) {
	t.Helper()
	const tries = 20
	for range tries {
		if err := s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		done, err := wind(s.DataDir(), next)
		if err != nil {
			t.Fatalf("set the next transaction id: %v", err)
		}
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if done {
			return
		}
	}
	t.Fatalf("the checkpoint's record lay across two pages %d times", tries)
}

// Offsets in pg_control (catalog/pg_control.h, ControlFileData), in a checkpoint (CheckPoint) and in a WAL record (access/xlogrecord.h).
const (
	controlCheckpoint = 32 // position of the last checkpoint
	pointNext         = 24 // FullTransactionId
	pointOldest       = 44 // the oldest unfrozen transaction, 32 bits
	pointSize         = 72
	recordCRC         = 20
	recordHeader      = 24
	page              = 8192
)

// wind reports false, and changes nothing, when the record lies across two pages.
func wind(data string, next uint64) (bool, error) {
	le := binary.LittleEndian
	controlFile := filepath.Join(data, "global", "pg_control")
	control, err := os.ReadFile(controlFile)
	if err != nil {
		return false, err
	}
	size := 0 // of the part that its checksum covers
	for n := 64; n+4 <= 600 && size == 0; n += 4 {
		if sum(control[:n]) == le.Uint32(control[n:]) {
			size = n
		}
	}
	if size == 0 {
		return false, fmt.Errorf("%s: no checksum found", controlFile)
	}
	at := le.Uint64(control[controlCheckpoint:])
	segment, offset, err := segmentAt(data, at)
	if err != nil {
		return false, err
	}
	raw, err := os.ReadFile(segment)
	if err != nil {
		return false, err
	}
	record := raw[offset:][:le.Uint32(raw[offset:])]
	if offset%page+len(record) > page {
		return false, nil
	}
	point := record[recordHeader+2:] // after the header of the main data, which is short
	copied := bytes.Index(control[:size], point[:pointSize])
	if copied < 0 {
		return false, fmt.Errorf("%s does not hold the checkpoint at %X", controlFile, at)
	}
	for _, p := range [][]byte{point, control[copied:]} {
		le.PutUint64(p[pointNext:], next)
		le.PutUint32(p[pointOldest:], max(uint32(next)-1_000_000_000, 3))
	}
	le.PutUint32(record[recordCRC:], crc32.Update(sum(record[recordHeader:]), crc32.MakeTable(crc32.Castagnoli), record[:recordCRC]))
	le.PutUint32(control[size:], sum(control[:size]))
	for path, b := range map[string][]byte{segment: raw, controlFile: control} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			return false, err
		}
	}
	return true, commitLog(data, uint32(next))
}

func sum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// segmentAt returns the WAL file that holds a position, and where in it.
func segmentAt(data string, at uint64) (string, int, error) {
	files, err := filepath.Glob(filepath.Join(data, "pg_wal", "????????????????????????"))
	if err != nil || len(files) == 0 {
		return "", 0, fmt.Errorf("no WAL in %s: %w", data, err)
	}
	st, err := os.Stat(files[0])
	if err != nil {
		return "", 0, err
	}
	size := uint64(st.Size())
	n := at / size
	return filepath.Join(data, "pg_wal", fmt.Sprintf("00000001%08X%08X", n/(1<<32/size), n%(1<<32/size))), int(at % size), nil
}

// commitLog makes the file that holds the state of a transaction (access/transam/clog.c), and the next one: two bits each.
func commitLog(data string, xid uint32) error {
	const perFile = 4 * page * 32
	dir := filepath.Join(data, "pg_xact")
	st, err := os.Stat(dir)
	if err != nil {
		return err
	}
	for _, n := range []uint32{xid / perFile, (xid/perFile + 1) % (1 << 32 / perFile)} {
		path := filepath.Join(dir, fmt.Sprintf("%04X", n))
		if _, err := os.Stat(path); err == nil {
			continue
		}
		if err := os.WriteFile(path, make([]byte, perFile/4), 0o600); err != nil {
			return err
		}
		if err := own(path, st); err != nil {
			return err
		}
	}
	return nil
}

// own gives a file to the owner of its folder.
func own(path string, folder fs.FileInfo) error {
	st, ok := folder.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return os.Chown(path, int(st.Uid), int(st.Gid))
}
