package catalog

import (
	"inquest/sources/heap"
	"inquest/sources/wal"
)

// RowVersion is one line pointer of a heap page that an index entry, a raw
// search or an update chain led to, with the row version under it when its bytes
// are still there.
type RowVersion struct {
	Table string      `json:"table"`
	OID   uint32      `json:"oid"`
	Rel   wal.RelFile `json:"rel"`
	TID   heap.TID    `json:"tid"`
	// Pointer is normal, redirect, dead or unused. A dead one proves that a row was
	// or was tried here; an unused one that VACUUM freed the address.
	Pointer  string      `json:"pointer"`
	Redirect *heap.TID   `json:"redirect,omitempty"`
	Found    string      `json:"found"` // index, heap or chain: what led here
	Index    *IndexEntry `json:"index,omitempty"`
	PageLSN  wal.LSN     `json:"page_lsn"` // end of the last WAL record that changed the page
	// Key says whether the version holds the key: same, different or undecided.
	Key       string   `json:"key,omitempty"`
	Xmin      uint32   `json:"xmin,omitempty"`
	Xmax      uint32   `json:"xmax,omitempty"`
	Ctid      heap.TID `json:"ctid,omitzero"`
	Infomask  uint16   `json:"infomask,omitempty"`
	Infomask2 uint16   `json:"infomask2,omitempty"`
	// Hints are what the flag bits say; the absence of one says nothing.
	Hints []string `json:"hints,omitempty"`
	// Deleter is Xmax when it deleted or updated the version, as far as the page
	// alone tells: not a lock, not marked invalid, not a multixact. Whether it
	// committed is for XactStatus to say.
	Deleter uint32 `json:"deleter,omitempty"`
	// Next is where an update put the next version; nil for a delete.
	Next    *heap.TID          `json:"next,omitempty"`
	Row     map[string]*string `json:"row,omitempty"` // live columns as text; nil is NULL
	Unknown []string           `json:"unknown,omitempty"`
	Problem string             `json:"problem,omitempty"`
}

// IndexEntry is the index item that led to a version.
type IndexEntry struct {
	Name  string `json:"name"`
	Block uint32 `json:"block"`
	Item  int    `json:"item"`
	Dead  bool   `json:"dead,omitempty"`
}

// Hints that RowVersion.Hints may hold.
const (
	HintXminCommitted  = "xmin committed"
	HintXminAborted    = "xmin aborted"
	HintXminFrozen     = "xmin frozen"
	HintXmaxCommitted  = "xmax committed"
	HintXmaxInvalid    = "xmax invalid"
	HintXmaxLockOnly   = "xmax only locks"
	HintXmaxMulti      = "xmax is a multixact"
	HintHOTUpdated     = "hot updated"
	HintHeapOnly       = "heap only"
	HintKeysUpdated    = "keys updated or deleted"
	HintMovedPartition = "moved to another partition"
	HintSpeculative    = "speculative insert"
	HintUpdated        = "written by an update"
)

// PageSearch is what the raw pages of one relation hold of a key.
type PageSearch struct {
	Table string `json:"table"`
	OID   uint32 `json:"oid"`
	// Via is ViaBuffers or ViaFile.
	Via string `json:"via"`
	// Method is index (btree descent), index-search (every index page searched for
	// the key's bytes, where the order of texts is a collation's) or heap (every heap
	// page searched).
	Method  string          `json:"method"`
	Index   string          `json:"index,omitempty"`
	Entries []heap.IndexHit `json:"entries,omitempty"`
	// Versions are in the order of their address.
	Versions []RowVersion `json:"versions"`
	// Blocks counts the pages looked at.
	Blocks int `json:"blocks"`
	// Complete says that a version of the key that still has its index entry, or its
	// place in the heap, would have been found.
	Complete bool   `json:"complete"`
	Note     string `json:"note,omitempty"`
}

// How pages were read.
const (
	// ViaBuffers is pageinspect's get_raw_page: pages as they are in memory now.
	ViaBuffers = "get_raw_page"
	// ViaFile is pg_read_binary_file: pages as they were last written out. What
	// changed since the last checkpoint may be missing; WAL has it.
	ViaFile = "pg_read_binary_file"
)
