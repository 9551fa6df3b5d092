package wal

import "bytes"

// nameLength is the size of pg_class.relname, which follows the oid (NAMEDATALEN).
const nameLength = 64

// ClassRow is a row of pg_class that a transaction inserted: a relation that it created.
type ClassRow struct {
	OID  uint32
	File uint32 // pg_class.relfilenode; zero for relations without storage
	Name string
}

// NewClassRow reads the insert of a row into pg_class, from the record's data or its full-page image. It knows the catalogue by its first
// file number: after VACUUM FULL of pg_class it finds nothing.
func (r *Record) NewClassRow() (ClassRow, bool) {
	if r.RMGR != rmHeap || r.Decode() != nil {
		return ClassRow{}, false
	}
	c, ok, err := r.DecodeHeap()
	if !ok || err != nil || c.Op != heapInsert || c.Rel.Rel != pgClass {
		return ClassRow{}, false
	}
	t, has := c.New, c.HasNew
	if !has {
		t, has = fromImage(c.NewBlock, c.TID.Offset)
	}
	if !has || len(t.Data) < classFileNode+4 {
		return ClassRow{}, false
	}
	row := ClassRow{Name: string(bytes.TrimRight(t.Data[4:4+nameLength], "\x00"))}
	row.OID, row.File = classRow(t)
	return row, true
}

// StandbyLocks returns the ACCESS EXCLUSIVE locks that a Standby LOCK record tells, nil for any other record. Servers write them from
// wal_level replica on.
func (r *Record) StandbyLocks() []StandbyLock {
	if r.RMGR != rmStandby || r.Info&0xf0 != standbyLock || r.Decode() != nil {
		return nil
	}
	return r.decodeLocks()
}
