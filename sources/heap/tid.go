package heap

import (
	"fmt"
)

// TID is the address of a row version in its file: block number and item number from 1 (storage/itemptr.h). It prints and
// marshals as PostgreSQL shows it: (12,4).
type TID struct {
	Block  uint32
	Offset uint16
}

// Zero reports whether the address is unset.
func (t TID) Zero() bool { return t == TID{} }

// String returns the address as PostgreSQL prints a ctid: (block,offset).
func (t TID) String() string { return fmt.Sprintf("(%d,%d)", t.Block, t.Offset) }

// MarshalText implements encoding.TextMarshaler.
func (t TID) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; it accepts what String prints.
func (t *TID) UnmarshalText(b []byte) error {
	v, err := ParseTID(string(b))
	*t = v
	return err
}

// ParseTID reads a ctid such as (12,4); blanks after the comma are allowed.
func ParseTID(s string) (TID, error) {
	var t TID
	if _, err := fmt.Sscanf(s, "(%d,%d)", &t.Block, &t.Offset); err != nil {
		return TID{}, fmt.Errorf("tuple id %q: want (block,offset)", s)
	}
	return t, nil
}
