package investigations

// Facts read from code, and of natural keys in logs.
const (
	// A commit near the window changes lines that remove rows of the table:
	// commit, table, op, file, line, text, lines (how many). Time is when it was
	// committed, on the committer's clock.
	CodeChanged FactKind = "code-changed"
	// A line of the newest commit removes rows of the table: commit, table, op
	// (delete, truncate, drop, detach, mark), file, line, text, test=true.
	CodeRemoves FactKind = "code-removes"
	// A release was tagged: name, commit, before=true when it is the newest one
	// before the window.
	Released FactKind = "released"
	// A log line names a natural key of the record: hint, value, source, op,
	// status, request, position; id=another id that the line or its request names,
	// same=true when it names the record's own.
	HintNamed FactKind = "hint-named"
)
