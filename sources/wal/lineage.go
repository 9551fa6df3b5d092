package wal

import (
	"slices"
	"time"

	"inquest/sources/heap"
)

// Target is one table in which the key may have lived. Rel and OID are the table's now; earlier files go into OldRels, and those that WAL
// itself reveals are found by Trace.
type Target struct {
	Rel     RelFile        `json:"rel"` // pg_class.relfilenode with tablespace and database; zero when the table is gone
	OID     uint32         `json:"oid"` // pg_class.oid: how locks and TRUNCATE name the table
	Table   string         `json:"table"`
	Columns []heap.Column  `json:"columns"` // every attnum from 1, dropped ones included
	Key     []heap.KeyPart `json:"key"`
	Indexes []IndexTarget  `json:"indexes,omitempty"` // btree indexes that hold all key columns
	// NotUnique says that a key column is in no unique index, NotIndexed that one is in no index at all: their updates do not say whether
	// they changed the key.
	NotUnique  bool      `json:"not_unique,omitempty"`
	NotIndexed bool      `json:"not_indexed,omitempty"`
	OldRels    []RelFile `json:"old_rels,omitempty"`
	ToastRel   RelFile   `json:"toast_rel,omitzero"` // to read out-of-line values from WAL
	// Past says that Columns are those of Rel's time, which is over: a change of the table's columns after it does not concern them.
	Past bool `json:"past,omitempty"`
}

// IndexTarget is a btree index of a Target. KeyAttNums are the table's attnums of its columns, in index order; 0 is an expression and
// makes the index useless here.
type IndexTarget struct {
	Rel        RelFile `json:"rel"`
	OID        uint32  `json:"oid"`
	Name       string  `json:"name"`
	KeyAttNums []int16 `json:"key_attnums"`
}

// KnownTID is a row version that is known from elsewhere (index descent, heap page) to hold the key. It speaks of the last version that
// was written to the address before AsOf and of no earlier one.
type KnownTID struct {
	Target int      `json:"target"`         // index into targets
	Rel    RelFile  `json:"rel,omitzero"`   // zero: the target's file now
	TID    heap.TID `json:"tid"`            // of the version itself, not of a redirect to it
	AsOf   LSN      `json:"as_of,omitzero"` // when it was seen there: the LSN of its heap page; zero: at the end of the WAL read
}

// Options limits and helps a Trace.
type Options struct {
	From, To LSN
	TLI      uint32 // walk the history of this timeline; zero: the newest
	SkipCRC  bool   // do not check records' checksums: about three times faster
	MaxBytes int64  // stop a pass after that many bytes of WAL; zero: no limit
	MaxXacts int    // transactions that deleted elsewhere in the target tables are described up to this number; zero: 200
	ReadAll  bool   // read all WAL, also where the Source could tell that it does not matter
	Known    []KnownTID
	Progress func(done, total int64) // bytes, over one pass; called again from zero for a further pass

	chunk int64 // as in ReaderOptions

	wrote map[writing]heap.Tuple // whole versions that records wrote, as an earlier walk found out
}

// Op is what happened to a row version or a relation.
type Op string

// The operations of an Event.
const (
	OpInsert      Op = "insert"
	OpMultiInsert Op = "multi-insert" // COPY and batches
	OpUpdate      Op = "update"
	OpHotUpdate   Op = "hot-update"
	OpDelete      Op = "delete"
	OpLock        Op = "lock"
	OpPrune       Op = "prune"  // row bytes removed; the version was visible to nobody
	OpVacuum      Op = "vacuum" // line pointer freed: the address may be used for another row
	OpTruncate    Op = "truncate"
	OpDrop        Op = "drop"
	OpDropDB      Op = "drop-database"
	OpRewrite     Op = "rewrite"    // the row was copied into a new file by VACUUM FULL, CLUSTER or ALTER TABLE
	OpImage       Op = "image"      // the version was seen in a page image; how it came there lies before the WAL
	OpIndexLeaf   Op = "index-leaf" // an index entry with the key was seen; the row itself was not
	OpSpeculative Op = "speculative-insert"
	OpConfirm     Op = "speculative-confirm"
	OpKill        Op = "speculative-kill" // INSERT … ON CONFLICT found a conflict and took its own row back
	OpMove        Op = "partition-move"   // deleted here because an update inserted it into another partition
	OpShrink      Op = "file-truncate"    // VACUUM gave empty blocks at the end of the file back
)

