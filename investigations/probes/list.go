package probes

import inv "inquest/investigations"

// All returns every probe in the order of the checklist. Adding one is a new
// file and a line here.
func All() []inv.Probe {
	return []inv.Probe{
		databaseServer(),
		databaseTables(),
		databaseVersions(),
		databaseLineage(),
		databaseServerlog(),
		databaseRow(),
		databaseViews(),
		databaseElsewhere(),
		systemRestarts(),
		logsMentions(),
		retentionCode(),
		retentionRuns(),
		retentionPredicate(),
		codeMigrations(),
		concurrencyOpen(),
		concurrencySessions(),
		concurrencyStatements(),
		concurrencyOverlap(),
		concurrencyRequest(),
		integrityDamage(),
		integritySequence(),
		integritySiblings(),
		auditingSettings(),
		rollbackArchive(),
		rollbackRestore(),
		versionsHistory(),
		databaseHints(),
		logsAPI(),
		logsHints(),
		codeChanges(),
	}
}
