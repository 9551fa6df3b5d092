package sources

import "context"

// LogSearcher is the ability to find events in a log.
type LogSearcher interface {
	// SearchLogs returns the events that match q in the order of their position,
	// and the coverage of what was read. It returns a *Blind when it could not look.
	SearchLogs(ctx context.Context, q LogQuery) (*LogResult, error)
}

// Needle is one spelling to look for in a log.
type Needle struct {
	Text string // the bytes to find, exactly
	How  string // for people: "the id", "the id without hyphens", "trace id of app.log:12"
	// Whole demands that the hit is a token of its own: the bytes before and after
	// are no letter, digit or underscore (nor '.', '-' followed by a digit for numbers).
	Whole bool
	// Field restricts the hit to a field of that name, where the format has fields.
	Field string
	// Weak marks a needle whose hit alone proves nothing, such as a prefix.
	Weak bool
}

// LogQuery asks for events.
type LogQuery struct {
	// Needles are alternatives; none means every event of the window.
	Needles []Needle
	// Window bounds the events by time; the zero Window is the whole log. Events
	// without a time or zone are kept when their neighbours could lie in it.
	Window Window
	// Limit is the most events to return; zero means 1,000. What was left out is
	// counted in LogResult.Dropped.
	Limit int
	// Progress, when set, is told bytes done and in all (total may be an estimate).
	Progress func(done, total int64)
	// Found, when set, is told of events before the search ends, as soon as each is
	// sure to be a hit: in the order of position within one file, from one goroutine at
	// a time. It must not block. It is for showing only: what counts is the result, which may
	// lack an event that was told (another came first under the Limit), tell more of
	// it (lines that follow, the end of its interval), and hold events that were not
	// told (a line without a time that may yet lie outside of the Window).
	Found func(Event)
}

// LogResult is what a search found, and what it really read.
type LogResult struct {
	Events   []Event  `json:"events"`
	Coverage Coverage `json:"coverage"`
	Dropped  int64    `json:"dropped,omitempty"`
	Query    string   `json:"query"` // a command that finds the same by hand
}
