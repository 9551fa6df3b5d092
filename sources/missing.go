package sources

import "context"

// Missing is a source that was named and could not be opened. It stays in the
// case, so that the report says what was not read and why: a missing source is
// blind, never silent.
type Missing struct {
	name   string
	kind   Kind
	reason *Blind
}

// NewMissing returns the stand-in for a source that could not be opened. It has the
// abilities of no other kind: a database that is missing is no log.
func NewMissing(name string, kind Kind, reason *Blind) Source {
	m := &Missing{name: name, kind: kind, reason: reason}
	switch kind {
	case KindPostgres, KindWAL, KindHTTP, KindRepo:
		return m
	}
	return missingLog{m}
}

// Name returns the name the source would have had.
func (m *Missing) Name() string { return m.name }

// Kind returns the kind the source would have had.
func (m *Missing) Kind() Kind { return m.kind }

// Check says that the source could not be opened, and what to do.
func (m *Missing) Check(context.Context) Status {
	return Status{Source: m.name, Kind: m.kind, State: StateFailed, Summary: "could not be opened", Problem: m.reason.Error()}
}

// Close does nothing.
func (m *Missing) Close() error { return nil }

// Reason says why the source could not be opened, and what to do.
func (m *Missing) Reason() *Blind { return m.reason }

// missingLog is a Missing of a kind that logs come from: whoever searches logs is
// told why this one cannot be.
type missingLog struct{ *Missing }

// SearchLogs always returns the reason why the source could not be opened.
func (m missingLog) SearchLogs(context.Context, LogQuery) (*LogResult, error) { return nil, m.reason }

var _ LogSearcher = missingLog{}
