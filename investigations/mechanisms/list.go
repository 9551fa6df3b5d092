package mechanisms

// All returns every mechanism. Adding one is a new file and a line here.
func All() []Mechanism {
	return []Mechanism{
		stillPresent(),
		idMismatch(),
		softDeleted(),
		rolledBack(),
		deadlockVictim(),
		serializationFailure(),
		crashInFlight(),
		transactionOpen(),
		preparedOrphan(),
		manualDelete(),
		insertRefused(),
		responseBeforeWrite(),
	}
}
