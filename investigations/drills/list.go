package drills

// List returns every drill; the first is the default. The slice is fresh on
// each call.
func List() []Drill {
	return []Drill{
		vanishedDtro(),
		psqlDelete(),
		psqlDeleteSilent(),
		psqlDeleteCrowd(),
		rolledBackError(),
		rolledBackSilent(),
		deadlockVictim(),
		serializationFailure(),
		crashInFlight(),
		terminatedInFlight(),
		clientGone(),
		idleTimeout(),
		transactionOpen(),
		preparedOrphan(),
		responseBeforeWrite(),
		insertRefused(),
		writeSwallowed(),
		softDeleted(),
		mismatchedCase(),
		wrongPlace(),
		retentionDelete(),
		retentionByHand(),
		cascadeDelete(),
		explicitDelete(),
		apiDelete(),
		stillPresent(),
		truncated(),
		scripted(),
		keyChanged(),
		unloggedReset(),
		rowSecurity(),
		detachedPartition(),
		partitionDrop(),
		asyncCommitLost(),
		failoverLost(),
		staleReplica(),
		restoredBackup(),
		indexCorruption(),
		pageCorruption(),
		triggerDelete(),
		tableDrop(),
		raceDelete(),
		replaced(),
		conflictIgnored(),
		deletedByOther(),
		digitOff(),
		neverIssued(),
		clockSkew(),
		walRecycled(),
		logGap(),
		noPrivilege(),
		wrongZone(),
		psqlDeleteMod(),
		psqlDeleteAll(),
		desktopDelete(),
		borrowedRole(),
		purgeBystander(),
		retentionDefault(),
		logicalJobDelete(),
		cascadeTwoLevels(),
		triggerTwoLevels(),
		asyncCommitTorn(),
		crashUnanswered(),
		swallowedWhen(),
		ruleInstead(),
		uploadHalfway(),
		leakedSearchPath(),
		tableReloaded(),
		keysMigrated(),
	}
}

// Find returns the drill with this id.
func Find(id string) (Drill, bool) {
	for _, d := range List() {
		if d.ID == id {
			return d, true
		}
	}
	return Drill{}, false
}
