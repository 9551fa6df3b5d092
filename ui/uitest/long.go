package uitest

import (
	"strconv"
	"time"

	"inquest/investigations"
	"inquest/ui/backend"
	"inquest/ui/live"
)

// Long is a timeline of any length that is worked out as it is asked for: an
// event each millisecond, from five sources in turn.
type Long struct {
	N     int
	Asked int // counts At
}

var _ backend.Moments = (*Long)(nil)

const longSources = 5

func (l *Long) start() time.Time { return at("14:28:00") }

// Len returns N.
func (l *Long) Len() int { return l.N }

// Timed returns N: every event has a time.
func (l *Long) Timed() int { return l.N }

// At works one event out.
func (l *Long) At(i int) investigations.Moment {
	l.Asked++
	return investigations.Moment{
		Time: l.start().Add(time.Duration(i) * time.Millisecond), Source: "log:app-" + strconv.Itoa(i%longSources+1) + ".log", Evidence: "E1",
		Summary: "200 GET /v1/dtros/" + strconv.Itoa(i) + " served in 12 ms", Request: "req-" + strconv.Itoa(i/7),
	}
}

// Find is a division.
func (l *Long) Find(t time.Time) int {
	d := t.Sub(l.start())
	return max(0, min(int((d+time.Millisecond-1)/time.Millisecond), l.N))
}

// Sources names five.
func (l *Long) Sources() []string {
	out := make([]string, longSources)
	for i := range out {
		out[i] = "log:app-" + strconv.Itoa(i+1) + ".log"
	}
	return out
}

// Count is a division, too.
func (l *Long) Count(source string, from, until time.Time) int {
	n := l.Find(until) - l.Find(from)
	if source == "" {
		return n
	}
	return n / longSources
}

// CannotRun says why nothing can be run.
func (s *session) CannotRun() string { return s.f.Apart }

var _ backend.Chronicler = (*session)(nil)

// Moments is the long timeline of the backend, or the case's own.
func (s *session) Moments() backend.Moments {
	if s.f.Long != nil {
		return s.f.Long
	}
	return live.NewMoments(s.Assessment().Timeline)
}
