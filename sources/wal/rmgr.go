package wal

// Resource manager ids (access/rmgrlist.h), the same in 13 to 18.
const (
	rmXLOG      = 0
	rmXact      = 1
	rmStorage   = 2
	rmDatabase  = 4
	rmMultiXact = 6
	rmStandby   = 8
	rmHeap2     = 9
	rmHeap      = 10
	rmBtree     = 11
)

var rmgrNames = [...]string{
	"XLOG", "Transaction", "Storage", "CLOG", "Database", "Tablespace", "MultiXact", "RelMap", "Standby", "Heap2", "Heap", "Btree",
	"Hash", "Gin", "Gist", "Sequence", "SPGist", "BRIN", "CommitTs", "ReplicationOrigin", "Generic", "LogicalMessage",
}

// noManager reports that no resource manager has an id: those of extensions begin at 128 (access/rmgr.h).
func noManager(id uint8) bool { return id-22 < 128-22 }

// Record kinds: the high bits of xl_info per resource manager.
const (
	xlogShutdown      = 0x00 // catalog/pg_control.h
	xlogOnline        = 0x10
	xlogNextOID       = 0x30
	xlogSwitch        = 0x40
	xlogEndOfRecovery = 0x90
	xlogFPIForHint    = 0xa0
	xlogFPI           = 0xb0

	heapInsert    = 0x00 // access/heapam_xlog.h
	heapDelete    = 0x10
	heapUpdate    = 0x20
	heapTruncate  = 0x30
	heapHotUpdate = 0x40
	heapConfirm   = 0x50
	heapLock      = 0x60
	heapInplace   = 0x70
	heapInitPage  = 0x80
	heapOpMask    = 0x70

	heap2Prune1      = 0x10 // CLEAN in 13, PRUNE in 14 to 16, PRUNE_ON_ACCESS since 17
	heap2Prune2      = 0x20 // FREEZE in 13, VACUUM in 14 to 16, PRUNE_VACUUM_SCAN since 17
	heap2Prune3      = 0x30 // FREEZE in 14 to 16, PRUNE_VACUUM_CLEANUP since 17
	heap2MultiInsert = 0x50

	btInsertLeaf = 0x00 // access/nbtxlog.h
	btSplitL     = 0x30
	btSplitR     = 0x40
	btInsertPost = 0x50

	xactCommit         = 0x00 // access/xact.h
	xactPrepare        = 0x10
	xactAbort          = 0x20
	xactCommitPrepared = 0x30
	xactAbortPrepared  = 0x40
	xactAssignment     = 0x50
	xactHasInfo        = 0x80

	copyDatabase   = 0x00
	dropDatabase13 = 0x10 // commands/dbcommands_xlog.h: the code moved in 15, when CREATE got a second form
	dropDatabase   = 0x20

	storageCreate   = 0x10 // catalog/storage_xlog.h
	storageTruncate = 0x20

	standbyLock    = 0x00 // storage/standbydefs.h
	standbyRunning = 0x10
)

// RMGRName returns the name pg_waldump prints for a resource manager, or custom for an extension's.
func RMGRName(id uint8) string {
	if int(id) < len(rmgrNames) {
		return rmgrNames[id]
	}
	return "custom"
}
