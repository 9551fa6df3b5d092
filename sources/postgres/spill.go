package postgres

import (
	"fmt"
	"os"

	"inquest/sources/scratch"
)

// spill is a private temporary file that pieces are kept in. Where there is no
// room it keeps nothing.
type spill struct {
	folder *scratch.Folder
	file   *os.File
	size   int64
	full   bool
}

// write appends a piece and returns where it stands; false: it was not kept.
func (s *spill) write(b []byte) (at int64, ok bool) {
	if s.full || !s.open() {
		s.full = true
		return 0, false
	}
	if room, ok := s.folder.Room(); ok && room < int64(len(b)) {
		return 0, false
	}
	if _, err := s.file.WriteAt(b, s.size); err != nil {
		s.full = true
		return 0, false
	}
	at, s.size = s.size, s.size+int64(len(b))
	return at, true
}

func (s *spill) open() bool {
	if s.file != nil {
		return true
	}
	var err error
	if s.folder, err = scratch.New(); err != nil {
		return false
	}
	s.file, err = os.OpenFile(s.folder.File("wal"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	return err == nil
}

// read returns n bytes from a place, in a buffer that is used again.
func (s *spill) read(buf *[]byte, at int64, n int) ([]byte, error) {
	if cap(*buf) < n {
		*buf = make([]byte, n)
	}
	b := (*buf)[:n]
	if _, err := s.file.ReadAt(b, at); err != nil {
		return nil, fmt.Errorf("read WAL that was kept: %w", err)
	}
	return b, nil
}

// Close removes the file; a later write makes a new one.
func (s *spill) Close() error {
	if s.folder == nil {
		return nil
	}
	if s.file != nil {
		_ = s.file.Close() // it is removed next
	}
	err := s.folder.Close()
	*s = spill{}
	return err
}
