package ui

import "inquest/ui/backend"

// The contract that cmd implements, under the names by which it is used.
type (
	Backend     = backend.Backend
	Session     = backend.Session
	CaseSummary = backend.CaseSummary
	NewCase     = backend.NewCase
	Defaults    = backend.Defaults
	Profile     = backend.Profile
	Place       = backend.Place
	Drill       = backend.Drill
	Progress    = backend.Progress
	Moments     = backend.Moments
	Chronicler  = backend.Chronicler
	Checker     = backend.Checker
	Connected   = backend.Connected
	Asked       = backend.Asked
)
