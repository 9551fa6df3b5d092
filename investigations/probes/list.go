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
		systemRestarts(),
		logsMentions(),
		retentionCode(),
		codeMigrations(),
		concurrencyOpen(),
		concurrencySessions(),
		integrityDamage(),
		auditingSettings(),
		rollbackArchive(),
		versionsHistory(),
		databaseHints(),
		logsAPI(),
		logsHints(),
		codeChanges(),
	}
}