// Event is one thing that WAL says happened to a version of the key. Only commit and abort records carry times: After and Before
// are the nearest ones around the event, zero when there is none on that side.
type Event struct {
	LSN         LSN                `json:"lsn"`
	TLI         uint32             `json:"tli"`
	Op          Op                 `json:"op"`
	XID         uint32             `json:"xid,omitempty"` // as the record says, perhaps a subtransaction; Lineage.Xacts resolves it
	TopXID      uint32             `json:"top_xid,omitempty"`
	Target      int                `json:"target"`
	Table       string             `json:"table"`
	OID         uint32             `json:"oid,omitempty"`
	Rel         RelFile            `json:"rel"`
	TID         heap.TID           `json:"tid,omitzero"`
	NewRel      RelFile            `json:"new_rel,omitzero"`
	NewTID      heap.TID           `json:"new_tid,omitzero"`
	Incarnation int                `json:"incarnation"` // counts the lives of the key: a fresh insert begins a new one
	After       time.Time          `json:"after,omitzero"`
	Before      time.Time          `json:"before,omitzero"`
	Row         map[string]*string `json:"row,omitempty"`     // the version written, or the one removed when it is known; nil is NULL
	Unknown     []string           `json:"unknown,omitempty"` // columns of Row that could not be read
	KeyChanged  bool               `json:"key_changed,omitempty"`
	OldKey      []string           `json:"old_key,omitempty"` // of a key change, when it can be read
	NewKey      []string           `json:"new_key,omitempty"`
	Xmin        uint32             `json:"xmin,omitempty"` // image: of the version seen
	Xmax        uint32             `json:"xmax,omitempty"` // image: when it is a delete or update, not a lock and not invalid
	Origin      uint16             `json:"origin,omitempty"`
	Assumed     bool               `json:"assumed,omitempty"` // the address held the key by evidence from later, see KnownTID
	Note        string             `json:"note,omitempty"`
	// Under is the key that the row had, when an update had taken the asked one from it before; nil: the asked key. Left is the position of
	// that update, and Incarnation that of the life which it ended.
	Under []string `json:"under,omitempty"`
	Left  LSN      `json:"left,omitzero"`
	// NotFollowed says of a key change why the row was not followed under the key that it got, or not to its end.
	NotFollowed string `json:"not_followed,omitempty"`

	tuple    heap.Tuple
	hasTuple bool
	version  *version
}

// to is where an update or a move wrote the row.
func (e *Event) to() place {
	if e.NewRel.Zero() {
		return place{e.Rel, e.NewTID}
	}
	return place{e.NewRel, e.NewTID}
}

// XactState is the outcome of a transaction.
type XactState string

// The outcomes. Crashed: the server restarted before the transaction ended, which undid it. Unfinished: WAL ends before it does.
const (
	Committed  XactState = "committed"
	Aborted    XactState = "aborted"
	Prepared   XactState = "prepared"
	Unfinished XactState = "unfinished"
	Crashed    XactState = "crashed"
)

// Counts are the row operations of a transaction in one relation.
type Counts struct {
	Insert int `json:"insert,omitempty"`
	Update int `json:"update,omitempty"`
	Delete int `json:"delete,omitempty"`
	Lock   int `json:"lock,omitempty"`
}

// Step is a run of equal operations of a transaction on one relation: the transaction's fingerprint is the list of them.
type Step struct {
	LSN   LSN     `json:"lsn"`
	Rel   RelFile `json:"rel"`
	Table string  `json:"table,omitempty"` // only for targets
	Op    Op      `json:"op"`
	Rows  int     `json:"rows"`
}

// Siblings are other rows that a transaction removed from a target table, or inserted into it before it aborted.
type Siblings struct {
	Removed  int        `json:"removed"`
	Inserted int        `json:"inserted"`
	Keys     [][]string `json:"keys,omitempty"` // sample of at most 20, where the keys can be read
}

// Xact is a transaction or subtransaction. The contents are told on the top one, over the whole family.
type Xact struct {
	XID       uint32              `json:"xid"`
	TopXID    uint32              `json:"top_xid,omitempty"` // set on a subtransaction whose parent is known; of one that was rolled back it may be a savepoint's own
	State     XactState           `json:"state"`
	Time      time.Time           `json:"time,omitzero"` // of commit or abort, to the microsecond
	LSN       LSN                 `json:"lsn,omitzero"`  // of the commit, abort or prepare record
	Subxacts  []uint32            `json:"subxacts,omitempty"`
	GID       string              `json:"gid,omitempty"`
	Prepared  time.Time           `json:"prepared,omitzero"`
	Origin    uint16              `json:"origin,omitempty"` // replication origin: the change was applied from another server
	FirstLSN  LSN                 `json:"first_lsn,omitzero"`
	LastLSN   LSN                 `json:"last_lsn,omitzero"`
	Tables    map[RelFile]*Counts `json:"tables,omitempty"`
	Steps     []Step              `json:"steps,omitempty"` // in order, at most 500
	StepsCut  bool                `json:"steps_cut,omitempty"`
	Dropped   []RelFile           `json:"dropped,omitempty"` // files removed
	Locks     []uint32            `json:"locks,omitempty"`   // oids of tables locked ACCESS EXCLUSIVE
	Siblings  *Siblings           `json:"siblings,omitempty"`
	TouchesIt bool                `json:"touches_it,omitempty"` // it acted on the key itself
}

