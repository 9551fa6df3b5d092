package investigations

// StepID is the slug of one of the ten checklist steps.
type StepID string

// The ten steps in the order they are walked.
const (
	StepDatabase    StepID = "database"
	StepSystem      StepID = "system"
	StepLogs        StepID = "logs"
	StepRetention   StepID = "retention"
	StepCode        StepID = "code"
	StepConcurrency StepID = "concurrency"
	StepIntegrity   StepID = "integrity"
	StepAuditing    StepID = "auditing"
	StepRollback    StepID = "rollback"
	StepVersions    StepID = "versions"
)

// Question is one that only a person can answer.
type Question struct {
	ID  string // slug.name, unique among questions
	Ask string
	Why string // what a yes or a no would change
}

// Step is one of the ten checklist steps.
type Step struct {
	ID        StepID
	Title     string
	Asks      string // the question the step answers, for people
	Why       string
	Negative  string // what finding nothing here does not exclude
	Questions []Question
}

// Verdict is the outcome of a step.
type Verdict string

// Verdicts of a step.
const (
	VerdictFinding    Verdict = "finding"
	VerdictClean      Verdict = "clean"
	VerdictCannotTell Verdict = "cannot-tell"
	VerdictSkipped    Verdict = "skipped"
	VerdictOpen       Verdict = "open"
)

// Steps returns the ten steps in order. The slice is fresh on each call.
func Steps() []Step {
	return []Step{
		{
			ID: StepDatabase, Title: "Database logs",
			Asks:     "Was the row ever stored, and what became of it?",
			Why:      "Write-ahead log, row versions and catalogue are ground truth: they outrank every other log.",
			Negative: "A write to a database, cluster or schema that is not connected; WAL that was recycled before it was read.",
			Questions: []Question{{
				ID: "database.other-place", Ask: "Is there another database, environment or region this id could have been written to?",
				Why: "An id from another environment looks exactly like a lost one.",
			}},
		},
		{
			ID: StepSystem, Title: "System logs",
			Asks:     "Did a crash, restart, failover, restore or full disk take it?",
			Why:      "After a crash or a failover an acknowledged commit can be gone without any delete.",
			Negative: "Events of a host whose logs are not connected; a restart before the logs begin.",
			Questions: []Question{{
				ID: "system.restore", Ask: "Was a backup restored, or a replica promoted, since the record was created?",
				Why: "A restore or a failover rewinds the database without a delete.",
			}},
		},
		{
			ID: StepLogs, Title: "Application logs",
			Asks:     "What did the service say about this id, and when?",
			Why:      "The answer to the create, set against the commit time, shows whether success was promised too early.",
			Negative: "Lines that were never written, sampled away, or rotated out before they were read.",
			Questions: []Question{{
				ID: "logs.acknowledged", Ask: "Do you hold the create's response yourself, with its status and the id?",
				Why: "A response held by the client proves that the id was issued when no log shows it.",
			}},
		},
		{
			ID: StepRetention, Title: "Data retention policies",
			Asks:     "Did a scheduled job, an expiry or a partition rotation remove it?",
			Why:      "Retention deletes in bulk, on time, and rarely tells the application.",
			Negative: "A job on a scheduler that is not connected: cron, Kubernetes, a cloud function.",
			Questions: []Question{{
				ID: "retention.unlisted", Ask: "Is there a purge, archive or GDPR job outside this database?",
				Why: "Jobs on other hosts are not visible from here.",
			}},
		},
		{
			ID: StepCode, Title: "Code review",
			Asks:     "Which code can delete it, hide it, or answer before it is stored?",
			Why:      "Every actor found elsewhere runs code; the code says whether it could have done this.",
			Negative: "Code in another repository, or a build that is no longer the newest.",
			Questions: []Question{{
				ID: "code.deploy", Ask: "Was something deployed or migrated within an hour of the record's creation?",
				Why: "A migration or a new build near the moment is the first suspect.",
			}},
		},
		{
			ID: StepConcurrency, Title: "Concurrency",
			Asks:     "Did a race, deadlock, conflict or open transaction keep or take it?",
			Why:      "A deadlock victim and a serialization failure vanish after the code has already succeeded.",
			Negative: "Conflicts that were not logged; transactions that ended before anyone looked.",
			Questions: []Question{{
				ID: "concurrency.retry", Ask: "Does a client or queue retry creates, or can two workers handle one request?",
				Why: "A retry can store the record under another id.",
			}},
		},
		{
			ID: StepIntegrity, Title: "Integrity checks",
			Asks:     "Do index, heap and constraints agree, and did others vanish too?",
			Why:      "A damaged index or page hides rows that are still there.",
			Negative: "Damage that no check was allowed to look for.",
			Questions: []Question{{
				ID: "integrity.siblings", Ask: "Are other records missing as well?",
				Why: "One record points to one transaction; many point to a job, a crash or a restore.",
			}},
		},
		{
			ID: StepAuditing, Title: "Logging and auditing",
			Asks:     "What was not being logged, and so cannot be known?",
			Why:      "Silence means something only where an event would have been written.",
			Negative: "Settings that were different at the time.",
			Questions: []Question{{
				ID: "auditing.by-hand", Ask: "Did anyone run a statement or a script by hand that day?",
				Why: "A person at a prompt leaves no application log.",
			}},
		},
		{
			ID: StepRollback, Title: "Rollback mechanisms",
			Asks:     "Can the content be brought back, from where, and until when?",
			Why:      "Evidence and backups expire; the content should be saved first.",
			Negative: "Backups that are not reachable from here.",
			Questions: []Question{{
				ID: "rollback.backup", Ask: "Is there a backup taken between the create and the loss?",
				Why: "If it holds the record, it was deleted later; if not, it was never there or went before.",
			}},
		},
		{
			ID: StepVersions, Title: "Version control for data",
			Asks:     "Which versions exist, and how would one be brought back?",
			Why:      "A history table or temporal design answers in one query what this case took all night to find.",
			Negative: "Versions kept outside the database.",
			Questions: []Question{{
				ID: "versions.export", Ask: "Does any export, warehouse or cache hold a copy of the record?",
				Why: "A downstream copy proves that it existed, and when.",
			}},
		},
	}
}

// StepByID returns the step with this slug.
func StepByID(id StepID) (Step, bool) {
	for _, s := range Steps() {
		if s.ID == id {
			return s, true
		}
	}
	return Step{}, false
}
