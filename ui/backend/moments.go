package backend

import (
	"time"

	"inquest/investigations"
)

// Moments is a timeline that may be longer than what fits into memory: only
// what is on screen is asked for. Its methods may be called from several
// goroutines, never fail, and are quick; what they answer never changes.
type Moments interface {
	// Len returns how many moments there are. Those with a time come first, in
	// their order; Timed says how many they are.
	Len() int
	Timed() int
	// At returns one moment, for 0 ≤ i < Len.
	At(i int) investigations.Moment
	// Find returns the first moment at or after t, or Timed when there is none.
	Find(t time.Time) int
	// Sources names the sources in order.
	Sources() []string
	// Count returns how many moments of a source lie from one time until before
	// another; an empty name counts all sources.
	Count(source string, from, until time.Time) int
}

// Chronicler is the ability of a Session to give its timeline as Moments. Without
// it the screens use the list in the Assessment.
type Chronicler interface {
	// Moments may take a moment itself: it is called from commands.
	Moments() Moments
}