// RelationEvent is something that happened to a target relation as a whole in a committed transaction.
type RelationEvent struct {
	LSN     LSN       `json:"lsn"`
	Op      Op        `json:"op"`
	XID     uint32    `json:"xid,omitempty"`
	Target  int       `json:"target"`
	Table   string    `json:"table"`
	OID     uint32    `json:"oid,omitempty"`
	Dropped []RelFile `json:"dropped,omitempty"`
	Created []RelFile `json:"created,omitempty"`
	Time    time.Time `json:"time,omitzero"`
	Note    string    `json:"note,omitempty"`
}

// Restart is a sign in WAL that the server stopped and started, or that the timeline changed.
type Restart struct {
	LSN     LSN       `json:"lsn"`
	Kind    string    `json:"kind"` // shutdown-checkpoint, end-of-recovery
	TLI     uint32    `json:"tli"`
	PrevTLI uint32    `json:"prev_tli,omitempty"`
	Time    time.Time `json:"time,omitzero"`
	Lost    []uint32  `json:"lost,omitempty"` // transactions of interest that it cut off: the stop was not clean
}

// Coverage is a stretch of WAL that was read without a hole, with the first and last commit or abort time in it.
type Coverage struct {
	Range
	FromTime time.Time `json:"from_time,omitzero"`
	ToTime   time.Time `json:"to_time,omitzero"`
}

// Branch is the lineage on WAL that a failover or a point-in-time recovery discarded.
type Branch struct {
	Fork
	Lineage *Lineage `json:"lineage"`
}

// Lineage is everything that Trace found about a key. It is stored as evidence and judged offline.
type Lineage struct {
	TLI        uint32           `json:"tli"`
	Targets    []string         `json:"targets"` // table names, by Target index
	Events     []Event          `json:"events"`
	Xacts      map[uint32]*Xact `json:"xacts"`
	Relations  []RelationEvent  `json:"relations,omitempty"`
	Restarts   []Restart        `json:"restarts,omitempty"`
	Switches   []Switch         `json:"switches,omitempty"`
	Branches   []Branch         `json:"branches,omitempty"`
	Covered    []Coverage       `json:"covered"`
	Gaps       []Gap            `json:"gaps,omitempty"`
	End        string           `json:"end"`
	LastCommit time.Time        `json:"last_commit,omitzero"`
	Segments   int              `json:"segments"`
	Passes     int              `json:"passes"`
	Bytes      int64            `json:"bytes"`            // of WAL, over all passes
	Passed     int64            `json:"passed,omitempty"` // bytes that were not read, for a Skimmer found nothing that matters in them
	Records    int64            `json:"records"`          // of the first pass
	BadCRC     int64            `json:"bad_crc,omitempty"`
	Damaged    int64            `json:"damaged,omitempty"` // records of interest whose content contradicts itself
	Notes      []string         `json:"notes,omitempty"`
	// Missed says why WAL that was read may hold more of the key than Events tell. While it is not empty, an empty Events is no proof.
	Missed []string `json:"missed,omitempty"`
	// Unread counts changes in the target tables that may have been the key's: deletes and updates carry no key at wal_level replica, and
	// neither the row nor an image of its page came before them in the WAL. It is zero when full_page_writes is on and the WAL begins
	// before a checkpoint whose changes it holds.
	Unread Unread `json:"unread,omitzero"`
}

// Unread counts changes of rows that could not be told, with the first and the last of them.
type Unread struct {
	Deletes int       `json:"deletes,omitempty"`
	Updates int       `json:"updates,omitempty"`
	First   LSN       `json:"first,omitzero"`
	Last    LSN       `json:"last,omitzero"`
	From    time.Time `json:"from,omitzero"` // the last commit or abort before First
	To      time.Time `json:"to,omitzero"`
}

func (l *Lineage) miss(why string) {
	l.Notes = append(l.Notes, why)
	if !slices.Contains(l.Missed, why) {
		l.Missed = append(l.Missed, why)
	}
}
