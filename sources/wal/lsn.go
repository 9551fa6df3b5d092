package wal

import (
	"fmt"
	"strconv"
	"strings"
)

// LSN is a position in the write-ahead log: a byte count since the cluster was made. Zero is no position.
type LSN uint64

// String prints the position as PostgreSQL does: 0/1A2B3C8.
func (l LSN) String() string { return fmt.Sprintf("%X/%X", uint64(l)>>32, uint32(l)) }

// ParseLSN reads a position as String and PostgreSQL print it.
func ParseLSN(s string) (LSN, error) {
	hi, lo, ok := strings.Cut(strings.TrimSpace(s), "/")
	h, err1 := strconv.ParseUint(hi, 16, 32)
	l, err2 := strconv.ParseUint(lo, 16, 32)
	if !ok || err1 != nil || err2 != nil {
		return 0, fmt.Errorf("wal position %q: want two hex numbers such as 0/1A2B3C8", s)
	}
	return LSN(h<<32 | l), nil
}

// MarshalText implements encoding.TextMarshaler.
func (l LSN) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *LSN) UnmarshalText(b []byte) error {
	v, err := ParseLSN(string(b))
	*l = v
	return err
}

// align8 rounds up to the alignment of records (MAXALIGN).
func (l LSN) align8() LSN { return (l + 7) &^ 7 }

// page returns the start of the page that holds the position.
func (l LSN) page() LSN { return l &^ (PageSize - 1) }

// RelFile names a relation's file as WAL does: tablespace, database, file number (RelFileNode; RelFileLocator since 16). It is not the
// table's oid: TRUNCATE, VACUUM FULL and rewrites change the file number. It prints and marshals as spc/db/rel.
type RelFile struct {
	Spc, DB, Rel uint32
}

// String prints spc/db/rel as pg_waldump does.
func (r RelFile) String() string { return fmt.Sprintf("%d/%d/%d", r.Spc, r.DB, r.Rel) }

// Zero reports whether no file is named.
func (r RelFile) Zero() bool { return r.Rel == 0 }

// MarshalText implements encoding.TextMarshaler.
func (r RelFile) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *RelFile) UnmarshalText(b []byte) error {
	if _, err := fmt.Sscanf(string(b), "%d/%d/%d", &r.Spc, &r.DB, &r.Rel); err != nil {
		return fmt.Errorf("relation file %q: want spc/db/rel", b)
	}
	return nil
}
